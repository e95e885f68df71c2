"""A cell of a run that is over, run again: the same packages, matrix and arguments, other files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec.json import decode, encode

from djhop import jobs, locate
from djhop.cells import cells
from djhop.cells.job import Job, Report
from djhop.errors import InfraError, NoTestsError, UsageError
from djhop.interpreters.interpreters import Interpreter
from djhop.masking import MASK
from djhop.matrix import config, matrixfiles
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, settings_of
from djhop.processes.process import Spawner
from djhop.resolve import locks, lockstore
from djhop.resolve.locks import Lock
from djhop.results.results import CellResult
from djhop.services.services import Services
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target import target
from djhop.target.target import Target
from djhop.workspace import revision


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """What the cells of a run were made of, for cells that are to be compared with them."""

    folder: RunFolder
    run: Run
    target: Target
    matrix: Matrix
    #: What belongs to the target.
    files: tuple[str, ...]
    args: tuple[str, ...]
    found: dict[str, Interpreter]
    spawner: Spawner
    offline: bool = False

    def job(self, cell: Cell, tree: Path, folder: Path) -> Job:
        """Say what is to be done: the tests of `cell`, on the files of `tree`.

        Raises:
            InfraError: its Python is not there any more.
            UsageError: the run has no lock of the cell.
        """
        interpreter = self.found.get(cell.python)
        if interpreter is None:
            raise InfraError(f"no Python {cell.python}", hint="djhop doctor")
        return Job(
            cell=cell,
            target=msgspec.structs.replace(self.target, root=str(tree)),
            matrix=msgspec.structs.replace(self.matrix, only=("tests",)),
            settings=settings_of(self.matrix, cell),
            interpreter=interpreter,
            lock=lock(self.folder, self.folder.read_cell(cell.id), self.target.requirements),
            folder=str(folder),
            cache=str(locate.cache()),
            files=self.files,
            args=self.args,
            offline=self.offline,
        )

    def cell(self, job: Job, report: Report, services: Services) -> CellResult:
        """Run a cell; where its services are gone, what it shows says nothing.

        Raises:
            InfraError, Interrupted: as `cells.run_cell` does.
        """
        if not services:
            return cells.run_cell(job, self.spawner, report)
        result = cells.run_cell(jobs.equipped(job, services), self.spawner, report)
        if gone := services.gone():
            raise gone
        return result

    def services(self, logs: Path) -> Services:
        """The services of these cells; whoever asks for them stops them."""
        return jobs.services(self.target, self.matrix, logs, self.spawner)


def look(
    folder: RunFolder,
    root: str,
    args: tuple[str, ...],
    spawner: Spawner,
    *,
    offline: bool = False,
    command: str = "djhop fix --try",
    unchanged: bool = True,
) -> Again:
    """Look at the target of a run again; if `unchanged`, it must be what the run has seen.

    Args:
        root: the target, where it is not where the run says.
        args: what goes to the suite; the same as in the run.
        command: what asks: an error says it.

    Raises:
        UsageError: the target, or what goes to its suite, is another than in the run.
        NoTestsError: there is no suite.
    """
    run = folder.load()
    place = Path(root or run.target.root)
    matrix = matrix_of(run, place, str(folder.run))
    looked = target.look(place, matrix, command=command)
    if looked.suite is None:
        raise NoTestsError(f"no test suite found in {place}")
    files = jobs.files(looked, matrix, folder.path.parent, spawner)
    if unchanged:
        _check(run, looked, matrix, files, args=args, spawner=spawner)
    return Again(
        folder=folder,
        run=run,
        target=looked,
        matrix=matrix,
        files=files,
        args=args,
        found=locate.pythons(spawner),
        spawner=spawner,
        offline=offline,
    )


def _check(
    run: Run,
    looked: Target,
    matrix: Matrix,
    files: tuple[str, ...],
    *,
    args: tuple[str, ...],
    spawner: Spawner,
) -> None:
    """Compare what a run has seen with what is there now."""
    deployed = None
    if matrix.before_rev and run.command[1:2] == ("hop",):
        raise UsageError(
            f"the tests before the hop are those of {matrix.before_rev} in {run.name}, which is "
            "not what can be run again",
            hint="djhop hop without --before-rev, then the same again",
        )
    if matrix.before_rev:
        deployed = revision.find(Path(looked.root), matrix.before_rev, spawner)
    if jobs.inputs(looked, matrix, files, args, deployed) != run.inputs:
        raise UsageError(
            f"{looked.root} is not what {run.name} has seen: files have changed since, "
            "or other arguments went to the suite",
            hint="djhop run; what followed -- there has to follow here, too; "
            "an earlier run: djhop fix --try RUN",
        )


def matrix_of(run: Run, root: Path, where: str) -> Matrix:
    """Read a run's matrix back; what is masked in it is read where the run has read it.

    Raises:
        UsageError: something that is masked is not there any more.
    """
    settings = run.matrix.settings
    if MASK in encode(settings).decode():
        words = run.command
        named = [words[words.index("--matrix") + 1]] if "--matrix" in words else []
        own = config.of_target(root)
        tables = [*([own] if own else []), *(matrixfiles.read(name) for name in named)]
        settings = _unmasked(settings, decode(encode(config.combine(*tables))), where)
    return config.parse(settings, where)


def _unmasked(saved: Any, now: Any, where: str) -> Any:
    """Put back what is masked in `saved` from the same place of `now`."""
    if isinstance(saved, dict):
        known = now if isinstance(now, dict) else {}
        return {key: _unmasked(value, known.get(key), where) for key, value in saved.items()}
    if isinstance(saved, list):
        items = now if isinstance(now, list) and len(now) == len(saved) else [None] * len(saved)
        return [_unmasked(*pair, where) for pair in zip(saved, items, strict=True)]
    if not isinstance(saved, str) or MASK not in saved:
        return saved
    if not isinstance(now, str):
        raise UsageError(f"{where}: a secret of its matrix is masked, and its file is not there")
    return now


def lock(folder: RunFolder, result: CellResult, requirements: tuple[str, ...]) -> Lock:
    """Read the exact packages of a cell back from the run's own folder.

    Raises:
        UsageError: they are not there.
    """
    path = folder.cell(result.id).path / "requirements.txt"
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="djhop run") from error
    found = locks.parse("\n".join(line for line in lines if not line.startswith("#")))
    found = msgspec.structs.replace(
        found,
        django_release=found.django_release or result.django_release,
        forced=result.forced,
        blockers=result.blockers,
        moves_why=result.moves_why,
    )
    return lockstore.unmasked(found, requirements)
