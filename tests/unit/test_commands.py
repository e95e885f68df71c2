"""What commands make of a matrix."""

import os

import pytest

from djhop.commands.running import _cells_at_a_time
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
