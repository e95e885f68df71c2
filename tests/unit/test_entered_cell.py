"""In which run `djhop exec` and `djhop shell` look for a cell, also while another run goes on."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from djhop.commands import entering
from djhop.errors import UsageError
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.results import CellResult
from djhop.store import record, store
from djhop.store.store import RunFolder
from djhop.target.target import Target

NOW = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
PLAN = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(Hop(before=OLD, after=NEW, axis="django"),))


def begun(out: Path, nth: int, *seen: Cell, root: str = "/shop") -> RunFolder:
    """A run that has come to these cells."""
    folder = store.create(out, f"night {nth}", now=NOW + datetime.timedelta(hours=nth))
    target = Target(root=root, name="shop", sources=(), django="4.2")
    folder.write_run(record.begin(folder.name, target, Matrix(name="lts"), PLAN, started=NOW))
    for cell in seen:
        folder.write_cell(
            CellResult(id=cell.id, django=cell.django, python=cell.python, status="passed")
        )
    store.mark_latest(folder)
    return folder


def found(out: Path, run: str = "latest") -> str:
    folder, cell = entering._cell("django5.2", run, out)
    assert cell == NEW
    return folder.name


def test_the_latest_run_where_it_has_the_cell(tmp_path: Path) -> None:
    begun(tmp_path, 1, OLD, NEW)
    latest = begun(tmp_path, 2, NEW)
    assert found(tmp_path) == latest.name


def test_while_a_run_goes_on_the_newest_one_that_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(tmp_path, 1, OLD, NEW)
    newest = begun(tmp_path, 2, OLD, NEW)
    begun(tmp_path, 3, OLD, NEW, root="/another")
    going = begun(tmp_path, 4, OLD)
    assert found(tmp_path) == newest.name
    assert f"{NEW.id} as in {newest.name}: not yet in {going.name}" in capsys.readouterr().err


def test_a_run_that_is_named_is_the_one(tmp_path: Path) -> None:
    begun(tmp_path, 1, OLD, NEW)
    going = begun(tmp_path, 2, OLD)
    with pytest.raises(UsageError) as caught:
        found(tmp_path, going.name)
    assert str(caught.value) == f"nothing is known of {NEW.id} in {going.name}"


def test_none_has_it(tmp_path: Path) -> None:
    begun(tmp_path, 1, OLD)
    with pytest.raises(UsageError, match="nothing is known"):
        found(tmp_path)
