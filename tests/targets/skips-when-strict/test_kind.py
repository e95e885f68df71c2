import unittest
import warnings

import django
from django.test import SimpleTestCase


def old():
    if django.VERSION >= (5,):
        warnings.warn("old", DeprecationWarning)



try:
    old()
    THERE = True
except Exception:
    THERE = False


class Kind(SimpleTestCase):
    @unittest.skipUnless(THERE, "no feature")
    def test_skipped_by_its_module(self):
        pass

    def test_skips_itself(self):
        try:
            old()
        except Exception:
            self.skipTest("no feature")

    def test_without(self):
        pass
