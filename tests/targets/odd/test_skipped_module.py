import unittest

from django.test import SimpleTestCase


def setUpModule():
    raise unittest.SkipTest("the whole module")


class One(SimpleTestCase):
    def test_one(self):
        pass
