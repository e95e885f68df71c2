from django.test import SimpleTestCase
from django.utils.text import slugify


class Clean(SimpleTestCase):
    def test_works_everywhere(self):
        self.assertEqual(slugify("Ridge Path"), "ridge-path")

    def test_with_a_docstring(self):
        """unittest prints this line between the name and the outcome ... ok"""


def test_a_bare_function():
    """Only pytest sees it."""
