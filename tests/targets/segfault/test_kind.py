import ctypes

import django
from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_a_before(self):
        pass

    def test_b_segfault(self):
        if django.VERSION >= (5,):
            ctypes.string_at(0)

    def test_c_after(self):
        pass
