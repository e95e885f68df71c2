"""Which hops a database can cross, as cells end in any number of threads; each is crossed once."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Collection, Iterable

import msgspec

from djhop import crossings
from djhop.crossings import Side
from djhop.errors import DjhopError, Interrupted
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Spawner
from djhop.results.results import CellResult
from djhop.results.steps import BAD, Crossing
from djhop.store.store import CROSSING, RunFolder


class Hops:
    """The hops of a run that touch one of the cells `mine`.

    `side` makes one end of a hop from a cell and its result; `gone` says why a service that the
    databases need is there no more: what failed then says nothing. In a `shared` folder,
    other djhop do the other cells.
    """

    def __init__(
        self,
        hops: Collection[Hop],
        *,
        mine: Collection[Cell],
        shared: bool,
        side: Callable[[Cell, CellResult], Side],
        gone: Callable[[], Exception | None],
        spawner: Spawner,
    ) -> None:
        self._mine, self._shared = set(mine), shared
        self._left = [hop for hop in hops if not self._mine.isdisjoint((hop.before, hop.after))]
        self._all = tuple(self._left)
        self._side, self._gone, self._spawner = side, gone, spawner
        self._ended: set[str] = set()
        self._lock = threading.Lock()
        self.folder: RunFolder
        #: Exceptions of ours.
        self.bugs = 0

    @property
    def cells(self) -> set[Cell]:
        """Every cell whose lock is needed."""
        return {cell for hop in self._all for cell in (hop.before, hop.after)}

    def end(self, cells: Iterable[str]) -> None:
        """The results of these cells are on disk."""
        self._ended.update(cells)

    def cross(self) -> None:
        """Let a database cross the hops whose two cells have ended by now."""
        for hop in self._take():
            name = f"{hop.before.id}..{hop.after.id}"
            done = (self.folder.hop(name) / CROSSING).is_file()
            if done or self._spawner.interrupted:
                continue
            if found := self._crossing(hop):
                self.folder.write_crossing(found)

    def _take(self) -> list[Hop]:
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

    def _crossing(self, hop: Hop) -> Crossing | None:
        before, after = (self.folder.read_cell(cell.id) for cell in (hop.before, hop.after))
        if "database" not in before.steps and "database" not in after.steps:
            return None  # neither cell got so far
        found = Crossing(before=before.id, after=after.id)
        if why := crossings.impossible(before, after, "any"):
            return msgspec.structs.replace(found, reason=why)
        try:
            return self._crossed(hop, before, after)
        except Interrupted:
            return None  # a resumed run does it
        except (DjhopError, concurrent.futures.CancelledError) as error:
            why = str(error) or "a lock was not made"
        except Exception as error:  # ours: the cells are not to pay for it
            self.bugs += 1
            why = f"a bug in djhop: {type(error).__name__}: {error}"
        return msgspec.structs.replace(found, reason=why)

    def _crossed(self, hop: Hop, before: CellResult, after: CellResult) -> Crossing:
        sides = self._side(hop.before, before), self._side(hop.after, after)
        folder = self.folder.hop(f"{before.id}..{after.id}")
        done = crossings.cross(*sides, folder, self._spawner)
        failed = any(step.status in BAD for step in done.steps.values())
        if failed and (gone := self._gone()):
            return Crossing(before=before.id, after=after.id, reason=str(gone))
        return done
