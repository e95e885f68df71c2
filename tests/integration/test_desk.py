"""One hop at the desk, with real cells: what runs, what is kept, and who enters a cell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.needs_python("3.12")

OLD, NEW = "py3.12-django4.2", "py3.12-django5.2"
#: Variables of the test session that would steer the djhop under test.
OURS = re.compile(r"PYTEST_|COV|DJHOP_|NO_COLOR|FORCE_COLOR|CI$|DJANGO_|COLUMNS|NOX")
FILES = {
    "requirements.txt": "Django==4.2.30\n",
    "settings.py": 'SECRET_KEY = "s"\nUSE_TZ = True\n',
    "djhop.toml": 'python = "3.12"\ntest = ["manage.py", "test"]\nflaky = { reruns = 0 }\n',
    "manage.py": (
        "import os, sys\n"
        "from django.core.management import execute_from_command_line\n"
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'
        "execute_from_command_line(sys.argv)\n"
    ),
    "shop.py": "from django.utils.timezone import utc\n\n\ndef zone():\n    return utc\n",
    "test_shop.py": (
        "from django.test import SimpleTestCase\n\n\n"
        "class Shop(SimpleTestCase):\n"
        "    def test_zone(self):\n"
        "        from shop import zone\n\n"
        '        self.assertEqual(str(zone()), "UTC")\n\n'
        "    def test_sum(self):\n"
        "        self.assertEqual(1 + 1, 2)\n"
    ),
}


def start(cwd: Path, cache: Path, *words: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-m", "djhop", *words],
        cwd=cwd,
        env={**clean, "DJHOP_CACHE": str(cache)},
        text=True,
        **pipes,
    )


def djhop(cwd: Path, cache: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    with start(cwd, cache, *words) as process:
        out, err = process.communicate(typed, timeout=180)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    return tmp_path


def cells(shop: Path) -> dict[str, dict[str, Any]]:
    """What the latest run says of each cell, without how long it took."""
    found = (shop / "reports" / "latest" / "cells").glob("*/cell.json")
    read = [json.loads(path.read_text()) for path in found]
    return {cell["id"]: {**cell, "seconds": {}} for cell in read}


def untimed(cell: dict[str, Any]) -> dict[str, Any]:
    text = re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0', json.dumps(cell))
    found: dict[str, Any] = json.loads(text)
    found["notes"] = [note for note in found["notes"] if "from the cache" not in note]
    return found


def test_work_on_a_hop(shop: Path, shared: Path) -> None:
    """Red; then repaired, against what is deployed; then not run again; then entered."""

    def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return djhop(shop, shared / "djhop-cli-cache", *words, **more)

    none = run("exec", "django5.2", "--", "true")
    assert (none.returncode, "no run" in none.stderr) == (2, True), none.stderr

    narrowed = ("hop", "4.2", "5.2", "--before-rev", "main", "--", "test_shop.Shop.test_zone")
    red = run(*narrowed)
    assert (red.returncode, "breaks 1 test" in red.stdout) == (1, True), red.stderr
    assert [step for cell in cells(shop).values() for step in cell["steps"]] == []

    # Both are of one revision as yet; what is repaired is held against that which is deployed.
    (shop / "shop.py").write_text(
        "from datetime import timezone\n\n\ndef zone():\n    return timezone.utc\n"
    )
    green = run(*narrowed)
    first = cells(shop)
    assert (green.returncode, first[NEW]["status"]) == (0, "passed"), green.stderr
    # It has passed before the hop at that revision, and nothing of it has changed since.
    assert (first[OLD]["status"], "from the cache" in str(first[OLD]["notes"])) == (
        "deprecated",
        True,
    )
    assert f"{OLD} has the code and tests of main" in green.stderr
    assert f"{OLD} is from the cache, of" in green.stderr
    report = (shop / "reports" / "latest" / "report.txt").read_text()
    assert f"{OLD}: code and tests of main" in " ".join(report.split())
    assert "predicted" not in report

    plain = ("hop", "4.2", "5.2", "--", "test_shop.Shop.test_zone")
    again = run(*plain)
    kept = cells(shop)
    assert (again.returncode, kept[OLD]["status"]) == (0, "not-run"), again.stderr
    assert "1 test passes on Django 5.2, strictly too" in again.stdout
    assert "from the cache" in str(kept[NEW]["notes"])
    assert "from the cache" not in str(first[NEW]["notes"])
    assert untimed(kept[NEW]) == untimed(first[NEW])

    code = "import os, sys, django, shop; print(django.VERSION[:2], os.getcwd()); sys.exit(7)"
    done = run("exec", "django4.2", "--", "python", "-c", code)
    assert (done.returncode, done.stdout.split(" /")[0]) == (7, "(4, 2)"), done.stderr
    assert str(shop) not in done.stdout
    shell = run("shell", "py3.12-django5", typed="python manage.py version\nexit 3\n")
    assert (shell.returncode, shell.stdout[:4]) == (3, "5.2."), shell.stderr
    assert "is not in" not in shell.stderr

    watch = start(shop, shared / "djhop-cli-cache", *plain[:3], "--watch", *plain[3:])
    try:
        assert watch.stderr is not None
        assert told(watch.stderr, "waiting")[-2:] == ["not-run", "waiting"]  # from the cache
        (shop / "shop.py").write_text(FILES["shop.py"])
        assert told(watch.stderr, "waiting")[0] == "shop.py"
    finally:
        watch.send_signal(signal.SIGINT)
    out, _ = watch.communicate(timeout=60)
    assert (watch.returncode, "test_shop.Shop.test_zone" in out) == (1, True)


def told(lines: Iterable[str], last: str) -> list[str]:
    """Read lines up to one that says `last`; return a word of each that is of interest."""
    words = ("waiting", "not-run", "shop.py")
    found: list[str] = []
    for line in lines:
        found += [word for word in words if word in line]
        if last in line:
            break
    return found
