import warnings

import django
from django.test import SimpleTestCase

NEW = django.VERSION >= (5,)


class Kind(SimpleTestCase):
    def test_swallows(self):
        done = True
        try:
            if NEW:
                warnings.warn("old", DeprecationWarning)
        except Exception:
            done = False
        self.assertTrue(done)

    def test_pending(self):
        if NEW:
            warnings.warn("soon old", PendingDeprecationWarning)
