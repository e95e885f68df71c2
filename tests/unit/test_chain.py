"""Locks in path order: whose lock starts from whose, and that nobody waits for ever."""

from __future__ import annotations

import concurrent.futures
import itertools

import pytest

from djhop.chain import Chain
from djhop.errors import InfraError
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.resolve.locks import Lock, Unresolvable

CELLS = tuple(Cell(django=series, python="3.12") for series in ("4.2", "5.0", "5.1", "5.2"))
PLAN = Plan(
    cells=CELLS,
    path=CELLS,
    hops=tuple(Hop(before=a, after=b, axis="django") for a, b in itertools.pairwise(CELLS)),
)


def resolver(asked: list[tuple[str, str | None]]):  # type: ignore[no-untyped-def]
    def resolve(cell: Cell, before: Lock | None) -> Lock | Unresolvable:
        asked.append((cell.django, before.django_release if before else None))
        if cell.django == "5.0":
            raise InfraError("no Python 3.12")
        return Lock(pins=(), django_release=cell.django)

    return resolve


def test_each_starts_from_the_nearest_before_that_has_one() -> None:
    asked: list[tuple[str, str | None]] = []
    chain = Chain(PLAN, resolver(asked))
    chain.make(CELLS, lambda: False)
    assert asked == [("4.2", None), ("5.0", "4.2"), ("5.1", "4.2"), ("5.2", "5.1")]
    with pytest.raises(InfraError):
        chain.lock(CELLS[1])


def test_a_cell_run_alone_has_the_lock_it_has_among_all() -> None:
    asked: list[tuple[str, str | None]] = []
    chain = Chain(PLAN, resolver(asked))
    chain.make({CELLS[2]}, lambda: False)
    assert asked == [("4.2", None), ("5.0", "4.2"), ("5.1", "4.2")]
    with pytest.raises(concurrent.futures.CancelledError):
        chain.lock(CELLS[3])


def test_nobody_waits_for_what_was_stopped() -> None:
    chain = Chain(PLAN, resolver([]))
    chain.make(CELLS, lambda: True)
    for cell in CELLS:
        with pytest.raises(concurrent.futures.CancelledError):
            chain.lock(cell)
