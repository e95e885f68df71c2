"""Which hops a database can cross, as cells end in any number of threads; each is crossed once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from djhop import crossings
from djhop.crossings import Side
from djhop.due import Due
from djhop.errors import Interrupted
from djhop.matrix.plan import Cell, Hop
from djhop.results.results import CellResult
from djhop.results.steps import BAD, Crossing
from djhop.store.store import CROSSING


class Hops(Due):
    """The hops of a run that a database is to cross.

    `side` makes one end of a hop from a cell and its result.
    """

    file, stage = CROSSING, "database"

    def __init__(self, *args: Any, side: Callable[[Cell, CellResult], Side], **named: Any) -> None:
        super().__init__(*args, **named)
        self._side = side

    def cross(self) -> None:
        """Let a database cross the hops whose two cells have ended by now."""
        for hop in self.take():
            with contextlib.suppress(Interrupted):
                if found := self._crossing(hop):
                    self.folder.write_crossing(found)

    def _crossing(self, hop: Hop) -> Crossing | None:
        before, after = (self.folder.read_cell(cell.id) for cell in (hop.before, hop.after))
        if "database" not in before.steps and "database" not in after.steps:
            return None  # neither cell got so far
        why, found = crossings.impossible(before, after, "any"), None
        if not why:
            found, why = self.attempt(hop, lambda: self._crossed(hop, before, after))
        return found or Crossing(before=before.id, after=after.id, reason=why)

    def _crossed(self, hop: Hop, before: CellResult, after: CellResult) -> Crossing:
        sides = self._side(hop.before, before), self._side(hop.after, after)
        folder = self.folder.hop(f"{before.id}..{after.id}")
        done = crossings.cross(*sides, folder, self._spawner)
        failed = any(step.status in BAD for step in done.steps.values())
        if failed and (gone := self._gone()):
            return Crossing(before=before.id, after=after.id, reason=str(gone))
        return done
