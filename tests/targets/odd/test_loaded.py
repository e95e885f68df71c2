"""Tests that only the load_tests protocol finds: doctests, and a class made on the spot."""

import doctest
import unittest

import doubled
from django.test import SimpleTestCase


class Plain(SimpleTestCase):
    def test_plain(self):
        pass


def load_tests(loader, tests, pattern):
    made = type("Made", (SimpleTestCase,), {"test_made": lambda self: None})
    made.__module__ = __name__
    tests.addTests(loader.loadTestsFromTestCase(made))
    tests.addTest(unittest.FunctionTestCase(function))
    tests.addTests(doctest.DocTestSuite(doubled))
    return tests


def function():
    pass
