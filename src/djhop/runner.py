"""The loop: locks in path order, cells side by side, one result each; yields events."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import functools
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import msgspec

from djhop import (
    closing,
    dryrun,
    durable,
    earlier,
    jobs,
    landing,
    locate,
    remembering,
    scratch,
    untested,
)
from djhop.caching import pruning
from djhop.cells import cells
from djhop.cells.job import Job, Report, room_of
from djhop.chain import Chain
from djhop.crossings import Side
from djhop.desk.desk import Desk
from djhop.desk.kept import FROM
from djhop.environments import environments
from djhop.errors import DjhopError, ExitCode, InfraError, Interrupted
from djhop.estimate import Expected
from djhop.hops import Hops
from djhop.interpreters.interpreters import Interpreter
from djhop.jobs import Maker, Options
from djhop.landing import RED
from djhop.longest import Longest
from djhop.matrix import amounts, flaky
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Plan, settings_of
from djhop.news import Command, Event, Finished, Over, Progress, Said, Stage, Started
from djhop.processes import process
from djhop.repeats import Repeats
from djhop.reruns import End
from djhop.resolve.locks import Lock, Unresolvable
from djhop.results import statements
from djhop.results.results import CellResult
from djhop.results.steps import BAD
from djhop.services.running import ServiceError
from djhop.services.services import Services
from djhop.store import record
from djhop.store.store import RunFolder
from djhop.target.target import Target
from djhop.workspace import revision as revisions
from djhop.workspace.revision import Revision

#: Does what `cells.run_cell` does.
Work = Callable[[Job, process.Spawner, Report], CellResult]


class Session:
    """One run of a plan. `events()` does the work; then `folder` and `exit_code` are set.

    `plan` has the cells to run; `whole` the matrix they are part of: a cell has the same lock
    whether it is run alone or with all others. `desk`: one hop that somebody is at work on.
    """

    def __init__(
        self,
        *,
        target: Target,
        matrix: Matrix,
        plan: Plan,
        whole: Plan,
        found: dict[str, Interpreter],
        options: Options,
        spawner: process.Spawner,
        desk: Desk | None = None,
    ) -> None:
        self.target, self.matrix, self.plan, self.whole = target, matrix, plan, whole
        self.found, self.options, self.spawner = dict(found), options, spawner
        self._desk = desk
        #: Who runs cells, where this machine does not.
        self.work: Work | None = None
        self.exit_code: int = ExitCode.INTERNAL
        self._queue: queue.Queue[Event | None] = queue.Queue()
        self._maker = Maker(
            target=target, matrix=matrix, options=options, found=self.found, spawner=spawner
        )
        self._locks = Chain(whole, self._maker.lock, jobs=options.jobs)
        self._stop = threading.Event()
        self._files: tuple[str, ...] = ()
        self._bugs = 0
        self._crossed = self._hops()
        self._known = flaky.read(Path(target.root), matrix.flaky.known)
        self._repeats = self._again()
        self._revision: Revision | None = None
        #: Open as long as nobody else may take up the run.
        self._hold = contextlib.ExitStack()
        self.folder: RunFolder
        self._services: Services

    def events(self) -> Iterator[Event]:
        """Run every cell and say what happens as it does; in the end the run is on disk."""
        with self._hold:
            yield from self._events()

    def _events(self) -> Iterator[Event]:
        started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        environments.sweep(locate.cache())
        self._sweep()
        self._files = jobs.files(self.target, self.matrix, Path(self.options.out), self.spawner)
        if self.matrix.before_rev:
            root = Path(self.target.root)
            self._revision = revisions.find(root, self.matrix.before_rev, self.spawner)
        statements.recall(self._statements)
        kept = self._open(started)
        yield self._started()
        for line in process.reap_leftovers(locate.cache() / "running"):
            yield Said(text=f"ended what an earlier djhop left behind: {line}")
        yield from self._install_pythons()
        todo = [cell for cell in self.plan.cells if cell.id not in kept]
        for result in kept.values():
            yield self._finished(result)
        for phase in (self._crossed, self._repeats):
            phase.folder = self.folder
            phase.end(kept)
        self._past(kept)
        self._services = self._offered()
        try:
            yield from self._run(todo)
        finally:
            self._services.stop()
        self._sweep()  # also what was too fresh when this run began
        self._close(time.monotonic() - clock)
        yield from (Said(text=text) for text in (*self._remember(), *self._make_room()))

    def _started(self) -> Started:
        return Started(
            cells=tuple(cell.id for cell in self.plan.cells),
            folder=str(self.folder.path),
            path=tuple(cell.id for cell in self.plan.path),
            hops=tuple(hop.id for hop in self.plan.hops),
            jobs=self.options.jobs,
            expected=self._expected,
        )

    @functools.cached_property
    def _expected(self) -> dict[str, Expected]:
        """What cells and hops took: in the newest run beside this one, else as remembered."""
        if self.options.install_only:
            return {}
        run, out = self.folder.read_run(), self.folder.path.parent
        place = remembering.place(self.matrix, self.folder)
        return earlier.expected(out, run) or remembering.expected(run, place)

    def _sweep(self) -> None:
        """Remove what a killed djhop has left half written."""
        scratch.sweep(locate.cache(), Path(self.options.out))

    def _offered(self) -> Services:
        """The services of this run; each djhop that shares a folder has its own."""
        logs = self.folder.path / "services"
        logs = logs / str(os.getpid()) if self.options.shared else logs
        return jobs.services(self.target, self.matrix, logs, self.spawner)

    @property
    def _statements(self) -> Path:
        return room_of(locate.cache(), Path(self.target.root)) / "statements"

    def _open(self, started: datetime.datetime) -> dict[str, CellResult]:
        """Make the run's folder, or take up the one that was cut short; return what it has."""
        out = Path(self.options.out).absolute()
        name = self.matrix.name or "run"
        judged = self.whole if self.options.shared else self.plan
        begun = record.begin(
            name,
            self.target,
            self.matrix,
            judged,
            started=started,
            command=self.options.command,
            inputs=jobs.inputs(
                self.target, self.matrix, self._files, self.options.chosen, self._revision
            ),
            whole=not self.options.chosen,
            known=self._known,
            state=jobs.state(self.target, self._files, self.spawner),
        )
        if self.options.shared:
            self.folder = landing.join(out / self.options.shared, begun)
            for cell in self.plan.cells:
                landing.own(self.folder, cell.id, self._hold, lambda: self.spawner.interrupted)
            return {}
        if self.options.resume and (cut := landing.resume(out, begun, self._hold)):
            self.folder, kept = cut
            return kept
        self.folder = landing.begin(out, begun, now=started, hold=self._hold)
        return {}

    def _install_pythons(self) -> Iterator[Event]:
        """Let uv install what is missing, where that is wanted and possible."""
        missing = dict.fromkeys(c.python for c in self.plan.cells if c.python not in self.found)
        if not missing or not self.options.install_python or self.options.offline:
            return
        for minor in missing:
            yield Said(text=f"Python {minor} is missing: asking uv for it")
            if why := locate.install_python(minor, self.spawner):
                yield Said(text=f"Python {minor} could not be installed: {why}")
        self.found.update(locate.pythons(self.spawner))

    def _run(self, todo: list[Cell]) -> Iterator[Event]:
        """Resolve and run cells side by side, pass events on."""
        # A hop into or out of a cell that is there already needs that cell's lock, too.
        needed = {*todo, *self._crossed.cells, *self._repeats.cells}
        resolver = threading.Thread(
            target=self._locks.make, args=(needed, self._stop.is_set), daemon=True
        )
        resolver.start()
        with concurrent.futures.ThreadPoolExecutor(max(1, self.options.jobs)) as pool:
            left = self._order(todo)
            done = [pool.submit(lambda: self._cell(left.take())) for _ in todo]
            done.append(pool.submit(self._crossed.cross))  # hops between cells that are kept
            done.append(pool.submit(self._repeats.repeat))
            for future in done:
                future.add_done_callback(lambda _: self._queue.put(None))
            going = len(done)
            while going:
                event = self._queue.get()
                if event is None:
                    going -= 1
                else:
                    yield event
        resolver.join()
        for future in done:
            if error := future.exception():  # its result could not be written
                self._bugs += not isinstance(error, DjhopError)
                yield Said(text=f"a cell is lost: {error}")

    def commands(self) -> Iterator[str]:
        """Every command that `events` would start, without starting any."""
        requests = {
            cell: self._maker.request(cell) for cell in self.plan.cells if cell.python in self.found
        }
        return dryrun.lines(
            self.plan,
            self.target,
            self.matrix,
            self.found,
            requests,
            uv=locate.uv(),
            args=self.options.args,
        )

    # Cells

    def _past(self, kept: Container[str]) -> None:
        """Cells that an interrupted run has finished: nobody is to wait for them."""
        for cell in self.plan.cells:
            if self._desk and cell.id in kept:
                self._desk.end(cell)

    def _order(self, todo: list[Cell]) -> Longest:
        if self._desk:  # it has an order of its own
            return Longest(self._desk.order(todo), {}, lambda _: True)
        return Longest(todo, self._expected, self._locks.made)

    def _cell(self, cell: Cell) -> None:
        try:
            self._do(cell)
        finally:
            if self._desk:
                self._desk.end(cell)

    def _do(self, cell: Cell) -> None:
        self.folder.forget_hops(cell.id)
        if self._stop.is_set() or self.spawner.interrupted:
            result = self._not_begun(cell)
        else:
            result = self._attempt(cell)
        allowed = settings_of(self.matrix, cell).allow_failure
        told = self._tests_of(cell)
        notes = (f"code and tests of {told}, not of the target as it is now",) if told else ()
        result = msgspec.structs.replace(
            result, allow_failure=allowed, notes=(*notes, *result.notes)
        )
        self.folder.write_cell(result)
        for phase in (self._crossed, self._repeats):
            phase.end([cell.id])
        if self.options.fail_fast and result.status in RED and not allowed:
            self._stop.set()
        self._queue.put(self._finished(result))
        self._crossed.cross()
        self._repeats.repeat()

    def _not_begun(self, cell: Cell) -> CellResult:
        if self.spawner.interrupted:
            return untested.without(cell, "interrupted", reason="djhop was asked to stop")
        return untested.without(cell, "not-run", reason="an earlier cell is red (--fail-fast)")

    def _finished(self, result: CellResult) -> Finished:
        return Finished(result=result, folder=str(self.folder.cell(result.id).path))

    def _attempt(self, cell: Cell) -> CellResult:
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

    # Hops

    def _hops(self) -> Hops:
        """The hops that a database is to cross."""
        plan = self.whole if self.options.shared else self.plan
        wanted = self.matrix.does("database") and not self.options.install_only
        return Hops(
            plan.hops if wanted else (),
            mine=self.plan.cells,
            shared=bool(self.options.shared),
            side=self._side,
            gone=lambda: self._services.gone() if self.matrix.service else None,
            spawner=self.spawner,
            tell=self._tell_hop,
        )

    def _tell_hop(self, hop: str, stage: str) -> None:
        self._queue.put(Stage(cell=hop, stage=stage) if stage else Over(hop=hop))

    def _again(self) -> Repeats:
        """The hops on which what newly fails is to be run again."""
        plan = self.whole if self.options.shared else self.plan
        wanted = self.matrix.does("tests") and not self.options.install_only
        return Repeats(
            plan.hops if wanted and self.matrix.flaky.reruns else (),
            mine=self.plan.cells,
            shared=bool(self.options.shared),
            end=lambda cell, result: End(job=self._equipped(self._job_of(cell)), result=result),
            gone=lambda: self._services.gone() if self.matrix.service else None,
            say=lambda text: self._queue.put(Said(text=text, shown=True)),
            known=self._known,
            spawner=self.spawner,
            tell=self._tell_hop,
        )

    def _job_of(self, cell: Cell) -> Job:
        """The job of a cell that has been done."""
        lock = self._locks.lock(cell)
        if isinstance(lock, Unresolvable):
            raise InfraError(f"{cell.id} has no lock: {lock.reason}")
        return self._made(cell, lock)

    def _made(self, cell: Cell, lock: Lock) -> Job:
        job = self._maker.job(cell, lock, self._files, self.folder.cell(cell.id).path)
        if self._tests_of(cell) and self._revision:
            return self._maker.deployed(job, self._revision)
        return job

    def _tests_of(self, cell: Cell) -> str:
        """The revision whose tests a cell runs, where that is not the target as it is now."""
        first = self._revision and self.options.deployed and cell == self.whole.path[0]
        return self._revision.said if first and self._revision else ""

    def _side(self, cell: Cell, result: CellResult) -> Side:
        """One end of a hop; before the first hop it may be another revision of the target."""
        job, told = self._job_of(cell), ""
        if self._revision and cell == self.whole.path[0]:
            if not self.options.deployed:
                job = self._maker.deployed(job, self._revision)
            told = self._revision.said
        folder = self.folder.cell(cell.id).path
        return Side(job=self._equipped(job), result=result, folder=folder, revision=told)

    def _equipped(self, job: Job) -> Job:
        """Add what leads to the run's services, if it has any."""
        if not self.matrix.service or self.options.install_only:
            return job
        return jobs.equipped(job, self._services)

    def _worked(self, cell: Cell) -> CellResult:
        interpreter = self.found.get(cell.python)
        if interpreter is None:
            return untested.no_python(cell)
        report = self._reporter(cell)
        report("lock")
        lock = self._locks.lock(cell)
        if isinstance(lock, Unresolvable):
            return untested.unresolvable(cell, lock)
        job = self._made(cell, lock)
        if not self.matrix.service or self.options.install_only:
            return self._ran(job, report)
        report("services")
        return self._served(self._equipped(job), report)

    def _ran(self, job: Job, report: Report) -> CellResult:
        """Run a cell, unless that would show nothing new to somebody at work on one hop."""
        if told := self._tests_of(job.cell):
            self._queue.put(Said(text=f"{job.cell.id} has the code and tests of {told}"))
        if self._desk is None:
            return self._done(job, report)
        result = self._desk.result(job, os.environ, lambda: self._done(job, report))
        for note in result.notes:
            if note.startswith(FROM):
                self._queue.put(Said(text=f"{job.cell.id} is {note}"))
        return result

    def _done(self, job: Job, report: Report) -> CellResult:
        """Run a cell: here, or where its worker is."""
        return (self.work or cells.run_cell)(job, self.spawner, report)

    def _served(self, job: Job, report: Report) -> CellResult:
        """Run a cell; without its services nothing that failed there says anything."""
        result = cells.run_cell(job, self.spawner, report)
        untouched = ("passed", "uninstallable")  # no service has a part in these
        red = result.status not in untouched
        broken = any(step.status in BAD for step in result.steps.values())
        if not (red or broken) or not (gone := self._services.gone()):
            return result
        if red:
            raise gone
        lost = {name: step.lost(str(gone)) for name, step in result.steps.items()}
        return msgspec.structs.replace(result, steps=lost)

    def _internal_error(self, cell: Cell, error: Exception) -> CellResult:
        """Keep the traceback of a bug in djhop where it can be pasted from."""
        self._bugs += 1
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
                self._queue.put(Command(cell=cell.id, command=command))
            elif tests is None:
                self._queue.put(Stage(cell=cell.id, stage=stage))
            else:
                self._queue.put(Progress(cell=cell.id, done=tests[0], expected=tests[1]))

        return report

    def _remember(self) -> list[str]:
        """Add the run to the history, where it says something of the whole suite as it is now."""
        other = self.options.deployed and self._revision is not None
        if self.options.shared or self.options.install_only or self._desk or other:
            return []
        return remembering.remember(self.folder, remembering.place(self.matrix, self.folder))

    def _make_room(self) -> list[str]:
        """Keep the cache as small as the matrix says."""
        keep = amounts.size(self.matrix.cache_keep)
        if keep is None or self.spawner.interrupted:
            return []
        gone = pruning.make_room(locate.cache(), keep, time.time())
        return [f"{len(gone)} entries of the cache removed (cache-keep)"] if gone else []

    def _close(self, seconds: float) -> None:
        """Judge the hops, write `run.json`, and decide the exit code."""
        compared = closing.write(
            self.folder,
            self.whole if self.options.shared else self.plan,
            root=Path(self.target.root),
            interrupted=self.spawner.interrupted,
            seconds=seconds,
            whole=not self.options.chosen,
            other=tuple(cell.id for cell in self.plan.cells if self._tests_of(cell)),
        )
        statements.keep(self._statements)
        alone = self._desk is not None and self._desk.alone
        self.exit_code = closing.exit_code(
            compared,
            self.plan,
            hops=not (self.options.shared or self.options.install_only or alone),
            untested=self.options.install_only or alone or not self.matrix.does("tests"),
            interrupted=self.spawner.interrupted,
            bugs=self._bugs + self._crossed.bugs + self._repeats.bugs,
        )
