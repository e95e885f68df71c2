"""Which cell a worker takes next: of those whose lock is made, the one that takes longest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from djhop.estimate import Expected
from djhop.matrix.plan import Cell


class Longest:
    """Cells that are to be run, taken one by one from any number of threads.

    A long cell that begins last keeps all of a run waiting. Of a cell that no earlier run tells of
    nothing is known: it keeps its place in the plan, behind the others.
    """

    def __init__(
        self,
        cells: Iterable[Cell],
        expected: Mapping[str, Expected],
        ready: Callable[[Cell], bool],
    ) -> None:
        self._left = [*cells]
        self._expected, self._ready = expected, ready
        self._lock = threading.Lock()

    def take(self) -> Cell:
        """Return the next cell; where no lock is made, the first of the plan: its lock is next."""
        with self._lock:
            ready = [cell for cell in self._left if self._ready(cell)]
            chosen = max(ready or self._left[:1], key=self._seconds)
            self._left.remove(chosen)
            return chosen

    def _seconds(self, cell: Cell) -> float:
        found = self._expected.get(cell.id)
        return found.seconds if found else 0.0
