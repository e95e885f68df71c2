import django
from django.test import TestCase
from parcels.models import ZONE, Parcel


class Kind(TestCase):
    def test_uses_urls(self):
        self.assertEqual(self.client.get("/").content, b"2020")

    def test_uses_a_table(self):
        self.assertEqual(Parcel.objects.count(), 0)

    def test_still_fails(self):
        self.assertLess(django.VERSION, (5,), ZONE)
