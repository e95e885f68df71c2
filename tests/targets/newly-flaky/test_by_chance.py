import os
import pathlib

import django
from django.test import SimpleTestCase


class Chance(SimpleTestCase):
    def test_by_chance(self):
        # Made-up chance: after the hop both passes of the suite fail, then every other run.
        # The count is kept where runs of a cell can share it: FLAKY_COUNTER names the file.
        counter = pathlib.Path(os.environ.get("FLAKY_COUNTER", "counter.txt"))
        runs = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(runs + 1))
        if django.VERSION >= (5,):
            self.assertTrue(runs >= 2 and runs % 2 == 0, "bad luck")

    def test_steady(self):
        pass
