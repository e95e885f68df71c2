import warnings

import pytest
from django.test import SimpleTestCase
from django.utils.html import format_html


class Marked(SimpleTestCase):
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_ignores_by_its_marker(self):
        self.assertEqual(format_html("<br>"), "<br>")

    def test_ignores_by_its_code(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.assertEqual(format_html("<br>"), "<br>")
