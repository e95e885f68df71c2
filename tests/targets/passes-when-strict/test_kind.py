import warnings

import django
from django.test import SimpleTestCase


def old():
    if django.VERSION >= (5,):
        warnings.warn("old", DeprecationWarning)



class Kind(SimpleTestCase):
    def test_expects_the_error(self):
        try:
            old()
            raised = False
        except DeprecationWarning:
            raised = True
        self.assertEqual(raised, django.VERSION >= (5,))

    def test_without(self):
        pass
