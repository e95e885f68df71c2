import unittest


class Moved(unittest.TestCase):
    def test_a_patch_release(self):
        # https://docs.djangoproject.com/en/stable/releases/4.2.17/
        from django.utils.html import strip_tags

        self.assertIsInstance(strip_tags("<" * 51 + "a>" * 51), str)

    def test_a_package(self):
        # Deprecated since itsdangerous 2.0, gone in 2.1.0.
        from itsdangerous import json

        self.assertTrue(json)

    def test_clean(self):
        pass
