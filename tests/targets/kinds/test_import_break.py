from django.test import SimpleTestCase
from django.utils.timezone import utc


class ImportBreak(SimpleTestCase):
    def test_utc(self):
        self.assertEqual(str(utc), "UTC")
