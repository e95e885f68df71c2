"""Folders that settings name outside of the project: each cell has its own in their place."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import djhop_cli
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.needs_python("3.12")]

SETTINGS = """
import django
from pathlib import Path
SECRET_KEY = "x"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
MEDIA_ROOT = {outside!r} + "/media"
STATIC_ROOT = Path("static")
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": {outside!r} + "/cache",
    }},
    "memory": {{
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "/not/a/path",
    }},
}}
if django.VERSION >= (4, 2):
    STORAGES = {{
        "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
        "other": {{
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {{"location": Path({outside!r}, "other")}},
        }},
    }}
"""
TESTS = """
import os
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.test import SimpleTestCase

class Places(SimpleTestCase):
    def test_what_was_there_is_found(self):
        with default_storage.open("found.txt") as file:
            self.assertEqual(file.read(), b"found")

    def test_media(self):
        self.assertEqual(default_storage.save("a.txt", ContentFile(b"a")), "a.txt")

    def test_another_storage(self):
        self.assertEqual(storages["other"].save("a.txt", ContentFile(b"a")), "a.txt")

    def test_cache(self):
        self.assertIsNone(cache.get("a"))
        cache.set("a", 1)

    def test_what_is_no_path_outside_is_as_it_was(self):
        self.assertEqual(str(settings.STATIC_ROOT), "static")
        self.assertEqual(settings.CACHES["memory"]["LOCATION"], "/not/a/path")
"""
MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop_settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
# Django hands out classes: of one only, no worker would be started.
SPAWNING = f"""
from unittest import TestCase
class Other(TestCase):
    def test_something(self):
        pass
if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("spawn", force=True)
{textwrap.indent(MANAGE, "    ")}
"""


def run(
    tmp_path: Path, shared: Path, manage: str = MANAGE, **settings: Any
) -> tuple[djhop_cli.Done, Path]:
    outside, target = tmp_path / "outside", tmp_path / "shop"
    (outside / "media").mkdir(parents=True)
    (outside / "media" / "found.txt").write_text("found")
    target.mkdir()
    (target / "shop_settings.py").write_text(SETTINGS.format(outside=str(outside)))
    (target / "manage.py").write_text(manage)
    (target / "tests.py").write_text(TESTS)
    (target / "requirements.txt").write_text("django~=5.2.0\n")
    matrix = djhop_cli.matrix_file(
        tmp_path / "matrix.toml",
        {"from": "5.1", "to": "5.2", "python": "3.12", "jobs": 2, **settings},
    )
    done = djhop_cli.run(target, matrix, cache=shared / "djhop", out=tmp_path / "reports")
    return done, outside


def test_cells_do_not_meet_in_folders_outside(tmp_path: Path, shared: Path) -> None:
    done, outside = run(tmp_path, shared)
    assert done.returncode == 0, done.said
    assert sorted(path.name for path in outside.rglob("*")) == ["found.txt", "media"]
    for cell in done.cells.values():
        assert cell["status"] == "passed"
        moved = sorted(note.split()[0] for note in cell["notes"] if "other cells share" in note)
        assert moved == [
            *("CACHES['default'].LOCATION", "MEDIA_ROOT", "STORAGES['other'].OPTIONS.location"),
        ]


def test_workers_that_are_started_afresh_do_not_meet_there_either(
    tmp_path: Path, shared: Path
) -> None:
    command = ["manage.py", "test", "--parallel", "2", "tests", "manage"]
    done, outside = run(tmp_path, shared, manage=SPAWNING, test=command, timeout=60)
    assert done.returncode == 0, done.said
    assert sorted(path.name for path in outside.rglob("*")) == ["found.txt", "media"]


def test_isolation_can_be_switched_off(tmp_path: Path, shared: Path) -> None:
    done, outside = run(tmp_path, shared, isolate=False, jobs=1)
    assert sorted(path.name for path in outside.iterdir()) == ["cache", "media", "other"]
    # Which is why it is on: the second cell meets what the first has left.
    assert done.returncode == 1
