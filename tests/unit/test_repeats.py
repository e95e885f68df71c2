"""On which hops what newly fails is run again, once, and what becomes of it where that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from djhop import reruns
from djhop.errors import InfraError, Interrupted
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Spawner
from djhop.repeats import Repeats
from djhop.results.reruns import Again, Reruns
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.store.store import RunFolder

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = Hop(before=OLD, after=NEW, axis="django")
ID = f"{OLD.id}..{NEW.id}"
FAILED = Again(test="a", side="after", how="alone", outcome="failed")
DONE = Reruns(before=OLD.id, after=NEW.id, asked=1, tests=1, runs=(FAILED,))


def cell(of: Cell, outcome: str) -> CellResult:
    status = "failed" if outcome == "failed" else "passed"
    test = Case(id="a", strict=outcome, plain=outcome)  # type: ignore[arg-type]
    return CellResult(id=of.id, django=of.django, python=of.python, status=status, tests=(test,))  # type: ignore[arg-type]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Repeats]:
    def go(after: str = "failed", gone: Exception | None = None, **more: object) -> Repeats:
        one = Repeats(
            (HOP,),
            mine=(OLD, NEW),
            shared=False,
            end=lambda *_: None,  # type: ignore[arg-type,return-value]
            gone=lambda: gone,
            say=lambda _: None,
            known=(),
            spawner=Spawner(),
        )
        one.folder = RunFolder(tmp_path / "run")
        one.folder.write_cell(cell(OLD, "passed"))
        one.folder.write_cell(msgspec.structs.replace(cell(NEW, after), **more))
        return one

    return go


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What `reruns.rerun` does: returns or raises the first of these."""
    outcomes: list[object] = [DONE]

    def rerun(*_: object, **__: object) -> Reruns:
        what = outcomes.pop(0)
        if isinstance(what, Exception):
            raise what
        assert isinstance(what, Reruns)
        return what

    monkeypatch.setattr(reruns, "rerun", rerun)
    return outcomes


def test_a_hop_is_done_when_both_its_cells_are_and_once(
    made: Callable[..., Repeats], called: list[object]
) -> None:
    one = made()
    one.end([OLD.id])
    one.repeat()
    assert one.folder.reruns() == {}
    one.end([NEW.id])
    one.repeat()
    one.repeat()
    assert one.folder.reruns() == {ID: DONE}
    assert called == []


def test_what_is_on_disk_is_not_done_again(
    made: Callable[..., Repeats], called: list[object]
) -> None:
    one = made()
    one.folder.write_reruns(DONE)
    one.end([OLD.id, NEW.id])
    one.repeat()
    assert called == [DONE]


@pytest.mark.parametrize(
    ("after", "more"),
    [
        ("passed", {}),
        ("failed", {"forced": True}),
        ("failed", {"status": "infra"}),
    ],
)
def test_nothing_is_done_where_nothing_newly_fails_or_the_hop_is_not_judged(
    made: Callable[..., Repeats], called: list[object], after: str, more: dict[str, object]
) -> None:
    one = made(after, **more)
    one.end([OLD.id, NEW.id])
    one.repeat()
    assert (one.folder.reruns(), called) == ({}, [DONE])


@pytest.mark.parametrize(
    ("error", "reason", "bugs"),
    [
        (InfraError("the disk is full"), "the disk is full", 0),
        (ValueError("odd"), "a bug in djhop: ValueError: odd", 1),
    ],
)
def test_where_it_fails_the_hop_says_why(
    made: Callable[..., Repeats], called: list[object], error: Exception, reason: str, bugs: int
) -> None:
    called[:] = [error]
    one = made()
    one.end([OLD.id, NEW.id])
    one.repeat()
    found = one.folder.reruns()[ID]
    assert (found.reason, found.runs, found.asked) == (reason, (), 1)
    assert one.bugs == bugs


def test_an_interrupt_leaves_it_to_a_resumed_run(
    made: Callable[..., Repeats], called: list[object]
) -> None:
    called[:] = [Interrupted("interrupted")]
    one = made()
    one.end([OLD.id, NEW.id])
    one.repeat()
    assert one.folder.reruns() == {}


def test_without_its_service_what_failed_again_says_nothing(
    made: Callable[..., Repeats], called: list[object]
) -> None:
    one = made(gone=InfraError("postgres is gone"))
    one.end([OLD.id, NEW.id])
    one.repeat()
    assert (one.folder.reruns()[ID].runs, one.folder.reruns()[ID].reason) == (
        (),
        "postgres is gone",
    )
    assert called == []
