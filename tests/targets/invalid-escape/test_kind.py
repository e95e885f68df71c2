import re

from django.test import SimpleTestCase

import patterns


class Kind(SimpleTestCase):
    def test_digits(self):
        self.assertTrue(re.fullmatch(patterns.DIGITS, "12"))
