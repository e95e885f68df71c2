"""A small target, djhop on it as a user runs it, and what it has left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from waiting import eventually

ROOT = Path(__file__).parents[2]
CELLS = OLD, NEW = "py3.12-django4.2", "py3.12-django5.2"
MATRIX = 'from = "4.2"\nto = "5.2"\npython = "3.12"\nonly = ["tests"]\nflaky = { reruns = 0 }\n'
#: Variables of this session that would steer the djhop under test.
OURS = re.compile(r"PYTEST_|COV|DJHOP_|NO_COLOR|FORCE_COLOR|CI$|DJANGO_|COLUMNS|NOX|PYTHON")
SETTINGS = """\
SECRET_KEY = "not a secret"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
"""
MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""
#: What holds a lock, half an environment or temporary files: nothing of the kind may stay.
HALF = re.compile(
    r"(^|/)(\.building-|\.trash|\.resolving-|\.asking-|\.files-|\.wheels-|\.[^/]+\.\d+(-\d+)?$)"
    r"|\.new$|djhop\.json\.\d+$|^running/."
)


class Site:
    """A folder with a target, a cache, temporary files and reports of its own."""

    def __init__(self, base: Path, tests: str, matrix: str = MATRIX, **files: str) -> None:
        self.base, self.target, self.cache = base, base / "target", base / "cache"
        self.tmp = base / "tmp"
        for folder in (self.target, self.tmp):
            folder.mkdir(parents=True)
        files = {"settings": SETTINGS, "manage": MANAGE, "test_it": tests, **files}
        for name, text in files.items():
            (self.target / f"{name}.py").write_text(text)
        (self.target / "requirements.txt").write_text("django\n")
        (self.target / "djhop.toml").write_text(matrix)

    def start(self, *args: str, out: str = "reports") -> subprocess.Popen[str]:
        """Start djhop; its messages go to a file, as a pipe would have to be read."""
        clean = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        ours = {"DJHOP_CACHE": str(self.cache), "TMPDIR": str(self.tmp)}
        with (self.base / "said.txt").open("w") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "djhop", *args, "--out", str(self.base / out)],
                cwd=self.base,
                env={**clean, **ours, "PYTHONPATH": str(ROOT / "src")},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def said(self) -> str:
        """What the djhop that was started last has said."""
        return (self.base / "said.txt").read_text()

    def run(self, *args: str, out: str = "reports", timeout: float = 180) -> int:
        """Run djhop to its end; return its exit code."""
        process = self.start("run", "target", *args, out=out)
        code = process.wait(timeout)
        said = self.said()
        assert "Traceback" not in said, said
        assert "internal error" not in said, said
        return code

    def run_json(self, out: str = "reports") -> dict[str, Any]:
        return self.json(self.base / out / "latest" / "run.json")

    @staticmethod
    def json(path: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def cell(self, cell: str, out: str = "reports") -> dict[str, Any]:
        return self.json(self.base / out / "latest" / "cells" / cell / "cell.json")

    def processes(self, word: str = "") -> list[int]:
        """Processes that djhop or its children have started for this site."""
        mark, found = os.fsencode(str(self.base)), []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                environ = (path / "environ").read_bytes()
                line = (path / "cmdline").read_bytes()
                state = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            except OSError:
                continue
            ours = mark in environ and b"DJHOP_COMMAND_ID=" in environ
            if ours and state not in "ZX" and word.encode() in line:
                found.append(int(path.name))
        return sorted(found)

    def half_made(self) -> list[str]:
        """Files that a djhop which has ended should not have left."""
        found = [str(path.relative_to(self.tmp)) for path in self.tmp.rglob("*")]
        for top in (self.cache, self.base / "reports"):
            for path in _walk(top):
                if HALF.search(name := str(path.relative_to(top))):
                    found.append(name)
        return found

    def left_behind(self, seconds: float = 5.0) -> list[str]:
        """What is left of a djhop that has ended; what is about to end may do so."""
        eventually(lambda: not self.processes(), seconds)
        return [f"process {pid}: {line(pid)}" for pid in self.processes()] + self.half_made()


def _walk(top: Path) -> Iterator[Path]:
    """Every path below, but for what is a copy of a target or an installed package."""
    for folder, names, files in os.walk(top):
        names[:] = [name for name in names if name not in ("tree", "site-packages", "bytecode")]
        yield from (Path(folder, name) for name in (*names, *files))


def line(pid: int) -> str:
    """The command line of a process."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return "ended"


def kill(pids: list[int]) -> None:
    """End processes of ours at once."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def told(run: dict[str, Any], cells: list[dict[str, Any]]) -> dict[str, Any]:
    """What a run found, without what says when, where and how long."""
    names = ("id", "status", "ran", "failing", "counts", "coverage", "reason")
    return {
        "cells": [{name: cell[name] for name in names} for cell in run["cells"]],
        "hops": [{**hop, "reruns": {**(hop["reruns"] or {}), "seconds": 0}} for hop in run["hops"]],
        "causes": run["causes"],
        "tests": [
            [
                {key: value for key, value in test.items() if key != "seconds"}
                for test in cell["tests"]
            ]
            for cell in cells
        ],
    }


def pause(seconds: float) -> None:
    time.sleep(max(0.0, seconds))
