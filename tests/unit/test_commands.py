"""What commands make of a matrix."""

import os
from pathlib import Path

import pytest

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


def test_the_demo_is_the_project_that_ships_inside_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (Path(_demo_or("demo")) / "manage.py").is_file()
    (tmp_path / "demo").mkdir()
    assert _demo_or("demo") == "demo"
