import os

import django
from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_a_before(self):
        pass

    def test_b_exit(self):
        if django.VERSION >= (5,):
            os._exit(0)

    def test_c_after(self):
        pass
