import sys

from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_a_prints_megabytes(self):
        for _ in range(20_000):
            print("x" * 999)

    def test_b_prints_to_stderr(self):
        for _ in range(5_000):
            print("y" * 999, file=sys.stderr)

    def test_c_after(self):
        pass
