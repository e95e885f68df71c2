from django.test import SimpleTestCase


def tearDownModule():
    raise KeyError("module down")


class One(SimpleTestCase):
    def test_one(self):
        pass
