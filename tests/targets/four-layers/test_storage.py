from django.core.files.storage import get_storage_class
from django.test import SimpleTestCase


class Storage(SimpleTestCase):
    def test_class(self):
        self.assertTrue(get_storage_class())
