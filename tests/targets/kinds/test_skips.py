import unittest

import django
from django.test import SimpleTestCase

try:
    from django.core.files.storage import get_storage_class
except ImportError:
    get_storage_class = None


class Swallowed(SimpleTestCase):
    @unittest.skipIf(get_storage_class is None, "no storage classes")
    def test_skipped_when_the_import_fails(self):
        self.assertTrue(callable(get_storage_class))

    def test_skipped_from_within(self):
        if get_storage_class is None:
            self.skipTest("no storage 'classes'")


@unittest.skipIf(django.VERSION >= (5,), "not ported yet")
class ClassLevel(SimpleTestCase):
    def test_one(self):
        pass

    def test_two(self):
        pass
