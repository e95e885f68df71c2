"""The Pythons of this very machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from djhop.interpreters import interpreters

pytestmark = pytest.mark.integration


def query(executable: str) -> str:
    done = subprocess.run(
        interpreters.question(executable), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 else ""


def test_this_machine(tmp_path: Path) -> None:
    asked: list[str] = []

    def count(executable: str) -> str:
        asked.append(executable)
        return query(executable)

    environ = dict(os.environ)
    options = {"environ": environ, "cache": tmp_path, "running": interpreters.own()}
    found = interpreters.find(query=count, **options)
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert own in found
    assert not any("/shims/" in path for path in asked)
    for minor, interpreter in found.items():
        command = [interpreter.path, "-c", "import platform; print(platform.python_version())"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert said.startswith(f"{minor}.")
        assert said.removesuffix("+") == interpreter.release

    asked.clear()
    times = []
    for _ in range(5):
        before = time.perf_counter()
        again = interpreters.find(query=count, **options)
        times.append(time.perf_counter() - before)
        assert again == found
    # What answers nothing is asked again each time; on a sound machine there is no such thing.
    assert not [path for path in asked if query(path)]
    if not asked:
        assert min(times) < 0.02
