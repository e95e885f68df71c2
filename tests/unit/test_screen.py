"""The text that fits a screen: what is always there, what goes first, what is left out."""

from __future__ import annotations

import itertools
import re

import msgspec
import pytest

from djhop import releases
from djhop.compare.compare import compare
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.reports import screen, text
from djhop.reports.pieces import Part, Piece, choose, left_out
from djhop.reports.summary import summarise
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store import record
from djhop.store.record import Run
from djhop.target.target import Suite, Target

SERIES = ("4.2", "5.0", "5.1", "5.2")
PYTHONS = ("3.12", "3.10", "3.11")
LONG = "a message that goes on, and on, and says the same thing in many words, " * 4
KIND = ("cause", "causes")


def run(series: tuple[str, ...] = SERIES, causes: int = 3) -> Run:
    """Twelve cells; each hop of the path breaks tests for several causes."""
    path = tuple(Cell(django=one, python=PYTHONS[0]) for one in series)
    beside = tuple(Cell(django=one, python=p) for p in PYTHONS[1:] for one in series)
    hops = tuple(
        Hop(before=a, after=b, axis="django", on_path=a in path)
        for row in (path, beside[: len(series)], beside[len(series) :])
        for a, b in itertools.pairwise(row)
    )
    plan = Plan(cells=(*path, *beside), path=path, hops=hops)
    results = {cell.id: result(cell, series.index(cell.django), causes) for cell in plan.cells}
    begun = record.begin(
        "screen", target(), Matrix(), plan, started=STARTED, command=("djhop", "run")
    )
    compared = compare(plan, results, reproduce=begun.reproduce)
    return record.finish(begun, results, compared, seconds=60.0)


STARTED = record.datetime.datetime(2026, 11, 21, tzinfo=record.datetime.UTC)


def target() -> Target:
    suite = Suite(kind="pytest", argv=("pytest",))
    return Target(name="shop", root="/home/me/shop", sources=(), django="4.2", suite=suite)


def result(cell: Cell, broken: int, causes: int) -> CellResult:
    """A cell in which each hop so far has broken `causes` more tests."""
    tests = []
    for hop in range(1, len(SERIES)):
        for number in range(causes):
            name = f"tests/test_{hop}.py::test_{number}"
            failed = hop <= broken
            why = Failure(
                exception=f"Error{hop}{number}",
                message=f"{hop}{number} {LONG}",
                owner=Owner("project"),
                place=f"shop/views_{hop}.py:{number + 1}",
            )
            tests.append(
                Case(id=name, plain="failed", failure=why) if failed
                else Case(id=name, strict="passed", plain="passed")
            )  # fmt: skip
    status = "failed" if broken else "passed"
    return CellResult(
        id=cell.id, django=cell.django, python=cell.python, status=status, tests=tuple(tests)
    )


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("causes", [1, 3, 12])
@pytest.mark.parametrize("width", [80, 120])
def test_twelve_cells_fit_a_screen(width: int, causes: int) -> None:
    made = run(causes=causes)
    assert len(made.plan.cells) == 12
    shown = screen.render(made, width=width)
    rows = sum(-(-len(line) // width) or 1 for line in shown.splitlines())
    assert 24 <= rows <= 40


def test_answer_grid_and_hops_are_there_however_low_the_screen_is() -> None:
    made = run(causes=12)
    summary = summarise(made, releases.load())
    for height in (1, 24, 30, 40, 500):
        shown = flat(screen.render(made, height=height))
        assert summary.answer in shown
        for square in summary.grid.values():
            assert f"{square.sign} {square.count}" in shown
        for hop in summary.path:
            assert f"{hop.title} on {hop.fixed}, {hop.verdict}" in shown


def test_each_hop_shows_a_cause_before_any_shows_two() -> None:
    summary = summarise(run(), releases.load())
    for height in (27, 33, 36, 40):
        shown = flat(screen.render(run(), height=height))
        firsts = [hop.causes[0] for hop in summary.path]
        seconds = [hop.causes[1] for hop in summary.path]
        assert all(f"in {one.where}" in shown for one in firsts), height
        if height < 35:
            assert not any(cause.id in shown for cause in seconds)
    assert seconds[0].id in shown


def test_what_is_not_shown_is_counted_and_can_be_seen() -> None:
    made = run(causes=12)
    shown = screen.render(made, whole="djhop report here -v")
    every = sum(len(hop.groups) for hop in made.hops if hop.on_path)
    causes = len(re.findall(r"; cause [0-9a-f]{10}", shown))
    said = re.search(r"Not shown: .*?([\d,]+) causes", flat(shown))
    assert said and int(said[1]) == every - causes > 0
    assert "All of it: djhop report here -v\n" in shown
    # And the whole text has them, to as many as a list has, and counts the others.
    assert len(re.findall(r"; cause [0-9a-f]{10}", text.render(made))) > causes


def test_what_is_known_to_help_comes_first_where_it_is_cut() -> None:
    from djhop.reports.known import use_first

    said = "x.y was removed in Django 5.0: use x.z; django-upgrade rewrites it"
    assert use_first(said) == "use x.z; django-upgrade rewrites it (x.y was removed in Django 5.0)"
    assert use_first("x.y was removed in Django 5.0") == "x.y was removed in Django 5.0"


def test_a_run_that_was_cut_short_says_so_on_any_screen() -> None:
    made = msgspec.structs.replace(run(causes=1), complete=False)
    assert "The run was cut short" in flat(screen.render(made, height=24))


def pieces(*ranks: int, kind: tuple[str, str] = KIND) -> tuple[Piece, ...]:
    return tuple(Piece(lines=(f"{rank}", "-"), rank=rank, kind=kind) for rank in ranks)


def rows(lines: object) -> int:
    return len(list(lines))  # type: ignore[call-overload]


def test_lower_ranks_go_first_part_by_part() -> None:
    parts = [Part(head=("a",), pieces=pieces(0, 5)), Part(head=("b",), pieces=pieces(0, 3))]
    assert choose(parts, 1, rows) == [set(), set()]
    assert choose(parts, 4, rows) == [{0}, set()]
    assert choose(parts, 6, rows) == [{0}, {0}]
    assert choose(parts, 8, rows) == [{0}, {0, 1}]
    assert choose(parts, 10, rows) == [{0, 1}, {0, 1}]
    assert left_out(parts, [{0}, set()]) == {KIND: 3}


def test_none_of_a_kind_is_shown_after_one_that_found_no_room() -> None:
    long = Piece(lines=("x",) * 9, rank=1, kind=KIND)
    other = Piece(lines=("y",), rank=3, kind=("list", "lists"))
    part = Part(pieces=(long, *pieces(2), other), more=((KIND, 4),))
    assert choose([part], 5, rows) == [{2}]
    assert left_out([part], [{2}]) == {KIND: 6}


def test_a_command_is_shown_only_under_its_cause() -> None:
    command = Piece(lines=("$",), rank=0, kind=("command", "commands"), needs=0)
    cause = Piece(lines=("x",) * 3, rank=1, kind=KIND)
    assert choose([Part(pieces=(cause, command))], 2, rows) == [set()]
