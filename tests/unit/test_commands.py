"""What commands make of a matrix."""

import os
from pathlib import Path

import click
import pytest

from djhop.arguments.options import DURATION
from djhop.commands.running import _cells_at_a_time
from djhop.commands.setting_up import _demo_or
from djhop.matrix.config import Matrix


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
