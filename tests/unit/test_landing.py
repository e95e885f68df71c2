"""Where a run lands: which runs go together, and what a resumed one keeps."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import djhop
from djhop import jobs, landing
from djhop.errors import InfraError, Interrupted
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.processes.process import Spawner
from djhop.results.results import CellResult, Status
from djhop.store import record
from djhop.store.record import Run
from djhop.target.target import Source, Target

NOW = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
PLAN = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(Hop(before=OLD, after=NEW, axis="django"),))
FILES = ("app.py", "tests.py")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    root = tmp_path / "shop"
    root.mkdir()
    for name in FILES:
        (root / name).write_text(name)
        os.utime(root / name, ns=(1, 1))
    return Target(root=str(root), name="shop", sources=(source("django"),))


def source(*requirements: str) -> Source:
    return Source(kind="requirements.txt", path="requirements.txt", requirements=requirements)


def begun(target: Target, *args: str, matrix: Matrix | None = None) -> Run:
    inputs = landing.inputs(target, FILES, args)
    matrix = matrix or Matrix(name="lts")
    return record.begin("lts", target, matrix, PLAN, started=NOW, inputs=inputs)


def test_inputs_differ_where_a_package_or_a_link_leads_elsewhere(
    target: Target, tmp_path: Path
) -> None:
    (tmp_path / "money").mkdir()
    rates = tmp_path / "money" / "rates.py"
    (Path(target.root) / "rates.py").symlink_to(rates)
    needs = msgspec.structs.replace(target, sources=(source(f"money @ {rates.parent.as_uri()}"),))
    linked, needed = set[str](), set[str]()
    for number, text in enumerate(("one", "two"), 1):
        rates.write_text(text)
        os.utime(rates, ns=(number, number))
        linked.add(landing.inputs(target, ("rates.py",), ()))
        needed.add(landing.inputs(needs, FILES, ()))
    assert len(linked) == len(needed) == 2


def test_a_package_that_is_a_folder_here_is_a_change_of_the_project(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No version tells of it, and history would call what it breaks chance."""
    monkeypatch.setattr(jobs.revisions, "head", lambda *_: "c")
    seen = list[tuple[str, str]]()
    for folder, text in (("one", "1"), ("one", "2"), ("two", "2")):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / "rates.py").write_text(text)
        needs = msgspec.structs.replace(target, sources=(source(f"money @ {place.as_uri()}"),))
        seen.append(jobs.state(needs, FILES, Spawner()))
    assert seen[0] != seen[1] == seen[2]


def result(cell: Cell, status: Status) -> CellResult:
    return CellResult(id=cell.id, django=cell.django, python=cell.python, status=status)


def test_inputs_are_the_same_where_nothing_changed(target: Target) -> None:
    assert landing.inputs(target, FILES, ("-k", "a")) == landing.inputs(target, FILES, ("-k", "a"))


@pytest.mark.parametrize("change", ["args", "content", "time", "gone", "requirements", "version"])
def test_inputs_differ_where_the_suite_might(
    target: Target, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, path, args = landing.inputs(target, FILES, ()), Path(target.root, "app.py"), ()
    match change:
        case "args":
            args = ("-k", "refund")
        case "content":
            path.write_text("longer than before")
            os.utime(path, ns=(1, 1))
        case "time":
            os.utime(path, ns=(2, 2))
        case "gone":
            path.unlink()
        case "requirements":
            target = msgspec.structs.replace(target, sources=(source("django", "pillow"),))
        case "version":
            monkeypatch.setattr(djhop, "__version__", "0.0.0")
    assert landing.inputs(target, FILES, args) != before


@pytest.fixture
def hold() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as found:
        yield found


def test_a_run_that_was_cut_short_is_taken_up(
    target: Target, tmp_path: Path, hold: contextlib.ExitStack
) -> None:
    cut = landing.begin(tmp_path / "out", begun(target), now=NOW)
    cut.write_cell(result(OLD, "failed"))
    cut.write_cell(result(NEW, "interrupted"))
    landing.join(tmp_path / "out" / "nox-shop-lts", begun(target))
    resumed = landing.resume(tmp_path / "out", begun(target), hold)
    assert resumed is not None
    folder, kept = resumed
    assert folder.path == cut.path
    # What says nothing about the target is done again.
    assert list(kept) == [OLD.id]


@pytest.mark.parametrize("change", ["complete", "args", "file", "matrix"])
def test_what_is_complete_or_differs_is_not_taken_up(
    target: Target, tmp_path: Path, change: str, hold: contextlib.ExitStack
) -> None:
    cut = landing.begin(tmp_path / "out", begun(target), now=NOW)
    cut.write_cell(result(OLD, "passed"))
    with contextlib.ExitStack() as first:
        assert landing.resume(tmp_path / "out", begun(target), first) is not None
    args, matrix = (), Matrix(name="lts")
    match change:
        case "complete":
            cut.write_run(msgspec.structs.replace(cut.read_run(), complete=True))
        case "args":
            args = ("-x",)
        case "file":
            Path(target.root, "tests.py").write_text("changed since")
        case "matrix":
            matrix = Matrix(name="lts", timeout=1.0)
    assert landing.resume(tmp_path / "out", begun(target, *args, matrix=matrix), hold) is None


def test_a_folder_in_the_place_of_the_mark_is_left_alone(target: Target, tmp_path: Path) -> None:
    mark = tmp_path / "out" / "latest"
    mark.mkdir(parents=True)
    with pytest.raises(InfraError, match="it is a folder") as caught:
        landing.begin(tmp_path / "out", begun(target), now=NOW)
    assert caught.value.hint == f"move {mark} away"
    assert mark.is_dir()


def test_a_run_that_goes_on_is_not_taken_up(
    target: Target, tmp_path: Path, hold: contextlib.ExitStack
) -> None:
    with contextlib.ExitStack() as live:
        landing.begin(tmp_path / "out", begun(target), now=NOW, hold=live)
        assert landing.resume(tmp_path / "out", begun(target), hold) is None
    # Whoever takes it up is alone with it, too.
    assert landing.resume(tmp_path / "out", begun(target), hold) is not None
    with contextlib.ExitStack() as third:
        assert landing.resume(tmp_path / "out", begun(target), third) is None


def test_a_cell_of_a_shared_folder_is_one_djhops_at_a_time(
    target: Target, tmp_path: Path, hold: contextlib.ExitStack
) -> None:
    folder = landing.join(tmp_path / "nox", begun(target))
    with contextlib.ExitStack() as first:
        landing.own(folder, OLD.id, first, lambda: False)
        landing.own(folder, NEW.id, hold, lambda: False)
        with pytest.raises(Interrupted, match="another djhop is at work on"):
            landing.own(folder, OLD.id, hold, lambda: True)
        asked: list[bool] = []

        def over() -> bool:
            asked.append(True)
            if len(asked) == 2:
                first.close()
            return False

        landing.own(folder, OLD.id, hold, over)
    assert len(asked) == 2


def test_nothing_to_take_up(target: Target, tmp_path: Path, hold: contextlib.ExitStack) -> None:
    assert landing.resume(tmp_path / "none", begun(target), hold) is None


def test_a_shared_folder_keeps_cells_of_the_same_inputs_only(
    target: Target, tmp_path: Path
) -> None:
    shared = landing.join(tmp_path / "shared", begun(target))
    shared.write_cell(result(OLD, "passed"))
    again = landing.join(tmp_path / "shared", begun(target))
    assert [*again.results()] == [OLD.id]
    Path(target.root, "app.py").write_text("changed since")
    anew = landing.join(tmp_path / "shared", begun(target))
    assert [*anew.results()] == []
    assert anew.read_run().inputs == begun(target).inputs
