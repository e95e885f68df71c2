from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def check_that_is_no_test(self):
        pass
