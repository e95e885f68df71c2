"""Suites that are badly off, or that behave badly: what djhop says of them, and what stays.

What hangs, and what leaves processes behind, are targets: `hang`, `background-process`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import djhop_cli
import pytest
from djhop_cli import Done

CELLS = ("py3.12-django4.2", "py3.12-django5.2")
HOP = {"from": "4.2", "to": "5.2", "steps": ["4.2", "5.2"], "python": "3.12"}
SUITES = {"pytest": ["pytest"], "django": ["manage.py", "test"]}
MANAGE = """
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
execute_from_command_line(sys.argv)
"""
TESTS = """
from django.contrib.auth.models import Group
from django.test import TestCase

class Groups(TestCase):
    def test_a_group(self):
        Group.objects.create(name="a")
"""
REFUSED = """
SECRET_KEY = "not a secret"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "127.0.0.1", "PORT": "1",
}}
"""
SQLITE = """
import os
SECRET_KEY = os.environ["SHOP_SECRET"]
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
"""
SECRET = {"SHOP_SECRET": "not a secret"}

pytestmark = [
    pytest.mark.needs_python("3.12"),
    pytest.mark.parametrize("test", SUITES.values(), ids=SUITES),
]
Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, shared: Path) -> Run:
    def go(settings: str, tests: str, *options: str, override: str = "", **more: Any) -> Done:
        target = tmp_path / "shop"
        target.mkdir()
        files = {"settings.py": settings, "test_shop.py": tests, "manage.py": MANAGE}
        files["pytest.ini"] = "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n"
        files["requirements.txt"] = "Django\npsycopg2-binary\npytest-django\n"
        for name, text in files.items():
            (target / name).write_text(text)
        matrix = djhop_cli.matrix_file(tmp_path / "matrix.toml", {**HOP, **more})
        matrix.write_text(matrix.read_text() + override)
        return djhop_cli.run(
            target,
            matrix,
            cache=shared / "djhop-services",
            out=tmp_path / "reports",
            options=options,
        )

    return go


def statuses(done: Done) -> set[str]:
    return {cell["status"] for cell in done.cells.values()}


def test_a_variable_that_is_missing(run: Run, test: list[str]) -> None:
    done = run(SQLITE, TESTS, test=test)
    assert statuses(done) == {"uncollectable"}
    assert done.run["hops"][0]["verdict"] == "unknown"
    assert done.returncode == 4
    assert {cause["owner"]["kind"] for cause in done.run["causes"]} == {"environment"}
    assert "SHOP_SECRET" in done.run["causes"][0]["message"]


def test_a_database_that_refuses(run: Run, test: list[str]) -> None:
    done = run(REFUSED, TESTS, test=test)
    assert statuses(done) == {"infra"}
    assert done.run["hops"][0]["verdict"] == "unknown"
    assert done.returncode == 4
    for cell in done.cells.values():
        assert cell["reason"].startswith("no test passed, for want of a service: ")
        assert "Connection refused" in cell["reason"]


AFTER = f"""
{SQLITE}
if os.environ.get("REFUSED"):
    DATABASES = {{"default": {{
        "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "127.0.0.1", "PORT": "1",
    }}}}
"""
ALONE = """
from django.test import SimpleTestCase

class Alone(SimpleTestCase):
    def test_alone(self):
        pass
"""


def test_a_database_that_refuses_after_the_hop_alone(run: Run, test: list[str]) -> None:
    """Where the runner lets tests run that need none, those pass; the hop breaks nothing."""
    override = '[[override]]\ncells = "django5.2"\nset-env = { REFUSED = "1" }\n'
    done = run(AFTER, TESTS + ALONE, test=test, override=override, **{"set-env": SECRET})
    assert done.cells[CELLS[0]]["status"] == "passed"
    assert done.cells[CELLS[1]]["status"] == ("failed" if test == ["pytest"] else "infra")
    hop = done.run["hops"][0]
    assert (hop["verdict"], hop["broke"], hop["vanished"]) == ("unknown", [], [])
    assert hop["unserved"] == (["test_shop.py::Groups::test_a_group"] if test == ["pytest"] else [])
    assert done.returncode == 4


MOVES = """
import os, shutil, subprocess, sys, tempfile, unittest

class A(unittest.TestCase):
    def test_a_moves_and_forgets(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open(os.environ["PIDS"], "a") as file:
            file.write("%d " % child.pid)
        gone = tempfile.mkdtemp()
        os.chdir(gone)
        shutil.rmtree(gone)
        os.environ.clear()
        os.environ["HOME"] = "/nowhere"
        sys.path[:] = [path for path in sys.path if path]

    def test_b_is_still_seen(self):
        pass
"""


def test_a_suite_that_changes_its_directory_and_its_environment(
    run: Run, test: list[str], tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    env = {**SECRET, "PIDS": str(pids)}
    done = run(SQLITE, MOVES, "--cells", CELLS[1], test=test, **{"set-env": env})
    cell = done.cells[CELLS[1]]
    found = {
        one["id"].replace("::", ".").rpartition(".")[2]: one["strict"] for one in cell["tests"]
    }
    assert found == {"test_a_moves_and_forgets": "passed", "test_b_is_still_seen": "passed"}
    assert (cell["status"], done.returncode) == ("passed", 0)
    assert cell["coverage"] is not None
    (child,) = pids.read_text().split()
    assert not running(child)


def running(pid: str) -> bool:
    try:
        return b"time.sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
