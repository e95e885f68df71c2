"""Which hops a database can cross, as cells end in any number of threads; each is crossed once."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Collection

import msgspec

from djhop import crossings
from djhop.crossings import Side
from djhop.due import Due
from djhop.errors import DjhopError, Interrupted
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Spawner
from djhop.results.results import CellResult
from djhop.results.steps import BAD, Crossing
from djhop.store.store import CROSSING


class Hops(Due):
    """The hops of a run that a database is to cross.

    `side` makes one end of a hop from a cell and its result; `gone` says why a service that the
    databases need is there no more: what failed then says nothing.
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
        super().__init__(hops, mine=mine, shared=shared)
        self._side, self._gone, self._spawner = side, gone, spawner
        #: Exceptions of ours.
        self.bugs = 0

    def cross(self) -> None:
        """Let a database cross the hops whose two cells have ended by now."""
        for hop in self.take():
            name = f"{hop.before.id}..{hop.after.id}"
            done = (self.folder.hop(name) / CROSSING).is_file()
            if done or self._spawner.interrupted:
                continue
            if found := self._crossing(hop):
                self.folder.write_crossing(found)

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
