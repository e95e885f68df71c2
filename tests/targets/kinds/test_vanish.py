import django
from django.test import SimpleTestCase


class Loaded(SimpleTestCase):
    """Its tests are made while it is loaded, by what this Django has."""


def make(name):
    def test(self):
        self.assertTrue(name)

    return test


for name in ["common", "gone"] if django.VERSION < (5,) else ["common", "come"]:
    setattr(Loaded, f"test_{name}", make(name))
