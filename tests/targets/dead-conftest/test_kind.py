from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_one(self):
        pass
