from django.test import SimpleTestCase


class Changes(SimpleTestCase):
    def test_broke_differently(self):
        # An AssertionError in 4.2, an ImportError in 5.2.
        from django.core.files.storage import get_storage_class

        self.assertIsNone(get_storage_class)

    def test_fixed(self):
        from django.db.models import GeneratedField

        self.assertTrue(GeneratedField)

    def test_red_before_and_after(self):
        self.assertEqual("expected", "found")
