"""Runners that a project may name in TEST_RUNNER."""

import unittest

from django.test.runner import DiscoverRunner


class Loud(DiscoverRunner):
    """A subclass with a result class of its own."""

    class Result(unittest.TextTestResult):
        def addSuccess(self, test):
            self.successes = getattr(self, "successes", 0) + 1
            super().addSuccess(test)

    def get_resultclass(self):
        return self.Result


class ByItself:
    """No DiscoverRunner: it takes unittest as it is."""

    def __init__(self, **options):
        self.verbosity = options.get("verbosity", 1)

    def run_tests(self, test_labels, **options):
        from django.test.utils import setup_test_environment, teardown_test_environment

        setup_test_environment()
        tests = unittest.defaultTestLoader.discover(".")
        result = unittest.TextTestRunner(verbosity=self.verbosity).run(tests)
        teardown_test_environment()
        return len(result.failures) + len(result.errors)


class ByPytest:
    """The recipe of pytest-django's own documentation."""

    def __init__(self, **options):
        pass

    def run_tests(self, test_labels, **options):
        import pytest

        return pytest.main(list(test_labels))
