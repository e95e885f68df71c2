"""A class for each way in which a test is not simply passed or failed."""

import unittest

from django.test import SimpleTestCase, TestCase


class Subtests(SimpleTestCase):
    def test_pass(self):
        for number in range(2):
            with self.subTest(number=number):
                self.assertLess(number, 2)

    def test_fail(self):
        for number in range(4):
            with self.subTest(number=number):
                self.assertEqual(number % 2, 0)

    def test_fail_and_go_on(self):
        with self.subTest("first"):
            self.fail("in the subtest")
        raise KeyError("after it")

    def test_skip_one(self):
        for number in range(2):
            with self.subTest(number=number):
                if number:
                    self.skipTest("not this one")


class Expected(SimpleTestCase):
    @unittest.expectedFailure
    def test_fails(self):
        self.fail("as expected")

    @unittest.expectedFailure
    def test_passes(self):
        pass

    @unittest.expectedFailure
    def test_fails_in_a_subtest(self):
        with self.subTest("one"):
            self.fail("as expected")


class Skips(SimpleTestCase):
    @unittest.skip("by its decorator")
    def test_decorated(self):
        pass

    def test_inside(self):
        self.skipTest("inside")


@unittest.skip("the whole class")
class SkippedClass(SimpleTestCase):
    def test_one(self):
        pass

    def test_two(self):
        pass


class SkippedInSetUpClass(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("in setUpClass")

    def test_one(self):
        pass

    def test_two(self):
        pass


class BrokenSetUpClass(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raise KeyError("up")

    def test_one(self):
        pass

    def test_two(self):
        pass


class BrokenTearDownClass(SimpleTestCase):
    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        raise KeyError("down")

    def test_one(self):
        pass

    def test_two(self):
        pass


class BrokenTestData(TestCase):
    @classmethod
    def setUpTestData(cls):
        raise KeyError("data")

    def test_one(self):
        pass


class TearDowns(SimpleTestCase):
    def tearDown(self):
        raise KeyError("tearDown")

    def test_fail(self):
        self.fail("first")

    def test_pass(self):
        pass


class Cleanups(SimpleTestCase):
    def test_cleanup(self):
        self.addCleanup(self.fail, "cleanup")


class Generated(SimpleTestCase):
    pass


def make(number):
    def test(self):
        self.assertNotEqual(number, 1)

    return test


for number in range(3):
    setattr(Generated, "test_%d" % number, make(number))


class Inherited(Skips):
    pass


class Abstract:
    def test_from_a_mixin(self):
        pass


class Mixed(Abstract, SimpleTestCase):
    pass


class Described(SimpleTestCase):
    def test_with_a_docstring(self):
        """What it is about ... ok"""
