import unittest

import django
from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    @unittest.expectedFailure
    def test_passes_at_last(self):
        self.assertGreaterEqual(django.VERSION, (5,))

    def test_clean(self):
        pass
