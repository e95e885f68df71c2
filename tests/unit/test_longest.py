"""Which cell comes next: the longest whose lock is made; without a lock, the first of the plan."""

from __future__ import annotations

from djhop.estimate import Expected
from djhop.longest import Longest
from djhop.matrix.plan import Cell

CELLS = tuple(Cell(django=series, python="3.12") for series in ("4.2", "5.0", "5.1", "5.2"))
TOOK = {
    CELLS[1].id: Expected(seconds=10.0),
    CELLS[2].id: Expected(seconds=90.0),
    CELLS[3].id: Expected(seconds=30.0),
}


def order(left: Longest, count: int) -> list[str]:
    return [left.take().django for _ in range(count)]


def test_the_longest_comes_first_and_what_nobody_knows_last() -> None:
    assert order(Longest(CELLS, TOOK, lambda _: True), 4) == ["5.1", "5.2", "5.0", "4.2"]


def test_where_nothing_is_known_the_plan_stands() -> None:
    assert order(Longest(CELLS, {}, lambda _: True), 4) == ["4.2", "5.0", "5.1", "5.2"]


def test_a_cell_without_a_lock_waits_for_those_that_have_one() -> None:
    made: set[Cell] = set()
    left = Longest(CELLS, TOOK, made.__contains__)
    assert left.take() == CELLS[0]  # its lock is the next to be made
    made.update(CELLS[:2])
    assert left.take() == CELLS[1]
    made.update(CELLS)
    assert order(left, 2) == ["5.1", "5.2"]
