import django
import shared
from django.test import SimpleTestCase


class Real(SimpleTestCase):
    def test_a_prepares(self):
        shared.ready = django.VERSION < (5,)

    def test_b_needs_what_a_prepares(self):
        # Alone it fails before the hop as well; in its module it passes there.
        self.assertTrue(shared.ready, "not prepared")

    def test_c_breaks(self):
        self.assertLess(django.VERSION, (5,), "broken")

    def test_d_breaks(self):
        from django.utils.timezone import utc  # noqa: F401

    def test_e_breaks_alike(self):
        from django.utils.timezone import utc  # noqa: F401
