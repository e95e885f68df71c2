"""`djhop ready` on a project in whose way nothing is: real cells, real steps, real queries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import djhop_cli
import pytest
from djhop_cli import SRC

pytestmark = [pytest.mark.integration, pytest.mark.needs_python("3.12")]

FILES = {
    "requirements.txt": "Django~=4.2.0\n",
    "manage.py": """
        import os, sys
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """,
    "settings.py": """
        SECRET_KEY = "not a secret, but long enough for Django's own checks of it"
        INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "people"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        USE_TZ = True
    """,
    "people/__init__.py": "",
    "people/tests.py": """
        import django
        from django.contrib.auth.models import Group
        from django.db import connection
        from django.test import TestCase

        class Counted(TestCase):
            def test_three(self):
                with self.assertNumQueries(3):
                    for _ in range(3):
                        list(Group.objects.all())

            def test_none(self):
                self.assertEqual(connection.execute_wrappers, [])

            def test_one_more_on_the_newer(self):
                for _ in range(2 if django.VERSION > (5,) else 1):
                    list(Group.objects.all())
    """,
    "matrix.toml": """
        from = "4.2"
        to = "5.2"
        python = "3.12"
        steps = ["4.2", "5.2"]
        [ready]
        performance = 0
    """,
}
BEFORE, AFTER = "py3.12-django4.2", "py3.12-django5.2"


def lay(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        path.write_text("".join(f"{line[indent:]}\n" for line in lines))
    return folder


def ready(out: Path, cache: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """What `djhop ready` ends with, and its answer."""
    command = [sys.executable, "-m", "djhop", "ready", "--out", str(out), "--json", *words]
    env = os.environ | {"DJHOP_CACHE": str(cache), "PYTHONPATH": str(SRC)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def gates(answer: dict[str, Any]) -> dict[str, str]:
    return {gate["name"]: gate["state"] for gate in answer["gates"]}


def test_a_clean_project_is_ready(shared: Path, tmp_path: Path) -> None:
    target, cache, out = lay(tmp_path / "people"), shared / "djhop", tmp_path / "reports"
    done = djhop_cli.run(target, target / "matrix.toml", cache=cache, out=out)
    assert done.returncode == 0, done.said
    for cell, more in ((BEFORE, 1), (AFTER, 2)):
        counted = {name: test["queries"] for name, test in done.tests(cell).items()}
        assert counted == {
            "people.tests.Counted.test_three": {"default": 3},
            "people.tests.Counted.test_none": None,
            "people.tests.Counted.test_one_more_on_the_newer": {"default": more},
        }
    code, answer = ready(out, cache, "--to", "5.2", "--by", "2026-11-21")
    met = dict.fromkeys(gates(answer), "met")
    assert gates(answer) == met | {"queries": "condition", "performance": "told"}
    assert (code, answer["verdict"]) == (6, "ready with conditions")
    (target / "gates.toml").write_text('[ready]\nperformance = 0\nqueries = "told"\n')
    code, answer = ready(out, cache, "--to", "5.2", "--gates", str(target / "gates.toml"))
    assert (code, answer["verdict"]) == (0, "ready"), answer["said"]
    code, answer = ready(out, cache, "--to", "6.0")
    assert (code, answer["verdict"]) == (4, "unknown")


@pytest.mark.slow
def test_the_demo_is_not_ready_and_the_page_says_why(shared: Path, tmp_path: Path) -> None:
    """Four tests break on 4.2 → 5.0, for two causes in its own code, one fixed by a fixer."""
    cache, out = shared / "djhop", tmp_path / "reports"
    command = [sys.executable, "-m", "djhop", "run", "--matrix", "demo", "--to", "5.0", "-q",
               "--only", "tests", "--out", str(out)]  # fmt: skip
    env = os.environ | {"DJHOP_CACHE": str(cache), "PYTHONPATH": str(SRC)}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    code, answer = ready(out, cache, "--to", "5.0")
    assert (code, answer["verdict"]) == (1, "not ready")
    states = gates(answer)
    assert (states["suite"], states["checks"], states["performance"]) == ("unmet", *["unknown"] * 2)
    sections = {one["title"]: one["lists"] for one in answer["sections"]}
    assert sections["Who it is up to"][0]["label"] == "your code: 2 causes, 4 tests behind"
    (hop,) = sections["What breaks"]
    assert "4 tests passed before and fail" in hop["label"]
    assert [item.partition(":")[0] for item in hop["items"]] == ["3 tests", "1 test"]
    today = sections["The order of work"][0]
    assert today["label"].startswith("can be written otherwise today: Django 4.2")
    assert "django.utils.timezone.utc was removed in Django 5.0" in today["items"][0]


@pytest.mark.slow
def test_a_suite_is_measured_in_pairs(shared: Path, tmp_path: Path) -> None:
    target, cache, out = lay(tmp_path / "people"), shared / "djhop", tmp_path / "reports"
    path = target / "people" / "tests.py"
    wait = "import time; time.sleep(2 if django.VERSION > (5,) else 0.2)"
    asked = "def test_none(self):\n"
    path.write_text(path.read_text().replace(asked, f"{asked}        {wait}\n"))
    done = djhop_cli.run(target, target / "matrix.toml", cache=cache, out=out)
    assert done.returncode == 0, done.said
    wanted = tmp_path / "gates.toml"
    wanted.write_text("[ready]\npairs = 6\n")
    code, answer = ready(out, cache, "--to", "5.2", "--measure", "--gates", str(wanted))
    assert (code, gates(answer)["performance"]) == (1, "unmet"), answer
    run = json.loads((out / "latest" / "run.json").read_text())
    (found,) = run["performance"]
    assert (found["hop"], len(found["pairs"]), found["reason"]) == (f"{BEFORE}..{AFTER}", 6, "")
    assert found["ratio"]["low"] > 1.05
    assert not (out / "latest" / "hops" / found["hop"] / "performance").exists()
