import os
import pathlib
import subprocess
import sys

from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_leaves_a_process(self):
        self.leave("left.pid")

    def test_leaves_a_process_in_a_session_of_its_own(self):
        self.leave("session.pid", start_new_session=True)

    def leave(self, name, **options):
        # It holds the suite's output open; LEFT_BEHIND names the folder of the file with its id.
        argv = [sys.executable, "-c", "import time; time.sleep(120)"]
        child = subprocess.Popen(argv, **options)
        if "LEFT_BEHIND" in os.environ:
            pathlib.Path(os.environ["LEFT_BEHIND"], name).write_text(str(child.pid))
        # Without this, Popen warns of a child that still runs when it is collected.
        child.returncode = 0
