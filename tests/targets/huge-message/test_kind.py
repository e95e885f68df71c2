from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_fails_with_ten_megabytes(self):
        raise AssertionError("z" * 10_000_000)
