import os
import pathlib
import subprocess
import sys

from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_leaves_a_process(self):
        # It holds the suite's output open; LEFT_BEHIND names the file that gets its id.
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        if "LEFT_BEHIND" in os.environ:
            pathlib.Path(os.environ["LEFT_BEHIND"]).write_text(str(child.pid))
        # Without this, Popen warns of a child that still runs when it is collected.
        child.returncode = 0
