"""The locks of a matrix, each made from the lock of the cell before it, while cells wait."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Collection

from djhop.matrix.plan import Cell, Plan
from djhop.resolve.locks import Lock, Unresolvable

#: Makes a cell's lock, starting from that of the nearest cell before that has one. It is called
#: from several threads.
Resolve = Callable[[Cell, Lock | None], Lock | Unresolvable]


class Chain:
    """Futures of all cells' locks; `make` fills them in, `jobs` side by side.

    A lock depends on that of the cell before and on nothing else: in which order locks are made
    changes none of them.
    """

    def __init__(self, plan: Plan, resolve: Resolve, *, jobs: int = 1) -> None:
        self._plan, self._resolve, self._jobs = plan, resolve, max(1, jobs)
        self._parents = {hop.after: hop.before for hop in plan.hops}
        self._locks: dict[Cell, concurrent.futures.Future[Lock | Unresolvable]] = {
            cell: concurrent.futures.Future() for cell in plan.cells
        }

    def lock(self, cell: Cell) -> Lock | Unresolvable:
        """Wait for a cell's lock; raises what making it raised, or CancelledError."""
        return self._locks[cell].result()

    def made(self, cell: Cell) -> bool:
        """Whether a cell's lock is there, or will never be."""
        return self._locks[cell].done()

    def make(self, wanted: Collection[Cell], stopped: Callable[[], bool]) -> None:
        """Make the locks of the wanted cells, and of those that theirs start from.

        A lock is begun as soon as the one before it is there; of several, those that come first in
        the plan. Once `stopped`, no further one is begun. An error of ours (no thread can be
        started) is what every lock that was not made then raises.
        """
        needed = self._needed(wanted)
        for cell in self._locks.keys() - needed:
            self._drop(cell)
        left = [cell for cell in self._plan.cells if cell in needed]
        try:
            self._make(left, stopped)
        except BaseException as error:
            for future in self._locks.values():
                if not future.done():  # or its cell would wait for ever
                    future.set_exception(error)
            raise

    def _make(self, left: list[Cell], stopped: Callable[[], bool]) -> None:
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as pool:
            while left:
                ready = [cell for cell in left if self._ready(cell)]
                for cell in ready:
                    pool.submit(self._settle, cell, stopped)
                left = [cell for cell in left if cell not in ready]
                concurrent.futures.wait(
                    [self._locks[self._parents[cell]] for cell in left],
                    return_when=concurrent.futures.FIRST_COMPLETED,
                )

    def _settle(self, cell: Cell, stopped: Callable[[], bool]) -> None:
        if stopped():
            self._drop(cell)
            return
        try:
            self._locks[cell].set_result(self._resolve(cell, self._before(cell)))
        except BaseException as error:
            self._locks[cell].set_exception(error)

    def _drop(self, cell: Cell) -> None:
        self._locks[cell].cancel()
        self._locks[cell].set_running_or_notify_cancel()  # else `wait` would wait on

    def _ready(self, cell: Cell) -> bool:
        return cell not in self._parents or self._locks[self._parents[cell]].done()

    def _needed(self, wanted: Collection[Cell]) -> set[Cell]:
        needed = set(wanted)
        for cell in wanted:
            at = cell
            while (parent := self._parents.get(at)) is not None and parent not in needed:
                needed.add(parent)
                at = parent
        return needed

    def _before(self, cell: Cell) -> Lock | None:
        """The lock of the nearest cell before that has one."""
        while cell in self._parents:
            cell = self._parents[cell]
            future = self._locks[cell]
            if not future.cancelled() and future.exception() is None:
                found = future.result()
                if isinstance(found, Lock):
                    return found
        return None
