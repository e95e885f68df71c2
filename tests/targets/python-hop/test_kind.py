import unittest


class Kind(unittest.TestCase):
    def test_removed_from_python(self):
        # Deprecated since Python 3.2, gone in 3.12.
        self.assertEquals(1, 1)

    def test_newly_deprecated_by_python(self):
        import datetime

        self.assertTrue(datetime.datetime.utcnow())

    def test_clean(self):
        pass
