from django.test import SimpleTestCase


def setUpModule():
    raise KeyError("module")


class One(SimpleTestCase):
    def test_one(self):
        pass


class Two(SimpleTestCase):
    def test_two(self):
        pass
