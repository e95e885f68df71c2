"""Suites run in pairs: in which order, what is not counted, and what makes a run useless."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import many
import msgspec
import pytest

from djhop import measuring
from djhop.matrix.plan import Cell
from djhop.measuring import OVER, Limits, measure
from djhop.paired import Paired
from djhop.results import events
from djhop.results.eventlog import Begin, Report, Start, Stop
from djhop.results.passes import Pass, Ran
from djhop.store.record import Run
from djhop.store.store import RunFolder

CELLS = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
GREEN = many.tests(20, 0)[9:]


class NoServices:
    """A matrix that names none."""

    def __bool__(self) -> bool:
        return False

    def stop(self) -> None:
        """Nothing is running."""


class Rooms:
    """Stands for the two cells: says which was run when, and how long it took."""

    def __init__(
        self, seconds: dict[str, float], tests: dict[str, list[str]] | None = None
    ) -> None:
        self.seconds, self.tests, self.order = seconds, tests or {}, list[str]()
        self.died = ""

    @contextlib.contextmanager
    def room(self, job: str, spawner: object, folder: Path) -> Iterator[Any]:
        yield SimpleNamespace(run=lambda name, chosen, limit: self.run(job, chosen))

    def run(self, cell: str, chosen: str) -> Ran:
        assert chosen == "", "the whole suite"
        self.order.append("A" if cell == CELLS[0].id else "B")
        found: list[Any] = [Begin(pid=1, framework="pytest", mode="plain")]
        for name in self.tests.get(f"{cell} {len(self.order)}", ["a", "b"]):
            said = Report(pid=1, id=name, when="call", outcome="passed")
            found += [Start(pid=1, id=name), said, Stop(pid=1, id=name)]
        died = self.died if len(self.order) == 5 else ""
        info = Pass(mode="plain", seconds=self.seconds[cell], died=died, log="log.txt")
        return Ran(info=info, events=events.gather(found))


def measured(tmp_path: Path, patch: pytest.MonkeyPatch, rooms: Rooms, **limits: Any) -> Paired:
    """Measure the only hop of a run of two cells."""
    red = many.tests(20, 1)[9:] if rooms.died == "red" else GREEN
    results = {
        cell.id: many.result(cell, "failed" if tests is not GREEN else "passed", tests)
        for cell, tests in zip(CELLS, (GREEN, red), strict=True)
    }
    run: Run = many.finished(many.plan_of(CELLS), results)
    folder: RunFolder = many.write(tmp_path / "run", run, results)
    patch.setattr(measuring.cells, "repeating", rooms.room)
    again: Any = SimpleNamespace(
        folder=folder,
        run=run,
        target=SimpleNamespace(root=str(tmp_path)),
        matrix=SimpleNamespace(timeout=9.0),
        spawner=SimpleNamespace(interrupted=False),
        job=lambda cell, root, room: cell.id,
        services=lambda logs: NoServices(),
    )
    measure(again, run.hops, msgspec.convert({"pairs": 6, **limits}, Limits), lambda _: None)
    (found,) = folder.load().performance
    return found


SECONDS = {CELLS[0].id: 2.0, CELLS[1].id: 3.0}


def test_both_are_run_once_uncounted_and_then_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = Rooms(SECONDS)
    found = measured(tmp_path, monkeypatch, rooms)
    assert "".join(rooms.order) == "AB" + "ABBA" * 3
    assert found.pairs == ((2.0, 3.0),) * 6
    assert found.ratio and (found.ratio.low, found.ratio.high) == (1.5, 1.5)
    assert (found.reason, found.uneven) == ("", 0)


def test_tests_of_one_side_only_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {f"{CELLS[1].id} {n}": ["a", "b", "c"] for n in range(20)}
    found = measured(tmp_path, monkeypatch, Rooms(SECONDS, more))
    assert (found.uneven, len(found.pairs)) == (1, 6)


@pytest.mark.parametrize("died", ["crash", "timeout"])
def test_a_run_that_dies_makes_all_of_it_useless(
    died: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = Rooms(SECONDS)
    rooms.died = died
    found = measured(tmp_path, monkeypatch, rooms)
    assert (found.pairs, found.ratio) == ((), None)
    assert f"did not come to its end ({died})" in found.reason


def test_a_suite_that_runs_other_tests_each_time_is_useless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(tmp_path, monkeypatch, Rooms(SECONDS, {f"{CELLS[0].id} 3": ["a"]}))
    assert found.ratio is None
    assert "before the hop, other tests ran than the first time" in found.reason


def test_a_hop_that_breaks_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms(SECONDS)
    rooms.died = "red"
    found = measured(tmp_path, monkeypatch, rooms)
    assert rooms.order == []
    assert found.reason == "the hop is not clean (breaks): two suites cannot be compared"


def test_the_budget_ends_it_and_too_few_pairs_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(tmp_path, monkeypatch, Rooms(SECONDS), until=0.0)
    assert (found.pairs, found.ratio, found.reason) == ((), None, OVER)
