"""Which hops have tests to run again, as cells end in any number of threads."""

from __future__ import annotations

import concurrent.futures
import shutil
from collections.abc import Callable, Collection

import msgspec

from djhop import reruns
from djhop.compare.changes import kind
from djhop.compare.compare import findings
from djhop.compare.verdicts import life
from djhop.due import Due
from djhop.errors import DjhopError, Interrupted
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Spawner
from djhop.reruns import End
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult
from djhop.store.store import RERUNS


class Repeats(Due):
    """The hops of a run on which what newly fails is to be run again.

    `end` makes one end of a hop from a cell and its result; `gone` says why a service that the
    suite needs is there no more: what failed then says nothing. `say` tells what goes on;
    `known` are the known flaky tests.
    """

    def __init__(
        self,
        hops: Collection[Hop],
        *,
        mine: Collection[Cell],
        shared: bool,
        end: Callable[[Cell, CellResult], End],
        gone: Callable[[], Exception | None],
        say: Callable[[str], None],
        known: tuple[KnownFlaky, ...],
        spawner: Spawner,
    ) -> None:
        super().__init__(hops, mine=mine, shared=shared)
        self._known = known
        self._end, self._gone, self._say, self._spawner = end, gone, say, spawner
        #: Exceptions of ours.
        self.bugs = 0

    def repeat(self) -> None:
        """Run again what newly fails on the hops whose two cells have ended by now."""
        for hop in self.take():
            name = f"{hop.before.id}..{hop.after.id}"
            done = (self.folder.hop(name) / RERUNS).is_file()
            if done or self._spawner.interrupted:
                continue
            if found := self._reruns(hop):
                self.folder.write_reruns(found)

    def _reruns(self, hop: Hop) -> Reruns | None:
        """Return what was run again on a hop; None where nothing newly fails that is judged."""
        before, after = (self.folder.read_cell(cell.id) for cell in (hop.before, hop.after))
        found = findings(before, after)
        judged = life(before) == life(after) == "ran" and not after.forced
        if not found.failing or not judged:
            return None
        none = Reruns(before=before.id, after=after.id, asked=len(found.failing))
        try:
            ends = self._end(hop.before, before), self._end(hop.after, after)
            folder = self.folder.hop(none.id) / "reruns"
            shutil.rmtree(folder, ignore_errors=True)
            done = reruns.rerun(
                *ends, found, folder, self._spawner, known=self._known, say=self._say
            )
        except Interrupted:
            return None  # a resumed run does it
        except (DjhopError, concurrent.futures.CancelledError) as error:
            why = str(error) or "a lock was not made"
        except Exception as error:  # ours: the cells are not to pay for it
            self.bugs += 1
            why = f"a bug in djhop: {type(error).__name__}: {error}"
        else:
            failed = any(kind(one.outcome) == "failed" for one in done.runs)
            if not failed or not (gone := self._gone()):
                return done
            why = str(gone)
        return msgspec.structs.replace(none, reason=why)
