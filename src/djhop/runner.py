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
from collections.abc import Container, Iterator
from pathlib import Path

import msgspec

from djhop import (
    closing,
    dryrun,
    earlier,
    jobs,
    landing,
    locate,
    remembering,
    scratch,
)
from djhop.attempts import Attempts
from djhop.caching import pruning
from djhop.cells.job import room_of
from djhop.chain import Chain
from djhop.desk.desk import Desk
from djhop.environments import environments
from djhop.errors import DjhopError, ExitCode
from djhop.estimate import Expected
from djhop.hops import Hops
from djhop.interpreters.interpreters import Interpreter
from djhop.jobs import Maker, Options
from djhop.landing import RED
from djhop.longest import Longest
from djhop.matrix import amounts, flaky
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Plan, settings_of
from djhop.news import Event, Finished, Over, Said, Stage, Started
from djhop.processes import process
from djhop.repeats import Repeats
from djhop.results import statements
from djhop.results.results import CellResult
from djhop.services.services import Services
from djhop.store import record
from djhop.store.store import RunFolder
from djhop.target.target import Target
from djhop.workspace import revision as revisions


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
        self.exit_code: int = ExitCode.INTERNAL
        self._queue: queue.Queue[Event | None] = queue.Queue()
        self._maker = Maker(
            target=target, matrix=matrix, options=options, found=self.found, spawner=spawner
        )
        self._locks = Chain(whole, self._maker.lock, jobs=options.jobs)
        self.cells = Attempts(
            whole=whole, maker=self._maker, locks=self._locks, desk=desk, tell=self._queue.put
        )
        self._stop = threading.Event()
        self._bugs = 0
        self._crossed = self._hops()
        self._known = flaky.read(Path(target.root), matrix.flaky.known)
        self._repeats = self._again()
        #: Open as long as nobody else may take up the run.
        self._hold = contextlib.ExitStack()
        self.folder: RunFolder

    def events(self) -> Iterator[Event]:
        """Run every cell and say what happens as it does; in the end the run is on disk."""
        with self._hold:
            yield from self._events()

    def _events(self) -> Iterator[Event]:
        started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        environments.sweep(locate.cache())
        self._sweep()
        self.cells.files = jobs.files(
            self.target, self.matrix, Path(self.options.out), self.spawner
        )
        if self.matrix.before_rev:
            root = Path(self.target.root)
            self.cells.revision = revisions.find(root, self.matrix.before_rev, self.spawner)
        statements.recall(self._statements)
        kept = self._open(started)
        self.cells.folder = self.folder
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
        self.cells.services = self._offered()
        try:
            yield from self._run(todo)
        finally:
            self.cells.services.stop()
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
                self.target, self.matrix, self.cells.files, self.options.chosen, self.cells.revision
            ),
            whole=not self.options.chosen,
            known=self._known,
            state=jobs.state(self.target, self.cells.files, self.spawner),
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
            result = self.cells.not_begun(cell)
        else:
            result = self.cells.attempt(cell)
        allowed = settings_of(self.matrix, cell).allow_failure
        told = self.cells.tests_of(cell)
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

    def _finished(self, result: CellResult) -> Finished:
        return Finished(result=result, folder=str(self.folder.cell(result.id).path))

    # Hops

    def _hops(self) -> Hops:
        """The hops that a database is to cross."""
        plan = self.whole if self.options.shared else self.plan
        wanted = self.matrix.does("database") and not self.options.install_only
        return Hops(
            plan.hops if wanted else (),
            mine=self.plan.cells,
            shared=bool(self.options.shared),
            side=self.cells.side,
            gone=lambda: self.cells.services.gone() if self.matrix.service else None,
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
            end=self.cells.end,
            gone=lambda: self.cells.services.gone() if self.matrix.service else None,
            say=lambda text: self._queue.put(Said(text=text, shown=True)),
            known=self._known,
            spawner=self.spawner,
            tell=self._tell_hop,
        )

    def _remember(self) -> list[str]:
        """Add the run to the history, where it says something of the whole suite as it is now."""
        other = self.options.deployed and self.cells.revision is not None
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
            other=tuple(cell.id for cell in self.plan.cells if self.cells.tests_of(cell)),
        )
        statements.keep(self._statements)
        alone = self._desk is not None and self._desk.alone
        self.exit_code = closing.exit_code(
            compared,
            self.plan,
            hops=not (self.options.shared or self.options.install_only or alone),
            untested=self.options.install_only or alone or not self.matrix.does("tests"),
            interrupted=self.spawner.interrupted,
            bugs=self._bugs + self.cells.bugs + self._crossed.bugs + self._repeats.bugs,
        )
