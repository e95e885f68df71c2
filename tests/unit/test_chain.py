"""Locks in path order: whose lock starts from whose, and that nobody waits for ever."""

from __future__ import annotations

import concurrent.futures
import itertools
import random
import threading
import time

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


# Side by side: 4.2 → 5.0 → 5.1 → 5.2 on 3.12, and the same on 3.13 beside it.

BESIDE = tuple(Cell(django=cell.django, python="3.13") for cell in CELLS)
WIDE = Plan(
    cells=(*CELLS, *BESIDE),
    path=CELLS,
    hops=(
        *PLAN.hops,
        Hop(before=CELLS[0], after=BESIDE[0], axis="python"),
        *(Hop(before=a, after=b, axis="django") for a, b in itertools.pairwise(BESIDE)),
    ),
)


def named(cell: Cell) -> Lock:
    return Lock(pins=(), django_release=cell.id)


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_a_lock_starts_from_the_same_one_however_many_are_made_at_once(jobs: int) -> None:
    asked: dict[str, str | None] = {}

    def resolve(cell: Cell, before: Lock | None) -> Lock | Unresolvable:
        time.sleep(random.random() / 200)
        asked[cell.id] = before.django_release if before else None
        return named(cell)

    chain = Chain(WIDE, resolve, jobs=jobs)
    chain.make(WIDE.cells, lambda: False)
    assert asked == {CELLS[0].id: None} | {hop.after.id: hop.before.id for hop in WIDE.hops}
    assert [chain.lock(cell) for cell in WIDE.cells] == [named(cell) for cell in WIDE.cells]


@pytest.mark.parametrize("jobs", [1, 2])
def test_as_many_are_made_at_once_as_there_are_jobs(jobs: int) -> None:
    together, lock, now, most = threading.Barrier(jobs, timeout=10), threading.Lock(), 0, 0

    def resolve(cell: Cell, _: Lock | None) -> Lock | Unresolvable:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        if cell in (CELLS[1], BESIDE[0]):
            together.wait()  # with two jobs, each needs the other to be under way
        time.sleep(0.01)
        with lock:
            now -= 1
        return named(cell)

    chain = Chain(WIDE, resolve, jobs=jobs)
    chain.make(WIDE.cells, lambda: False)
    assert most == jobs


def test_who_is_stopped_half_way_leaves_nobody_waiting() -> None:
    asked: list[Cell] = []

    def resolve(cell: Cell, _: Lock | None) -> Lock | Unresolvable:
        asked.append(cell)
        return named(cell)

    chain = Chain(WIDE, resolve, jobs=2)
    chain.make(WIDE.cells, lambda: bool(asked))
    assert asked == [CELLS[0]]
    for cell in WIDE.cells[1:]:
        with pytest.raises(concurrent.futures.CancelledError):
            chain.lock(cell)


def test_who_cannot_start_a_thread_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = concurrent.futures.ThreadPoolExecutor
    submit, begun = pool.submit, []

    def refuse(self, *words):  # type: ignore[no-untyped-def]
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(words)
        return submit(self, *words)

    monkeypatch.setattr(pool, "submit", refuse)
    chain = Chain(PLAN, lambda cell, _: named(cell))
    with pytest.raises(RuntimeError):
        chain.make(CELLS, lambda: False)
    assert all(future.done() for future in chain._locks.values())  # else `lock` would hang
    assert chain.lock(CELLS[0]) == named(CELLS[0])
    for cell in CELLS[1:]:
        with pytest.raises(RuntimeError, match="new thread"):
            chain.lock(cell)
