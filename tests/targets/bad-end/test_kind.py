from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_clean(self):
        pass
