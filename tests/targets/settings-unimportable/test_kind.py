from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_never_runs(self):
        pass
