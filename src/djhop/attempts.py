"""One cell of a run: from its lock to its result, whatever happens on the way."""

from __future__ import annotations

import concurrent.futures
import os
import traceback
from collections.abc import Callable

import msgspec

from djhop import durable, jobs, untested
from djhop.cells import cells
from djhop.cells.job import Job, Report
from djhop.chain import Chain
from djhop.crossings import Side
from djhop.desk.desk import Desk
from djhop.desk.kept import FROM
from djhop.errors import DjhopError, InfraError, Interrupted
from djhop.jobs import Maker
from djhop.matrix.plan import Cell, Plan
from djhop.news import Command, Event, Progress, Said, Stage
from djhop.processes import process
from djhop.reruns import End
from djhop.resolve.locks import Lock, Unresolvable
from djhop.results.results import CellResult
from djhop.results.steps import BAD
from djhop.services.running import ServiceError
from djhop.services.services import Services
from djhop.store.store import RunFolder
from djhop.workspace.revision import Revision

#: Does what `cells.run_cell` does.
Work = Callable[[Job, process.Spawner, Report], CellResult]


class Attempts:
    """Attempts the cells of a run. `tell` passes on what happens.

    What is known once the run has begun is set then: its folder, files, services and revision.
    """

    folder: RunFolder
    services: Services

    def __init__(
        self,
        *,
        whole: Plan,
        maker: Maker,
        locks: Chain,
        desk: Desk | None,
        tell: Callable[[Event], None],
    ) -> None:
        self._whole, self._maker, self._locks = whole, maker, locks
        self._desk, self._tell = desk, tell
        self._matrix, self._options, self._spawner = maker.matrix, maker.options, maker.spawner
        self.files: tuple[str, ...] = ()
        self.revision: Revision | None = None
        #: Who runs cells, where this machine does not.
        self.work: Work | None = None
        #: How many cells a bug of djhop has cost.
        self.bugs = 0

    def attempt(self, cell: Cell) -> CellResult:
        """Return the result of a cell; what stops djhop itself makes it `infra`, never red."""
        try:
            return self._worked(cell)
        except Interrupted as error:
            return untested.without(cell, "interrupted", reason=str(error))
        except concurrent.futures.CancelledError:
            return untested.without(cell, "not-run", reason="its lock was not made")
        except ServiceError as error:
            return untested.without(cell, "infra", reason=str(error), hint=error.hint)
        except DjhopError as error:
            reason = "; ".join(str(error).splitlines()).replace(":; ", ": ")
            return untested.without(cell, "infra", reason=reason, hint=error.hint)
        except Exception as error:  # ours: the other cells are not to pay for it
            return self._internal_error(cell, error)

    def not_begun(self, cell: Cell) -> CellResult:
        if self._spawner.interrupted:
            return untested.without(cell, "interrupted", reason="djhop was asked to stop")
        return untested.without(cell, "not-run", reason="an earlier cell is red (--fail-fast)")

    def _job_of(self, cell: Cell) -> Job:
        """The job of a cell that has been done."""
        lock = self._locks.lock(cell)
        if isinstance(lock, Unresolvable):
            raise InfraError(f"{cell.id} has no lock: {lock.reason}")
        return self._made(cell, lock)

    def _made(self, cell: Cell, lock: Lock) -> Job:
        job = self._maker.job(cell, lock, self.files, self.folder.cell(cell.id).path)
        if self.tests_of(cell) and self.revision:
            return self._maker.deployed(job, self.revision)
        return job

    def tests_of(self, cell: Cell) -> str:
        """The revision whose tests a cell runs, where that is not the target as it is now."""
        first = self.revision and self._options.deployed and cell == self._whole.path[0]
        return self.revision.said if first and self.revision else ""

    def side(self, cell: Cell, result: CellResult) -> Side:
        """One end of a hop; before the first hop it may be another revision of the target."""
        job, told = self._job_of(cell), ""
        if self.revision and cell == self._whole.path[0]:
            if not self._options.deployed:
                job = self._maker.deployed(job, self.revision)
            told = self.revision.said
        folder = self.folder.cell(cell.id).path
        return Side(job=self._equipped(job), result=result, folder=folder, revision=told)

    def end(self, cell: Cell, result: CellResult) -> End:
        """One end of a hop on which tests are run again."""
        return End(job=self._equipped(self._job_of(cell)), result=result)

    def _equipped(self, job: Job) -> Job:
        """Add what leads to the run's services, if it has any."""
        if not self._matrix.service or self._options.install_only:
            return job
        return jobs.equipped(job, self.services)

    def _worked(self, cell: Cell) -> CellResult:
        interpreter = self._maker.found.get(cell.python)
        if interpreter is None:
            return untested.no_python(cell)
        report = self._reporter(cell)
        report("lock")
        lock = self._locks.lock(cell)
        if isinstance(lock, Unresolvable):
            return untested.unresolvable(cell, lock)
        job = self._made(cell, lock)
        if not self._matrix.service or self._options.install_only:
            return self._ran(job, report)
        report("services")
        return self._served(self._equipped(job), report)

    def _ran(self, job: Job, report: Report) -> CellResult:
        """Run a cell, unless that would show nothing new to somebody at work on one hop."""
        if told := self.tests_of(job.cell):
            self._tell(Said(text=f"{job.cell.id} has the code and tests of {told}"))
        if self._desk is None:
            return self._done(job, report)
        result = self._desk.result(job, os.environ, lambda: self._done(job, report))
        for note in result.notes:
            if note.startswith(FROM):
                self._tell(Said(text=f"{job.cell.id} is {note}"))
        return result

    def _done(self, job: Job, report: Report) -> CellResult:
        """Run a cell: here, or where its worker is."""
        return (self.work or cells.run_cell)(job, self._spawner, report)

    def _served(self, job: Job, report: Report) -> CellResult:
        """Run a cell; without its services nothing that failed there says anything."""
        result = cells.run_cell(job, self._spawner, report)
        untouched = ("passed", "uninstallable")  # no service has a part in these
        red = result.status not in untouched
        broken = any(step.status in BAD for step in result.steps.values())
        if not (red or broken) or not (gone := self.services.gone()):
            return result
        if red:
            raise gone
        lost = {name: step.lost(str(gone)) for name, step in result.steps.items()}
        return msgspec.structs.replace(result, steps=lost)

    def _internal_error(self, cell: Cell, error: Exception) -> CellResult:
        """Keep the traceback of a bug in djhop where it can be pasted from."""
        self.bugs += 1
        log = self.folder.cell(cell.id).path / "djhop-error.log"
        durable.make(log.parent)
        durable.write(log, "".join(traceback.format_exception(error)).encode(errors="replace"))
        return untested.without(
            cell,
            "infra",
            reason=f"a bug in djhop: {type(error).__name__}: {error}",
            hint=f"please report it with {log}",
        )

    def _reporter(self, cell: Cell) -> Report:
        def report(stage: str, tests: tuple[int, int] | None = None, command: str = "") -> None:
            if command:
                self._tell(Command(cell=cell.id, command=command))
            elif tests is None:
                self._tell(Stage(cell=cell.id, stage=stage))
            else:
                self._tell(Progress(cell=cell.id, done=tests[0], expected=tests[1]))

        return report
