from django.db import connection
from django.test import SimpleTestCase, TestCase


class WithDatabase(TestCase):
    def test_has_a_table(self):
        self.assertIn("app_note", connection.introspection.table_names())


class WithoutDatabase(SimpleTestCase):
    def test_needs_no_table(self):
        pass
