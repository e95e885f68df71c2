import os
import pathlib

import django
from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_flaky_then_broken(self):
        self.assertLess(django.VERSION, (5,), "really broken")
        # The count is kept where runs can share it: FLAKY_COUNTER names the file.
        counter = pathlib.Path(os.environ.get("FLAKY_COUNTER", "counter.txt"))
        runs = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(runs + 1))
        self.assertEqual(runs % 2, 1)

    def test_steady(self):
        pass
