"""One cell, from a plain job to a result: environment, workspace, and up to three passes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from djhop import durable, releases
from djhop.cells import cut
from djhop.cells.job import Job, Report
from djhop.cells.passing import Passing
from djhop.environments import environments
from djhop.environments.environments import Environment
from djhop.environments.inside import Inside
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, Interrupted
from djhop.processes.process import Spawner
from djhop.resolve.locks import requirements_text
from djhop.results import junit, measure, passes, results
from djhop.results.passes import Next, Ran
from djhop.results.paths import Paths
from djhop.results.results import CellResult, Part
from djhop.results.steps import STEPS, Step, StepName
from djhop.steps import running
from djhop.suites import selecting, suites
from djhop.suites.suites import Stand
from djhop.untested import without
from djhop.workspace.workspace import Workspace


def run_cell(job: Job, spawner: Spawner, report: Report) -> CellResult:
    """Do all of a cell's work and say what it saw; what is wrong with the target is a result.

    Raises:
        InfraError: the machine or the network failed.
        Interrupted: djhop was asked to stop.
    """
    return _Work(job, spawner, report).do()


def entered(
    job: Job, spawner: Spawner, folder: Path
) -> contextlib.AbstractContextManager[tuple[running.Place, Inside]]:
    """Have a cell's environment and a fresh workspace again; logs go to `folder`."""
    job = msgspec.structs.replace(job, folder=str(folder), recreate=False)
    return _Work(job, spawner, lambda *_: None).entered()


@contextlib.contextmanager
def rerunning(job: Job, spawner: Spawner, folder: Path) -> Iterator[Again]:
    """Have a cell's environment and workspace again, to run single tests in it, plainly.

    Each run is on a fresh tree and is not measured; logs go to `folder`.

    Raises:
        CannotInstall, InfraError, Interrupted: they cannot be had.
    """
    suite = job.target.suite
    assert suite is not None
    bare, args = selecting.without_tests(suite, job.args)
    looked = msgspec.structs.replace(job.target, suite=bare)
    alike = {"folder": str(folder), "recreate": False, "target": looked, "args": args}
    alike["shard"] = None
    with _Work(msgspec.structs.replace(job, **alike), spawner, lambda *_: None).again() as again:
        yield again


@contextlib.contextmanager
def repeating(job: Job, spawner: Spawner, folder: Path) -> Iterator[Again]:
    """The same, to run the whole suite as it is: no test is named to `run`.

    Raises:
        CannotInstall, InfraError, Interrupted: they cannot be had.
    """
    job = msgspec.structs.replace(job, folder=str(folder), recreate=False)
    with _Work(job, spawner, lambda *_: None).again() as again:
        yield again


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """A cell in which single tests, or the whole suite, can be run again."""

    #: (what the files are called, a test or module or "", seconds it may take) → its run.
    run: Callable[[str, str, float], Ran]
    paths: Paths


class _Work(Passing):
    """One cell being done."""

    def do(self) -> CellResult:
        # A run that was killed, or a shared folder, may have left passes of this cell.
        cut.clear(self.folder)
        durable.write(self.folder / "requirements.txt", requirements_text(self.job.lock).encode())
        try:
            with self._stage("environment"):
                environment, tools = self._environment()
        except CannotInstall as error:
            return without(
                self.job.cell,
                "uninstallable",
                reason=f"{error}\nall of it: {error.log}",
                hint=f"see {error.log}",
            )
        if self.job.install_only:
            return self._described(
                without(self.job.cell, "not-run", reason="installed, as asked (--install-only)"),
                environment,
            )
        result = self._tested(environment, tools)
        if not self.inside.changes:
            environments.harvest(environment, self.job.interpreter, self.cache)
        return self._described(result, environment)

    def _described(self, result: CellResult, environment: Environment) -> CellResult:
        """Add what the passes do not know."""
        return msgspec.structs.replace(
            result,
            django_release=result.django_release or self.job.lock.django_release,
            python_release=result.python_release or self.job.interpreter.release,
            forced=self.job.lock.forced,
            blockers=self.job.lock.blockers,
            packages=environment.packages,
            moves_why=self.job.lock.moves_why,
            seconds=self.seconds | result.seconds,
            part=result.part or self._part(),
        )

    def _part(self) -> Part | None:
        """The part of the suite, where the suite was never loaded."""
        shard = self.job.shard
        return Part(number=shard.number, of=shard.of) if shard else None

    def _tested(self, environment: Environment, tools: Path) -> CellResult:
        with self._room(environment, tools) as (stand, room):
            if failed := self._commands("before", self.job.settings.before, stand):
                return without(self.job.cell, "infra", reason=failed)
            runs = self._passes(stand, room) if self.job.matrix.does("tests") else []
            steps = self._steps(stand, room, environment, fresh=not runs)
            if failed := self._commands("after", self.job.settings.after, stand):
                self.notes.append(failed)
            result = self._result(stand, environment, tools, runs)
            return msgspec.structs.replace(result, steps=steps)

    def _passes(self, stand: Stand, room: Workspace) -> list[Ran]:
        """Run strict, then whatever is needed to know what each test does, each on a fresh tree."""
        if self.job.taken is not None:
            with self._stage("plain"):
                return [self._pass(stand, Next(mode="plain"))]
        following: Next | None = Next(mode="strict")
        runs: list[Ran] = []
        while following is not None:
            with self._stage(following.mode):
                runs.append(self._pass(stand, following))
            following = passes.next_pass(runs)
            if following is not None:
                self._anew(stand, room)
        return runs

    def _steps(
        self, stand: Stand, room: Workspace, environment: Environment, *, fresh: bool
    ) -> dict[StepName, Step]:
        """Do Django's own upgrade steps, on a fresh tree; one that fails is no harm to another."""
        place = self._place(stand, room, environment)
        found: dict[StepName, Step] = {}
        if self.job.shard and self.job.shard.number > 1:
            return found  # once for the cell, on the machine of its first part
        for name in filter(self.job.matrix.does, STEPS):
            if self.spawner.interrupted:
                raise Interrupted("interrupted")
            try:
                if not fresh or self.inside.changes:
                    self._anew(stand, room)
                fresh = True
                with self._stage(name):
                    found[name] = running.run(name, place, self.inside.run)
            except InfraError as error:  # what the tests showed is true all the same
                found[name] = Step(status="not-available", reason=str(error))
        return found

    def _result(
        self, stand: Stand, environment: Environment, tools: Path, runs: list[Ran]
    ) -> CellResult:
        suite = self.job.target.suite
        assert suite is not None
        if not runs:
            chosen = ", ".join(self.job.matrix.only)
            result = without(
                self.job.cell, "not-run", reason=f"no test was run, as asked (only: {chosen})"
            )
            return msgspec.structs.replace(result, notes=tuple(dict.fromkeys(self.notes)))
        paths = self._paths(stand, environment, tools)
        tree = Path(stand.room.workspace)
        measured = sorted(self.folder.glob("coverage-*"))
        self.notes += suites.neutralised(suite, stand, self.job.args)
        result = results.build(
            self.job.cell,
            runs,
            paths=paths,
            releases=releases.load(),
            coverage=measure.per_cent(measured, tree, measure.options(tree)),
            notes=self.notes,
        )
        junit.to_junit(result).write(str(self.folder / "junit.xml"))
        measure.combine(
            dict.fromkeys(measured, tree), Path(self.job.target.root), self.folder / "coverage"
        )
        return result

    @contextlib.contextmanager
    def entered(self) -> Iterator[tuple[running.Place, Inside]]:
        """Have the cell's environment and workspace for something else than its own work.

        Raises:
            CannotInstall, InfraError, Interrupted: they cannot be had.
        """
        environment, tools = self._environment()
        with self._room(environment, tools) as (stand, room):
            if failed := self._commands("before", self.job.settings.before, stand):
                raise InfraError(failed)
            yield self._place(stand, room, environment), self.inside
            self._commands("after", self.job.settings.after, stand)

    @contextlib.contextmanager
    def again(self) -> Iterator[Again]:
        """Have what `rerunning` gives."""
        environment, tools = self._environment()
        with self._room(environment, tools) as (stand, room):
            if failed := self._commands("before", self.job.settings.before, stand):
                raise InfraError(failed)
            fresh = True

            def run(name: str, chosen: str, seconds: float) -> Ran:
                nonlocal fresh
                if not fresh:
                    self._anew(stand, room)
                fresh = False
                limit = min(seconds, stand.timeout or seconds)
                bare = msgspec.structs.replace(stand, source=None, timeout=limit)
                words = (self._placed(stand, room, chosen),) if chosen else ()
                return self._pass(bare, Next(mode="plain"), name=name, chosen=words)

            yield Again(run=run, paths=self._paths(stand, environment, tools))
            self._commands("after", self.job.settings.after, stand)

    def _placed(self, stand: Stand, room: Workspace, chosen: str) -> str:
        return selecting.placed(
            chosen, str(room.tree), stand.working_directory, lambda path: Path(path).is_file()
        )
