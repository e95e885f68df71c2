"""One hop, narrowed by arguments: the cell after it first, the cell before only where needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from djhop import durable
from djhop.cells.job import Job
from djhop.desk import kept, sameness
from djhop.matrix.plan import Cell, Hop
from djhop.resolve.locks import requirements_text
from djhop.results.results import CellResult
from djhop.untested import without

#: Why the cell before was not run.
UNNEEDED = "every test passes after the hop, strictly too, so nothing is left to be compared"
HINT = (
    "tests that are gone after the hop, or that a repair breaks before it, would not be seen: "
    "run it without arguments"
)


class Desk:
    """The two cells of `hop`; of a part of them where None.

    `cache`: where results are kept. `fresh`: whatever is kept is run again.
    """

    def __init__(self, hop: Hop | None, cache: Path, *, fresh: bool) -> None:
        self._hop, self._cache, self._fresh = hop, cache, fresh
        self._ended, self._spotless = threading.Event(), False
        #: The cell before was left out.
        self.alone = False

    def order(self, cells: Iterable[Cell]) -> list[Cell]:
        """The cell after comes first."""
        return sorted(cells, key=lambda cell: self._hop is not None and cell == self._hop.before)

    def end(self, cell: Cell) -> None:
        """A cell is over, whatever came of it."""
        if self._hop is None or cell == self._hop.after:
            self._ended.set()

    def result(
        self, job: Job, environ: Mapping[str, str], run: Callable[[], CellResult]
    ) -> CellResult:
        """Return what is kept of a cell; else, where it is needed, what `run` gives."""
        name = "" if sameness.unknowable(job) else sameness.name(job, environ)
        found = None
        if name and not self._fresh:
            found = kept.take(self._cache, name, Path(job.folder))
        if self._hop is not None and job.cell == self._hop.before:
            self._ended.wait()
            if found is None and self._spotless:
                self.alone = True
                _leave(job)
                return without(job.cell, "not-run", reason=UNNEEDED, hint=HINT)
        if found is None:
            found = run()
            if name and kept.worth(found):
                kept.keep(self._cache, name, found, Path(job.folder))
        if self._hop is not None and job.cell == self._hop.after:
            self._spotless = spotless(found)
        return found


def _leave(job: Job) -> None:
    """Leave its packages, so that the cell can be entered all the same."""
    durable.make(Path(job.folder))
    packages = requirements_text(job.lock).encode()
    durable.write(Path(job.folder, "requirements.txt"), packages)


def spotless(result: CellResult) -> bool:
    """Whether a cell leaves nothing to ask the cell before it for: each test passes, each way."""
    if result.status != "passed" or any(one.died or not one.canary for one in result.passes):
        return False
    return all(t.strict == "passed" and t.plain in (None, "passed") for t in result.tests)
