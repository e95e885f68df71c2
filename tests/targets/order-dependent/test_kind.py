import pathlib
import warnings

import django
from django.test import SimpleTestCase

NEW = django.VERSION >= (5,)
DATA = pathlib.Path(__file__).with_name("data.txt")


def old():
    if NEW:
        warnings.warn("old", DeprecationWarning)


class FailsAfterAnother(SimpleTestCase):
    left = []

    def test_1_leaves_something(self):
        if NEW:
            self.left.append(1)

    def test_2_finds_something(self):
        self.assertEqual(self.left, [])


class NeedsAnother(SimpleTestCase):
    done = []

    def test_1_prepares(self):
        self.done.append(1)

    def test_2_needs_it_and_warns(self):
        old()
        self.assertEqual(self.done, [1])


class WarnsBeforeItFails(SimpleTestCase):
    left = []

    def test_1_leaves_something(self):
        if NEW:
            self.left.append(1)

    def test_2_warns_and_finds_something(self):
        old()
        self.assertEqual(self.left, [])


class DeletesWhatItNeeds(SimpleTestCase):
    def test_1_reads_and_warns(self):
        old()
        self.assertEqual(DATA.read_text(), "kept\n")

    def test_2_deletes(self):
        DATA.unlink()
