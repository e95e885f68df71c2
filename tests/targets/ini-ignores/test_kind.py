from django.test import SimpleTestCase
from django.utils.html import format_html


class Kind(SimpleTestCase):
    def test_deprecated(self):
        self.assertEqual(format_html("<br>"), "<br>")
