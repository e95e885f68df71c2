from django.test import SimpleTestCase


class Fine(SimpleTestCase):
    def test_nothing(self):
        pass
