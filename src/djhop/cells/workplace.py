"""A cell's environment and workspace, and what every command in them shares."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from djhop import masking
from djhop.cells.job import Job, Report, room_of
from djhop.environments import damage, environments, overlay
from djhop.environments.environments import Environment
from djhop.environments.inside import Inside
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, Interrupted
from djhop.processes import marks
from djhop.processes.process import Command, Spawner
from djhop.results import measure
from djhop.results.paths import Paths
from djhop.sandbox.sandbox import Sandbox
from djhop.steps import commands as step_commands
from djhop.steps import running
from djhop.suites import suites
from djhop.suites.suites import Room, Stand
from djhop.target import pytest_config
from djhop.workspace import workspace
from djhop.workspace.workspace import Workspace

PROBE = Path(__file__).resolve().parents[1] / "probe"


class Workplace:
    """Where one cell is worked on: its environment, a fresh copy of the target, what runs there."""

    def __init__(self, job: Job, spawner: Spawner, report: Report) -> None:
        self.job, self.spawner, self._report = job, spawner, report
        self.folder, self.cache = Path(job.folder), Path(job.cache)
        self.seconds: dict[str, float] = {}
        self.notes: list[str] = [*job.lock.notes]
        self.inside: Inside
        self.room: Workspace
        #: Of services that the matrix's own commands start; see `Spawner.lasting`.
        self.mark = ""

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

    @contextlib.contextmanager
    def _room(self, environment: Environment, tools: Path) -> Iterator[tuple[Stand, Workspace]]:
        """Have the cell's workspace, with a fresh copy of the target in it."""
        base = room_of(self.cache, Path(self.job.target.root)) / self.job.cell.id
        self.inside = Inside(environment, self.spawner, self.notes.append, self._sandbox(base))
        with contextlib.ExitStack() as stack:
            with self._stage("workspace"):
                root = Path(self.job.target.root)
                room = stack.enter_context(workspace.open(root, base, files=self.job.files))
                self.room = room
                laid = self._overlay(room)
            self.notes += room.notes
            stand = self._stand(environment, tools, room, laid.dirs)
            if self.job.settings.before or self.job.settings.after:
                self.mark = stack.enter_context(self.spawner.lasting())
            yield stand, room

    def _sandbox(self, base: Path) -> Sandbox | None:
        """Where the target's code may write: its workspace, and what is its own of the run."""
        if not self.job.matrix.sandbox:
            return None
        hops = self.folder.parents[1] / "hops"
        writable = (str(base), str(self.folder), str(hops))
        return Sandbox(writable=writable, refused=str(self.folder / "sandbox-refused"))

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
            shard=job.shard,
            timeout=job.settings.timeout,
            test_timeout=job.settings.test_timeout,
            silence_timeout=job.settings.silence_timeout,
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
