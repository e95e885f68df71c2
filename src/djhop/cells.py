"""One cell, from a plain job to a result: environment, workspace, and up to three passes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from djhop import durable, masking, releases
from djhop.environments import damage, environments, overlay
from djhop.environments.environments import Environment
from djhop.environments.inside import Inside
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, Interrupted
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell
from djhop.processes import marks
from djhop.processes.process import Command, Spawner
from djhop.resolve.locks import Lock, requirements_text
from djhop.results import events, foreign, junit, measure, passes, results
from djhop.results.passes import Next, Ran
from djhop.results.paths import Paths
from djhop.results.progress import Tally
from djhop.results.results import CellResult
from djhop.results.steps import STEPS, Step, StepName
from djhop.steps import commands as step_commands
from djhop.steps import running
from djhop.steps.commands import Served
from djhop.suites import foreign as commands
from djhop.suites import suites
from djhop.suites.suites import PassFiles, Room, Stand
from djhop.suites.taken import Taken
from djhop.target import pytest_config
from djhop.target.target import Suite, Target
from djhop.untested import without
from djhop.workspace import workspace
from djhop.workspace.workspace import Workspace

#: Called with a stage; while tests run, with a stage and (tests over, tests collected).
Report = Callable[..., None]

PROBE = Path(__file__).resolve().parent / "probe"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """All that one cell needs to know; plain data, so that it can travel."""

    cell: Cell
    target: Target
    matrix: Matrix
    settings: CellSettings
    interpreter: Interpreter
    lock: Lock
    #: The cell's folder in the run: `<run>/cells/<cell>`.
    folder: str
    cache: str
    #: What belongs to the target, as `visible.files` lists it.
    files: tuple[str, ...]
    #: What follows `--` on the command line.
    args: tuple[str, ...] = ()
    recreate: bool = False
    install_only: bool = False
    offline: bool = False
    #: Variables that lead to the run's services, and where those are.
    services: dict[str, str] = {}
    served: Served = Served()
    #: Set to look behind causes that are taken away: one plain run, nothing measured.
    taken: Taken | None = None


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


class _Work:
    """One cell being done."""

    def __init__(self, job: Job, spawner: Spawner, report: Report) -> None:
        self.job, self.spawner, self._report = job, spawner, report
        self.folder, self.cache = Path(job.folder), Path(job.cache)
        self.seconds: dict[str, float] = {}
        self.notes: list[str] = [*job.lock.notes]
        self.inside: Inside
        #: Of services that the matrix's own commands start; see `Spawner.lasting`.
        self.mark = ""

    def do(self) -> CellResult:
        # A run that was killed, or a shared folder, may have left passes of this cell.
        shutil.rmtree(self.folder, ignore_errors=True)
        durable.make(self.folder)
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

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self._report(name)
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 3)

    def _environment(self) -> tuple[Environment, Path]:
        job = self.job
        environment = self._ensured(recreate=job.recreate)
        if environment.changes:
            self.notes.append(
                "the environment was made anew: tests of an earlier run, or somebody else, had "
                f"changed it ({environments.told(environment.changes)})"
            )
        self._say_damaged(environment)
        tools = environments.tools(
            job.interpreter, cache=self.cache, spawner=self.spawner, offline=job.offline
        )
        return environment, tools

    def _say_damaged(self, environment: Environment) -> None:
        if environment.damaged and (said := damage.told(environment.damaged)) not in self.notes:
            self.notes.append(said)

    def _ensured(self, *, recreate: bool = False) -> Environment:
        return environments.ensure(
            self.job.lock,
            self.job.interpreter,
            cache=self.cache,
            spawner=self.spawner,
            recreate=recreate,
            offline=self.job.offline,
            cwd=Path(self.job.target.root),
        )

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
        )

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

    @contextlib.contextmanager
    def _room(self, environment: Environment, tools: Path) -> Iterator[tuple[Stand, Workspace]]:
        """Have the cell's workspace, with a fresh copy of the target in it."""
        base = room_of(self.cache, Path(self.job.target.root)) / self.job.cell.id
        self.inside = Inside(environment, self.spawner, self.notes.append)
        with contextlib.ExitStack() as stack:
            with self._stage("workspace"):
                root = Path(self.job.target.root)
                room = stack.enter_context(workspace.open(root, base, files=self.job.files))
                laid = self._overlay(room)
            self.notes += room.notes
            stand = self._stand(environment, tools, room, laid.dirs)
            if self.job.settings.before or self.job.settings.after:
                self.mark = stack.enter_context(self.spawner.lasting())
            yield stand, room

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

    def _overlay(self, room: Workspace) -> overlay.Overlay:
        if not self.job.target.packaged or self.job.matrix.install_project == "never":
            return overlay.Overlay((), ())
        laid = overlay.overlay(
            room.tree,
            self.job.interpreter,
            cache=self.cache,
            spawner=self.spawner,
            recreate=self.job.recreate,
            offline=self.job.offline,
        )
        self.notes += (note for note in laid.notes if note not in self.notes)
        return laid

    def _stand(
        self, environment: Environment, tools: Path, room: Workspace, dirs: tuple[str, ...]
    ) -> Stand:
        """What all passes share: environment variables, places, what is measured."""
        job, suite = self.job, self.job.target.suite
        assert suite is not None
        place = Room(
            cell=job.cell.id,
            python=job.cell.python,
            workspace=str(room.tree),
            home=str(room.home),
            tmp=str(room.tmp),
            environment=str(environment.path),
            probe=str(PROBE),
            import_roots=job.target.import_roots,
        )
        wanted = measure.options(room.tree)
        source, omit = wanted.measured(str(room.tree))
        folder = suite.working_directory
        config = pytest_config.read(room.tree, folder)
        env = suites.cell_environ(
            place,
            inherited=os.environ,
            pass_env=job.matrix.pass_env,
            set_env={**dict(suite.environment), **job.services, **job.settings.env},
            settings=suite.settings,
            branch=job.matrix.branch,
        )
        return Stand(
            room=place,
            django=job.cell.django,
            interpreter=str(environment.python),
            env=env,
            working_directory=folder or ".",
            packages=frozenset(environment.packages),
            addopts=config.addopts,
            ignores=config.ignores if suite.kind == "pytest" else 0,
            overlay=dirs,
            tools=(str(tools),),
            source=source if job.taken is None else None,
            omit=omit,
            branch=job.matrix.branch,
            literal=job.matrix.strict == "literal",
            isolate=job.matrix.isolate,
            taken=job.taken,
            timeout=job.settings.timeout,
        )

    def _commands(self, when: str, lines: tuple[str, ...], stand: Stand) -> str:
        """Run the matrix's own commands in the workspace; return what failed, or ""."""
        for line in lines:
            argv = tuple(shlex.split(line))
            told = f"the {when} command `{masking.mask(line, masking.values(stand.env))}`"
            done = self.inside.run(
                told,
                Command(
                    argv=argv,
                    cwd=str(Path(stand.room.workspace, stand.working_directory)),
                    env=stand.env,
                    timeout=stand.timeout,
                    log=str(self.folder / f"log-{when}.txt"),
                    mark=self.mark,
                ),
            )
            if done.interrupted:
                raise Interrupted("interrupted")
            if done.returncode != 0:
                how = "timed out" if done.timed_out else f"ended with {done.returncode}"
                return f"{told} {how}; see log-{when}.txt"
        return ""

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

    def _anew(self, stand: Stand, room: Workspace) -> None:
        """What a pass left in the tree or the environment is not to meet the next one."""
        if self.mark:
            marks.end(self.mark)  # services are started again
        if self.inside.changes:
            try:
                self._say_damaged(self._ensured())
            except CannotInstall as error:  # a moment ago it could be
                raise InfraError(f"the environment cannot be made anew: {error}") from error
        workspace.refresh(room, Path(self.job.target.root), self.job.files)
        self._overlay(room)
        if failed := self._commands("before", self.job.settings.before, stand):
            self.notes.append(f"before a further pass, {failed}")

    def _steps(
        self, stand: Stand, room: Workspace, environment: Environment, *, fresh: bool
    ) -> dict[StepName, Step]:
        """Do Django's own upgrade steps, on a fresh tree; one that fails is no harm to another."""
        place = self._place(stand, room, environment)
        found: dict[StepName, Step] = {}
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

    def _place(self, stand: Stand, room: Workspace, environment: Environment) -> running.Place:
        suite = self.job.target.suite
        assert suite is not None
        return running.Place(
            folder=self.folder,
            enter=step_commands.entrance(suite, room.tree),
            stand=stand,
            paths=self._paths(stand, environment),
            site_packages=environment.site_packages,
            timeout=self.job.matrix.step_timeout,
            served=self.job.served,
        )

    def _paths(self, stand: Stand, environment: Environment, *hidden: Path) -> Paths:
        return Paths(
            root=stand.room.workspace,
            site_packages=(environment.site_packages,),
            hidden=(PROBE, *hidden),
            import_roots=stand.room.import_roots,
        )

    def _pass(self, stand: Stand, wanted: Next) -> Ran:
        suite = self.job.target.suite
        assert suite is not None
        files = PassFiles.in_folder(str(self.folder), wanted.mode)
        if suite.kind == "command":
            return self._foreign(suite, stand, wanted, files)
        command, config = suites.pass_command(
            suite,
            stand,
            mode=wanted.mode,
            files=files,
            args=self.job.args,
        )
        durable.write(Path(files.config), msgspec.json.encode(config))
        Path(files.events).unlink(missing_ok=True)
        tally = Tally(Path(files.events))
        done = self.inside.run(
            f"the {wanted.mode} run",
            command,
            on_tick=lambda: self._report(wanted.mode, tally.look()),
        )
        masking.rewrite(Path(files.junit), stand.env)
        return passes.finish(
            wanted.mode,
            done,
            events.read(Path(files.events)),
            xml_tests=junit.count(Path(files.junit)) if suite.kind == "pytest" else None,
            log=Path(files.log).name,
        )

    def _foreign(self, suite: Suite, stand: Stand, wanted: Next, files: PassFiles) -> Ran:
        """A pass of a command that only the files it writes tell of."""
        tree, args = Path(stand.room.workspace), self.job.args
        command = commands.pass_command(suite, stand, mode=wanted.mode, files=files, args=args)
        foreign.clear(tree, suite.junit)
        done = self.inside.run(f"the {wanted.mode} run", command)
        found = foreign.read(tree, suite.junit, wanted.mode, done, masking.numbered(stand.env))
        return passes.finish(wanted.mode, done, found, log=Path(files.log).name)

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


def room_of(cache: Path, root: Path) -> Path:
    """The folder under the cache that holds the workspaces of the target at `root`."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:10]
    return cache / "workspaces" / f"{root.name or 'target'}-{digest}"
