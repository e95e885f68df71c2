"""Which hops have tests to run again, as cells end in any number of threads."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from typing import Any

from djhop import reruns
from djhop.compare.changes import kind
from djhop.compare.compare import findings
from djhop.compare.findings import Findings
from djhop.compare.verdicts import life
from djhop.due import Due
from djhop.errors import Interrupted
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Cell, Hop
from djhop.reruns import End
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult
from djhop.store.store import RERUNS


class Repeats(Due):
    """The hops of a run on which what newly fails is to be run again.

    `end` makes one end of a hop from a cell and its result; `say` tells what goes on; `known` are
    the known flaky tests.
    """

    file, stage = RERUNS, "reruns"

    def __init__(
        self,
        *args: Any,
        end: Callable[[Cell, CellResult], End],
        say: Callable[[str], None],
        known: tuple[KnownFlaky, ...],
        **named: Any,
    ) -> None:
        super().__init__(*args, **named)
        self._end, self._say, self._known = end, say, known

    def repeat(self) -> None:
        """Run again what newly fails on the hops whose two cells have ended by now."""
        for hop in self.take():
            with contextlib.suppress(Interrupted):
                if found := self._reruns(hop):
                    self.folder.write_reruns(found)

    def _reruns(self, hop: Hop) -> Reruns | None:
        """Return what was run again on a hop; None where nothing newly fails that is judged."""
        before, after = (self.folder.read_cell(cell.id) for cell in (hop.before, hop.after))
        found = findings(before, after)
        judged = life(before) == life(after) == "ran" and not after.forced
        if not found.failing or not judged:
            return None
        done, why = self.attempt(hop, lambda: self._rerun(hop, before, after, found))
        if done and any(kind(one.outcome) == "failed" for one in done.runs):
            why = str(self._gone() or "")
        if done and not why:
            return done
        return Reruns(before=before.id, after=after.id, asked=len(found.failing), reason=why)

    def _rerun(self, hop: Hop, before: CellResult, after: CellResult, found: Findings) -> Reruns:
        ends = self._end(hop.before, before), self._end(hop.after, after)
        folder = self.folder.hop(f"{before.id}..{after.id}") / "reruns"
        shutil.rmtree(folder, ignore_errors=True)
        return reruns.rerun(*ends, found, folder, self._spawner, known=self._known, say=self._say)
