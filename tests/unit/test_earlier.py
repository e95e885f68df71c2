"""What an earlier run of the same matrix tells of how long cells and hops take."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import msgspec

from djhop import earlier
from djhop.estimate import Expected
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.reruns import Reruns
from djhop.results.steps import Crossing, Step
from djhop.store import record
from djhop.store.record import Run, RunCell
from djhop.store.store import RunFolder
from djhop.target.target import Target

CELLS = (Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12"))
HOP = Hop(before=CELLS[0], after=CELLS[1], axis="django")
PLAN = Plan(cells=CELLS, path=CELLS, hops=(HOP,))
OLD, NEW = (cell.id for cell in CELLS)


def begun(matrix: Matrix | None = None, **changes: Any) -> Run:
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    target = Target(name="shop", root="/home/me/shop", sources=(), django="4.2")
    run = record.begin("new", target, matrix or Matrix(), PLAN, started=now)
    return msgspec.structs.replace(run, **changes)


def kept(out: Path, name: str, seconds: float, **changes: Any) -> RunFolder:
    """A finished run on disk whose cells took `seconds` in each of two stages."""
    stages = {"strict": seconds, "checks": seconds}
    cells = tuple(
        RunCell(id=c.id, django=c.django, python=c.python, status="passed", ran=30, seconds=stages)
        for c in CELLS
    )
    folder = RunFolder(out / name)
    folder.path.mkdir(parents=True)
    run = {"name": name, "cells": cells, "complete": True, **changes}
    folder.write_run(msgspec.structs.replace(begun(), **run))
    return folder


def test_nothing_is_expected_where_there_was_no_run(tmp_path: Path) -> None:
    assert earlier.expected(tmp_path / "nowhere", begun()) == {}


def test_cells_and_hops_of_the_newest_finished_run(tmp_path: Path) -> None:
    kept(tmp_path, "1", 50.0)
    folder = kept(tmp_path, "2", 5.0)
    folder.write_reruns(Reruns(before=OLD, after=NEW, seconds=7.0))
    steps = {"upgrade": Step(status="ok", seconds=0.5)}
    folder.write_crossing(Crossing(before=OLD, after=NEW, steps=steps))  # type: ignore[arg-type]
    kept(tmp_path, "3", 90.0, complete=False)
    assert earlier.expected(tmp_path, begun()) == {
        OLD: Expected(seconds=10.0, tests=30),
        NEW: Expected(seconds=10.0, tests=30),
        HOP.id: Expected(seconds=7.5),
    }


def test_other_runs_tell_nothing(tmp_path: Path) -> None:
    kept(tmp_path, "1", 5.0, whole=False)
    kept(tmp_path, "2", 5.0, plan=msgspec.structs.replace(PLAN, cells=CELLS[:1]))
    kept(tmp_path, "3", 5.0, matrix=begun(Matrix(policy="latest")).matrix)
    elsewhere = msgspec.structs.replace(begun().target, root="/elsewhere")
    kept(tmp_path, "4", 5.0, target=elsewhere)
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "run.json").write_text("{")
    assert earlier.expected(tmp_path, begun()) == {}
    kept(tmp_path, "0", 5.0)
    assert earlier.expected(tmp_path, begun())
    assert earlier.expected(tmp_path, begun(whole=False)) == {}


def test_how_many_cells_at_a_time_is_no_other_matrix(tmp_path: Path) -> None:
    kept(tmp_path, "1", 5.0, matrix=begun(Matrix(jobs=1)).matrix)
    assert earlier.expected(tmp_path, begun(Matrix(jobs=2)))
