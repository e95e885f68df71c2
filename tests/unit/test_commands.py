"""What commands make of a matrix."""

import os
import signal
from pathlib import Path

import click
import pytest

from djhop import cli
from djhop.arguments.options import DURATION
from djhop.commands.running import _cells_at_a_time
from djhop.commands.setting_up import _demo_or, interruptible
from djhop.matrix.config import Matrix
from djhop.processes.process import Spawner


@pytest.mark.parametrize(
    ("matrix", "jobs"),
    [
        (Matrix(), 8),
        (Matrix(jobs=3), 3),
        (Matrix(isolate=False), 1),
        (Matrix(isolate=False, jobs=3), 3),
    ],
)
def test_cells_that_share_databases_run_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, matrix: Matrix, jobs: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert _cells_at_a_time(matrix) == jobs


@pytest.mark.parametrize(
    ("text", "wanted"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)]
)
def test_durations(text: str, wanted: float) -> None:
    assert DURATION.convert(text, None, None) == wanted


@pytest.mark.parametrize("text", ["", "0", "0m", "ten", "-1m", "10d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a duration, as 90s, 10m and 1h are"):
        DURATION.convert(text, None, None)


def test_the_demo_is_the_project_that_ships_inside_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (Path(_demo_or("demo")) / "manage.py").is_file()
    (tmp_path / "demo").mkdir()
    assert _demo_or("demo") == "demo"


def test_what_ends_djhop_politely_raises_while_it_runs_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []

    def boundary(argv: list[str]) -> int:
        seen.extend(map(signal.getsignal, (signal.SIGTERM, signal.SIGHUP)))
        return 0

    monkeypatch.setattr(cli, "_boundary", boundary)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with pytest.raises(SystemExit):
            cli.main(["run"])
        assert seen == [signal.default_int_handler, signal.SIG_IGN]
        with interruptible(Spawner()):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
