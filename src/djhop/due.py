"""Which hops have both their cells done, as cells end in any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from djhop.matrix.plan import Cell, Hop
from djhop.store.store import RunFolder


class Due:
    """The hops of a run that touch one of the cells `mine`; each is taken once.

    In a `shared` folder, other djhop do the other cells.
    """

    def __init__(self, hops: Collection[Hop], *, mine: Collection[Cell], shared: bool) -> None:
        self._mine, self._shared = set(mine), shared
        self._left = [hop for hop in hops if not self._mine.isdisjoint((hop.before, hop.after))]
        self._all = tuple(self._left)
        self._ended: set[str] = set()
        self._lock = threading.Lock()
        self.folder: RunFolder

    @property
    def cells(self) -> set[Cell]:
        """Every cell whose lock is needed."""
        return {cell for hop in self._all for cell in (hop.before, hop.after)}

    def end(self, cells: Iterable[str]) -> None:
        """The results of these cells are on disk."""
        self._ended.update(cells)

    def take(self) -> list[Hop]:
        """Return the hops that have become due; nobody else gets them."""
        with self._lock:
            found = [hop for hop in self._left if self._is_due(hop)]
            self._left = [hop for hop in self._left if hop not in found]
            return found

    def _is_due(self, hop: Hop) -> bool:
        return self._has_ended(hop.before) and self._has_ended(hop.after)

    def _has_ended(self, cell: Cell) -> bool:
        if cell in self._mine or not self._shared:
            return cell.id in self._ended
        return self.folder.cell(cell.id).result.is_file()
