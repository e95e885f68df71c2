"""`djhop fix` as a user runs it; git, and Django's own runner by itself, say whether it is so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import djhop_cli
import oracle
import pytest

TARGETS = Path(oracle.__file__).parent / "targets"
OLD, NEW = "py3.12-django4.2", "py3.12-django5.2"

pytestmark = pytest.mark.needs_python("3.12")


def git(root: Path, *words: str) -> str:
    named = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *named, *words], cwd=root, capture_output=True, check=True)
    return done.stdout.decode()


def fix(out: Path, cache: Path, *options: str) -> tuple[int, str, str]:
    argv = [sys.executable, "-m", "djhop", "fix", "--out", str(out), *options]
    env = {**os.environ, "DJHOP_CACHE": str(cache), "PYTHONPATH": str(djhop_cli.SRC)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    return done.returncode, done.stdout, done.stderr


def plainly(python: Path, target: Path, tests: Sequence[str] = ()) -> str:
    """The last line of Django's own runner."""
    argv = [str(python), "manage.py", "test", *tests]
    done = subprocess.run(argv, cwd=target, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1]


def test_a_dead_run_comes_back_and_the_patch_is_applied(shared: Path, tmp_path: Path) -> None:
    target = tmp_path / "shop" / "backend"
    shutil.copytree(TARGETS / "dead-urlconf", target)
    (target / "hidden.py").write_text("from django.utils.timezone import utc\n\nZONE = utc\n")
    (target / "test_more.py").write_text(
        "from django.test import SimpleTestCase\n\n\n"
        "class More(SimpleTestCase):\n"
        "    def test_hidden(self):\n"
        "        import hidden\n\n"
        "        assert hidden.__name__\n\n"
        "    def test_no_fixer_knows(self):\n"
        "        from django.core.files.storage import get_storage_class\n\n"
        "        assert get_storage_class\n"
    )
    git(target.parent, "init", "-q")
    git(target.parent, "add", "-A")
    git(target.parent, "commit", "-qm", "all")
    settings = {"from": "4.2", "to": "5.2", "steps": ["4.2", "5.2"], "python": "3.12"}
    matrix = djhop_cli.matrix_file(tmp_path / "m.toml", {**settings, "test": ["manage.py", "test"]})
    cache, out = shared / "djhop", tmp_path / "reports"
    done = djhop_cli.run(target, matrix, cache=cache, out=out)
    assert done.hop(OLD, NEW)["verdict"] == "breaks"

    code, printed, said = fix(out, cache, "--try", "--json")
    assert git(target, "status", "--porcelain") == ""
    (found,) = json.loads(printed)
    assert (code, found["behind"], found["repaired"], found["kept"]) == (1, 4, 3, True), said
    assert [one["path"] for one in found["changed"]] == ["hidden.py", "urls.py"]
    assert ["get_storage_class" in one["message"] for one in found["next"]] == [True]
    report = (done.folder / "report.txt").read_text()
    assert "django-upgrade repairs 3 of 4 tests: djhop fix --write" in " ".join(report.split())

    (target / "settings.py").write_text((target / "settings.py").read_text() + "\n# changed\n")
    code, _, said = fix(out, cache, "--write")
    assert (code, "is not clean" in said) == (2, True)
    code, _, said = fix(out, cache, "--try")
    assert (code, "is not what" in said) == (2, True)
    git(target, "checkout", "-q", "settings.py")

    code, _, said = fix(out, cache, "--write")
    assert (code, git(target, "status", "--porcelain").split()) == (
        0,
        ["M", "backend/hidden.py", "M", "backend/urls.py"],
    ), said
    assert plainly(done.python(OLD), target) == "OK"
    assert plainly(done.python(NEW), target) == "FAILED (errors=1)"
    assert plainly(done.python(NEW), target, ["test_kind", "test_more.More.test_hidden"]) == "OK"
