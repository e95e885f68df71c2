import unittest

from django.core.files import storage
from django.test import SimpleTestCase


class SubTests(SimpleTestCase):
    def test_some_fail_later(self):
        for name in ["DefaultStorage", "get_storage_class", "FileSystemStorage", "Gone"][:3]:
            with self.subTest(name=name):
                self.assertTrue(hasattr(storage, name))

    def test_two_fail_always(self):
        for number in range(4):
            with self.subTest(number=number):
                self.assertEqual(number % 2, 0)

    def test_all_pass(self):
        for number in range(2):
            with self.subTest(number=number):
                self.assertLess(number, 2)


class SetUpClass(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(lambda: None)
        cls.factory = storage.get_storage_class

    def test_one(self):
        pass

    def test_two(self):
        pass


class Expected(SimpleTestCase):
    @unittest.expectedFailure
    def test_fails_as_expected(self):
        self.assertTrue(False)

    @unittest.expectedFailure
    def test_succeeds_unexpectedly_later(self):
        from django.db.models import GeneratedField

        self.assertTrue(GeneratedField)
