from django.contrib.staticfiles import finders
from django.core.files import storage
from django.test import SimpleTestCase, override_settings
from django.utils import timezone
from django.utils.html import format_html


class Deprecated(SimpleTestCase):
    def test_deprecated_then_removed(self):
        # RemovedInDjango50Warning in 4.2.
        self.assertEqual(str(timezone.utc), "UTC")

    def test_newly_deprecated(self):
        # RemovedInDjango60Warning: says nothing in 4.2, a DeprecationWarning in 5.2.
        self.assertEqual(format_html("<br>"), "<br>")

    def test_pending_then_removed(self):
        # RemovedInDjango51Warning: pending in 4.2, so strict says nothing.
        self.assertTrue(storage.get_storage_class())

    @override_settings(STATICFILES_FINDERS=[])
    def test_pending_only(self):
        # RemovedInDjango61Warning: pending in 5.2.
        self.assertEqual(finders.find("none.css", all=True), [])
