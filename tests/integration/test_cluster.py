"""Cells on a Dask cluster: a scheduler and two workers, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import djhop_cli
import pytest
from djhop_cli import SRC

#: A suite that says that it has begun, and takes a while.
SUITE = """\
import time
from pathlib import Path

from django.test import SimpleTestCase


class Slow(SimpleTestCase):
    def test_it_takes_a_while(self):
        Path("{marks}", str(time.time_ns())).touch()
        time.sleep(6)
"""


def started(*words: str, log: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        return subprocess.Popen(command, stdout=file, stderr=file, env=env)


@contextlib.contextmanager
def cluster(folder: Path, cache: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler with two workers, of one thread each; ended in the end."""
    env = {**os.environ, "PYTHONPATH": str(SRC), "DJHOP_CACHE": str(cache)}
    log = folder / "scheduler.txt"
    words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    all_ = [started("dask_scheduler", *words, log=log, env=env)]
    try:
        address = waited(lambda: re.search(r"tcp://([\d.]+:\d+)", log.read_text()))[1]
        for number in (1, 2):
            words = (f"tcp://{address}", "--nthreads", "1", "--no-nanny", "--no-dashboard")
            at = folder / f"worker{number}.txt"
            all_.append(started("dask_worker", *words, log=at, env=env))
            waited(lambda at=at: "Registered to" in at.read_text())
        yield f"dask://{address}", all_[1:]
    finally:
        for one in all_:
            one.kill()
            one.wait()


def waited(what, seconds: float = 60.0):  # type: ignore[no-untyped-def]
    """Wait until something is so; return it."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)
    return found


@pytest.mark.slow
@pytest.mark.needs_python("3.12")
def test_a_cell_whose_worker_is_killed_runs_again_on_the_other(
    shared: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    root, marks = tmp_path / "shop", tmp_path / "marks"
    (root / "tests").mkdir(parents=True)
    marks.mkdir()
    (root / "requirements.txt").write_text("Django\n")
    (root / "settings.py").write_text("SECRET_KEY = 'x'\nINSTALLED_APPS = []\nUSE_TZ = True\n")
    (root / "manage.py").write_text(
        "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)\n"
    )
    (root / "tests" / "__init__.py").touch()
    (root / "tests" / "test_slow.py").write_text(SUITE.format(marks=marks))
    matrix = djhop_cli.matrix_file(
        tmp_path / "two.toml", {"steps": ["5.1", "5.2"], "python": "3.12"}
    )
    out = tmp_path / "out"
    with cluster(tmp_path, shared / "cache") as (address, workers):
        words = ["run", root, "--matrix", matrix, "--out", out, "--executor", address, "-q"]
        running = subprocess.Popen(
            [sys.executable, "-m", "djhop", *map(str, words)],
            env={**os.environ, "PYTHONPATH": str(SRC), "DJHOP_CACHE": str(shared / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        waited(lambda: len([*marks.iterdir()]) == 2, 240.0)  # both cells are at work
        workers[0].send_signal(signal.SIGKILL)
        said, _ = running.communicate(timeout=300)
    done = djhop_cli.load(out / "latest", returncode=running.returncode, said=said.decode())
    assert running.returncode == 0, done.said
    assert [cell["status"] for cell in done.run["cells"]] == ["passed", "passed"]
    assert [hop["verdict"] for hop in done.run["hops"]] == ["clean"]
    # Two cells that began, and the one that began again.
    assert len([*marks.iterdir()]) == 3


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "manage.py").write_text("import django\n")
    (tmp_path / "requirements.txt").write_text("Django==5.2\n")
    (tmp_path / "djhop.toml").write_text('test = ["pytest"]\n')
    for address, code, said in (
        ("dask://127.0.0.1:1", 4, "no scheduler answers"),
        ("slurm://x", 2, "is no cluster"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "djhop", "run", str(tmp_path), "--executor", address, "-q"],
            env={**os.environ, "PYTHONPATH": str(SRC), "DJHOP_CACHE": str(tmp_path / "cache")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
