import shared
from django.test import SimpleTestCase


class Later(SimpleTestCase):
    def test_wants_it_clean(self):
        self.assertFalse(shared.polluted, "polluted by another module")
