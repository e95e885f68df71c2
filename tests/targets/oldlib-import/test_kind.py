from django.test import SimpleTestCase
from django.utils.html import format_html


class Kind(SimpleTestCase):
    def test_clean(self):
        pass

    def test_of_the_project(self):
        # RemovedInDjango60Warning in 5.2: what strict would say, had it not died before.
        self.assertEqual(format_html("<br>"), "<br>")
