import time

import django
from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_a_before(self):
        pass

    def test_b_hang(self):
        if django.VERSION >= (5,):
            time.sleep(3600)

    def test_c_after(self):
        pass
