"""`djhop peel`: a red cell, run again on a scratch copy, each time without its first cause.

Nothing of this is a result of the cell: its status, the verdicts and the exit code stay.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from djhop import durable, landing, locate
from djhop.again import Again
from djhop.cells.job import Job, room_of
from djhop.compare.causes import label
from djhop.compare.verdicts import life
from djhop.errors import DjhopError, ExitCode, Interrupted, UsageError, did_you_mean
from djhop.fixes.rewrite import NAME, Fixer, fixer, rewrite
from djhop.matrix.plan import Cell
from djhop.peels import ways
from djhop.peels.changing import Change
from djhop.peels.layers import (
    Ended,
    Layer,
    Peel,
    Seen,
    Sight,
    Told,
    helped,
    runs,
    sights,
    useless,
)
from djhop.peels.leaving import Site
from djhop.peels.ways import Way
from djhop.results.results import CellResult
from djhop.services.services import Services
from djhop.store.record import Run, RunCell
from djhop.store.store import RunFolder
from djhop.suites.taken import Taken
from djhop.workspace import workspace

#: Says one line of what is going on.
Say = Callable[[str], None]
RED = frozenset({"failed", "uncollectable", "crashed"})
#: More layers say nothing new.
MOST = 50


def wanted(run: Run, *, cell: str = "", hop: str = "", every: bool = False) -> tuple[str, ...]:
    """Choose the cells to peel: one that is named, the worst that is red, or each that is.

    Raises:
        UsageError: there is no such cell or hop, or it is not red.
    """
    known = {one.id: one for one in run.cells}
    if hop:
        ids = [one.id for one in run.plan.hops]
        if hop not in ids:
            raise UsageError(f"no hop {hop!r} in {run.name}", hint=_close(hop, ids))
        cell = hop.partition("..")[2]
    if cell:
        if cell not in known:
            raise UsageError(f"no cell {cell!r} in {run.name}", hint=_close(cell, list(known)))
        if known[cell].status not in RED:
            raise UsageError(f"{cell} is {known[cell].status}: there is nothing to take away")
        return (cell,)
    order = [one.id for one in run.plan.path]
    red = [one for one in run.cells if one.status in RED]
    red.sort(key=lambda one: (_badness(one), one.id not in order))
    return tuple(one.id for one in (red if every else red[:1]))


def _badness(cell: RunCell) -> tuple[bool, int, int]:
    """Sort key: what hides most comes first."""
    return cell.ran > 0, -len(cell.dead_modules), -cell.failing


def _close(named: str, known: list[str]) -> str:
    return did_you_mean(named, known) or f"known: {', '.join(known[:8]) or 'none'}"


def peel_all(
    again: Again, chosen: tuple[str, ...], say: Say, *, budget: float | None = None
) -> tuple[Peel, ...]:
    """Peel each cell in turn, as long as the budget (seconds) lasts; each is kept when it is done.

    Raises:
        Interrupted: djhop was asked to stop; what was finished is kept.
        UsageError, InfraError: a cell cannot be run again at all.
    """
    limit = None if budget is None else time.monotonic() + budget
    made: list[Peel] = []
    for name in chosen:
        if limit is not None and made and time.monotonic() >= limit:
            say(f"{name}: not peeled, the time is over")
            continue
        made.append(_Peeling(again, name, say, limit).do())
        keep(again.folder, made[-1])
    return tuple(made)


class _Peeling:
    """One cell being peeled."""

    def __init__(self, again: Again, name: str, say: Say, limit: float | None) -> None:
        self.again, self.name, self.say, self.limit = again, name, say, limit
        self.cell = next(one for one in again.run.plan.cells if one.id == name)
        self.folder = again.folder.path / "peel" / name
        self.site = Site(
            files=frozenset(again.files), import_roots=tuple(again.target.import_roots)
        )
        suite = again.target.suite
        self.probe = suite is not None and suite.kind != "command"
        self.taken = Taken()
        self.left_out = False
        self.layers: list[Layer] = []
        #: Cause → the ways that were tried on it, and what is told of those that did not help.
        self.tried: dict[str, set[str]] = {}
        self.told: dict[str, list[str]] = {}
        self.tool: Fixer | None = None
        self.made = 0
        self.tree: Path
        self.services: Services

    def do(self) -> Peel:
        """Take away one cause after the other."""
        started = time.monotonic()
        first = result = self.again.folder.read_cell(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        durable.make(self.folder)
        ended: Ended | None = None
        reason = ""
        self.services = self.again.services(self.folder / "services")
        try:
            with self._scratch() as self.tree:
                while (after := self._next(result)) is not None:
                    result = after
        except _Over as over:
            ended, reason = "budget", str(over)
        except Interrupted:
            raise
        except DjhopError as error:
            ended, reason = "failed", str(error)
        finally:
            self.services.stop()
        seconds = round(time.monotonic() - started, 3)
        return self._peel(first, result, ended, reason, seconds)

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A copy of the target that nobody else uses, and that no cell writes to."""
        root = Path(self.again.target.root)
        base = room_of(locate.cache(), root) / "peel"
        with workspace.open(root, base, files=self.again.files) as room:
            yield room.tree

    def _next(self, result: CellResult) -> CellResult | None:
        """Take away the first cause that can be; return what is seen then, or None."""
        for sight in sights(result) if len(self.layers) < MOST else ():
            for way in ways.of(sight, self.site, self.tree, probe=self.probe):
                mark = f"{way.how} {way.what or way.fixer}"
                tried = self.tried.setdefault(sight.seen.cause, set())
                if mark not in tried:
                    tried.add(mark)
                    if (after := self._try(sight, way, result)) is not None:
                        return after
        return None

    def _try(self, sight: Sight, way: Way, before: CellResult) -> CellResult | None:
        """Try one way; where it does not help, undo it and return None."""
        if self.limit is not None and time.monotonic() >= self.limit:
            raise _Over("the time is over")
        done = Change(self.tree, way)
        what = self._rewritten(done, way) if way.how == "fixer" else done.emptied()
        cause = sight.seen.cause
        if not what:
            why = "rewrites nothing of it" if way.how == "fixer" else "cannot be left out"
            self._tell(cause, f"{way.what or f'{NAME} ({way.fixer})'}: {why}")
            return None
        taken, self.taken = self.taken, _both(self.taken, way.taken)
        layer = Layer(
            seen=msgspec.structs.replace(sight.seen, tried=tuple(self.told.get(cause, ()))),
            how=way.how,
            what=what,
            after_leaving=self.left_out and sight.seen.known is None,
        )
        self.say(f"{self.name}: {_short(sight.seen)}: {way.how.replace('-', ' ')}: {what}")
        after = self._run()
        layer = helped(layer, before, after)
        if why := _lost(after) or useless(layer, before, after):
            self._tell(cause, f"{what}: {why}")
            self.taken = taken
            done.undo()
            return None
        self.layers.append(layer)
        self.left_out = self.left_out or way.how == "left-out"
        return after

    def _tell(self, cause: str, what: str) -> None:
        self.told.setdefault(cause, []).append(what)

    def _rewritten(self, done: Change, way: Way) -> str:
        """Let the fixer rewrite; say what it did, or "" for nothing."""
        if self.tool is None:
            cache, spawner = locate.cache(), self.again.spawner
            offline = self.again.offline
            self.tool = fixer(self.again.found, cache=cache, spawner=spawner, offline=offline)
        made = rewrite(
            self.tree,
            way.files,
            self.cell.django,
            fixer=self.tool,
            spawner=self.again.spawner,
            only=(way.fixer,),
        )
        files = ", ".join(one.path for one in made.changed)
        done.changed = bool(files)
        return f"{NAME} ({way.fixer}) rewrote {files}" if files else ""

    def _run(self) -> CellResult:
        self.made += 1
        folder = self.folder / str(self.made)
        job = self._job(self.cell, folder)
        result = label(_plain(self.again.cell(job, lambda *_: None, self.services)))
        if self.again.spawner.interrupted:
            raise Interrupted("interrupted")
        durable.write(folder / "cell.json", durable.encode(result))
        if result.status == "timed-out" and self.limit and time.monotonic() >= self.limit:
            raise _Over("the time was over while the suite ran")
        return result

    def _job(self, cell: Cell, folder: Path) -> Job:
        job = self.again.job(cell, self.tree, folder)
        timeout = job.settings.timeout
        if self.limit is not None:
            timeout = min(timeout, max(self.limit - time.monotonic(), 1.0))
        settings = msgspec.structs.replace(job.settings, timeout=timeout)
        return msgspec.structs.replace(job, settings=settings, taken=self.taken)

    def _peel(
        self, first: CellResult, last: CellResult, ended: Ended | None, reason: str, seconds: float
    ) -> Peel:
        was, now = Told.of(first), Told.of(last)
        before, earlier = self._before()
        old = now.failing & earlier.failing
        return Peel(
            id=self.name,
            status=first.status,
            ran=len(was.there),
            failing=len(was.failing),
            fixer=f"{NAME} {self.tool.version}" if self.tool else "",
            layers=tuple(self.layers),
            left=tuple(self._left(one, old) for one in sights(last)),
            before=before,
            still=tuple(test.id for test in last.tests if test.id in now.failing),
            old=tuple(sorted(old)),
            missing=tuple(sorted(earlier.there - now.there)),
            ran_in_the_end=len(now.there),
            ended=ended or ("runs" if runs(last) else "stuck"),
            reason=reason,
            runs=self.made,
            seconds=seconds,
        )

    def _left(self, sight: Sight, old: frozenset[str]) -> Seen:
        tried = tuple(self.told.get(sight.seen.cause, ()))
        return msgspec.structs.replace(sight.seen, tried=tried, old=len(sight.tests & old))

    def _before(self) -> tuple[str, Told]:
        """The nearest cell before this one in which tests ran."""
        hops = sorted(self.again.run.plan.hops, key=lambda one: one.on_path)
        earlier = {hop.after.id: hop.before.id for hop in hops}
        name = self.name
        while name := earlier.pop(name, ""):
            with contextlib.suppress(UsageError):  # it is not on disk
                told = Told.of(self.again.folder.read_cell(name))
                if told.there:
                    return name, told
        return "", Told(there=frozenset(), failing=frozenset())


class _Over(Exception):  # noqa: N818 - it is no error
    """The time is over."""


def _plain(result: CellResult) -> CellResult:
    """Say only what was seen: nothing was run strictly."""
    tests = tuple(msgspec.structs.replace(test, strict=None) for test in result.tests)
    counts = {mode: count for mode, count in result.counts.items() if mode == "plain"}
    return msgspec.structs.replace(result, tests=tests, counts=counts)


def _both(one: Taken, other: Taken) -> Taken:
    return Taken(
        shims=(*one.shims, *other.shims),
        apps=(*one.apps, *other.apps),
        migrations=(*one.migrations, *other.migrations),
    )


def _lost(after: CellResult) -> str:
    """Why a run says nothing; "" where it does."""
    if life(after) in ("absent", "blocked"):
        return f"{after.status}, {after.reason}".rstrip(", ")
    return ""


def _short(seen: Seen) -> str:
    message = (seen.message.strip().splitlines() or [""])[0]
    return f"{seen.exception.rpartition('.')[2]}: {message}"[:80]


def keep(folder: RunFolder, peel: Peel) -> None:
    """Write a peel into the run's folder, and into `run.json`."""
    durable.make(folder.path / "peel")
    path = folder.path / "peel" / f"{folder.cell(peel.id).path.name}.json"
    durable.write(path, msgspec.json.format(durable.encode(peel)) + b"\n")
    with landing.alone(folder):
        run = folder.read_run()
        others = tuple(one for one in run.peels if one.id != peel.id)
        folder.write_run(msgspec.structs.replace(run, peels=(*others, peel)))


def exit_code(peels: tuple[Peel, ...]) -> ExitCode:
    """INCOMPLETE where one ended early; else OK, whatever fails."""
    early = any(one.ended in ("budget", "failed") for one in peels)
    return ExitCode.INCOMPLETE if early else ExitCode.OK
