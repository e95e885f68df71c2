from django.conf import settings
from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_zone(self):
        self.assertEqual(settings.TIME_ZONE, "UTC")
