import django
import shared
from django.test import SimpleTestCase


class Order(SimpleTestCase):
    def test_a_pollutes(self):
        shared.polluted = django.VERSION >= (5,)

    def test_b_wants_it_clean(self):
        self.assertFalse(shared.polluted, "polluted")
