"""The locks of a matrix, each made from the lock of the cell before it, while cells wait."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Collection

from djhop.matrix.plan import Cell, Plan
from djhop.resolve.locks import Lock, Unresolvable

#: Makes a cell's lock, starting from that of the nearest cell before that has one.
Resolve = Callable[[Cell, Lock | None], Lock | Unresolvable]


class Chain:
    """Futures of all cells' locks; `make` fills them in on one thread, in path order."""

    def __init__(self, plan: Plan, resolve: Resolve) -> None:
        self._plan, self._resolve = plan, resolve
        self._parents = {hop.after: hop.before for hop in plan.hops}
        self._locks: dict[Cell, concurrent.futures.Future[Lock | Unresolvable]] = {
            cell: concurrent.futures.Future() for cell in plan.cells
        }

    def lock(self, cell: Cell) -> Lock | Unresolvable:
        """Wait for a cell's lock; raises what making it raised, or CancelledError."""
        return self._locks[cell].result()

    def make(self, wanted: Collection[Cell], stopped: Callable[[], bool]) -> None:
        """Make the locks of the wanted cells, and of those that theirs start from."""
        needed = self._needed(wanted)
        for cell in self._plan.cells:
            if stopped() or cell not in needed:
                self._locks[cell].cancel()
                continue
            try:
                self._locks[cell].set_result(self._resolve(cell, self._before(cell)))
            except BaseException as error:
                self._locks[cell].set_exception(error)

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
            if future.done() and not future.cancelled() and future.exception() is None:
                found = future.result()
                if isinstance(found, Lock):
                    return found
        return None
