"""What cells are given to work with: locks, the target's files, services."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from djhop import landing, locate, requests
from djhop.cells.job import Job, room_of
from djhop.environments.environments import uv_environ
from djhop.errors import InfraError
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, settings_of
from djhop.matrix.shard import Shard
from djhop.processes.process import Spawner
from djhop.resolve import resolve
from djhop.resolve.locks import Lock, Unresolvable
from djhop.services.services import Services
from djhop.steps.commands import Served
from djhop.suites import cellenv
from djhop.target import target
from djhop.target.target import Target
from djhop.workspace import digest, outside, visible
from djhop.workspace import revision as revisions
from djhop.workspace.revision import Revision


def files(target: Target, matrix: Matrix, out: Path, spawner: Spawner) -> tuple[str, ...]:
    """List what belongs to the target; `out`, the folder that runs land in, does not."""
    root, out = Path(target.root), out.absolute()
    inside = out != root and out.is_relative_to(root)
    exclude = (str(out.relative_to(root)),) if inside else ()
    listed = visible.files(root, spawner, copy=matrix.copy, exclude=exclude)
    history = matrix.history.path  # it changes with each run, and is no part of the project
    return tuple(name for name in listed if not (history and name.startswith(history)))


def state(target: Target, listed: tuple[str, ...], spawner: Spawner) -> tuple[str, str]:
    """Return the commit the target is at, and what stands for the content of its files.

    Packages that are files of this machine are among them: no version tells when they change.
    """
    root = Path(target.root)
    tree, needed = digest.tree(root, listed), outside.contents(target.requirements)
    if needed:
        tree = hashlib.sha256(f"{tree} {needed}".encode()).hexdigest()[: len(tree)]
    return revisions.head(root, spawner), tree


def inputs(
    target: Target,
    matrix: Matrix,
    listed: tuple[str, ...],
    args: tuple[str, ...],
    deployed: Revision | None,
) -> str:
    """Stand for what results depend on: `listed` files and those that `matrix` names, arguments.

    `deployed` is the revision before the first hop, where that is another one.
    """
    named = (*listed, *filter(None, [matrix.data, matrix.flaky.known]))
    commit = (deployed.commit,) if deployed else ()
    return landing.inputs(target, named, (*args, *commit))


def services(target: Target, matrix: Matrix, logs: Path, spawner: Spawner) -> Services:
    """The services of a matrix: each is started when it is asked for; whoever asks stops them."""
    return Services(
        matrix.service,
        environ=cellenv.passed(os.environ, matrix.pass_env),
        target=target.root,
        logs=logs,
        runs=spawner,
        registry=locate.cache() / "running",
    )


def equipped(job: Job, offered: Services) -> Job:
    """Add what leads to services, which are started where they are not yet.

    Raises:
        ServiceError: one cannot be started.
    """
    env, places = offered.env(), offered.places()
    served = Served(ports=tuple(p for p, _ in places), folders=tuple(f for _, f in places))
    return msgspec.structs.replace(job, services=env, served=served)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is carried out; what is run is in the matrix."""

    out: str = "reports"
    jobs: int = 1
    #: What goes to the suite.
    args: tuple[str, ...] = ()
    fresh: bool = False
    recreate: bool = False
    offline: bool = False
    install_only: bool = False
    install_python: bool = True
    fail_fast: bool = False
    resume: bool = False
    #: The tests of the cell before the first hop are those of the matrix's `before-rev`, too.
    deployed: bool = False
    #: Name of a run folder that several djhop add their cells to; "" for a folder of one's own.
    shared: str = ""
    #: The part of the suite that is run in each cell; None for all of it.
    shard: Shard | None = None
    #: What was typed, without `--cells`: reports say how to run one test again.
    command: tuple[str, ...] = ("djhop", "run")

    @property
    def chosen(self) -> tuple[str, ...]:
        """What may leave tests out: nothing where the whole suite is asked for."""
        return (*self.args, *([f"--shard={self.shard}"] if self.shard else []))


class Maker:
    """Makes the locks and the jobs of a run's cells."""

    def __init__(
        self,
        *,
        target: Target,
        matrix: Matrix,
        options: Options,
        found: dict[str, Interpreter],
        spawner: Spawner,
    ) -> None:
        self._target, self.matrix, self.options = target, matrix, options
        #: Python minor → interpreter; it may grow.
        self.found, self.spawner = found, spawner
        self._pace = resolve.Pace()

    def request(self, cell: Cell, looked: Target | None = None) -> resolve.Request:
        """Say what a cell's lock is made from; `looked` is the target in another revision."""
        if cell.python not in self.found:
            raise InfraError(f"no Python {cell.python}")
        found = self.found[cell.python]
        return requests.of(cell, looked or self._target, self.matrix, found)

    def lock(
        self, cell: Cell, previous: Lock | None, looked: Target | None = None
    ) -> Lock | Unresolvable:
        """Make a cell's lock, from that of the cell before.

        Raises:
            InfraError: there is no interpreter, or the index does not answer.
        """
        return resolve.resolve(
            self.request(cell, looked),
            previous=previous,
            cache=locate.cache(),
            spawner=self.spawner,
            uv=locate.uv(),
            uv_env=uv_environ(os.environ),
            cwd=(looked or self._target).root,
            fresh=self.options.fresh,
            offline=self.options.offline,
            uv_version=locate.uv_version(),
            pace=self._pace,
        )

    def job(self, cell: Cell, lock: Lock, listed: tuple[str, ...], folder: Path) -> Job:
        """Say what is to be done in a cell; `listed` are the target's files."""
        options = self.options
        return Job(
            cell=cell,
            target=self._target,
            matrix=self.matrix,
            settings=settings_of(self.matrix, cell),
            interpreter=self.found[cell.python],
            lock=lock,
            folder=str(folder),
            cache=str(locate.cache()),
            files=listed,
            args=options.args,
            recreate=options.recreate,
            install_only=options.install_only,
            offline=options.offline,
            shard=options.shard,
        )

    def deployed(self, job: Job, revision: Revision) -> Job:
        """Make a cell's job that of another revision: its code, and what that asks for.

        Raises:
            InfraError: it cannot be had, or has no lock.
        """
        root = Path(self._target.root)
        into = room_of(locate.cache(), root) / "revisions"
        looked = target.look(revisions.checkout(root, revision, into, self.spawner), self.matrix)
        looked = msgspec.structs.replace(looked, suite=looked.suite or self._target.suite)
        lock = self.lock(job.cell, job.lock, looked)
        if isinstance(lock, Unresolvable):
            raise InfraError(f"{job.cell.id} has no lock for {revision.said}: {lock.reason}")
        files = revisions.files(Path(looked.root))
        return msgspec.structs.replace(job, target=looked, lock=lock, files=files)
