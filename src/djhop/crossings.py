"""A database crosses a hop: made by the cell before, migrated by the cell after, used by both."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from djhop import durable
from djhop.cells import cells
from djhop.cells.job import Job
from djhop.environments.inside import Inside
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, Interrupted
from djhop.processes.process import Spawner
from djhop.results.results import CellResult
from djhop.results.steps import BAD, Crossing, CrossingName, Database, Finding, ProcessName, Step
from djhop.steps import crossing, running
from djhop.steps.commands import Files, Life
from djhop.steps.running import Place

SAME = "the upgrade does not change the schema"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two cells: what it is, what it found, and its folder in the run."""

    job: Job
    result: CellResult
    folder: Path
    #: The git revision whose code it is; "" for the target as it is.
    revision: str = ""


def impossible(before: CellResult, after: CellResult, revision: str = "") -> str:
    """Say why no database can cross a hop; "" where one can.

    Where the side before is another revision, its database is yet to be made.
    """
    for when, side in (("before", before), ("after", after)):
        step = side.steps.get("database")
        if step is None:
            return f"the cell {when} has no step `database` ({side.status})"
        # One that cannot be made from nothing any more may well be upgraded.
        usable = {"ok", "found"} if side is before and not revision else {"ok", "found", *BAD}
        if step.status not in usable:
            return f"there is no database {when} the hop: {step.reason}"
    databases = before.steps["database"].databases
    if any(one.vendor == "mysql" for one in databases):
        return "MySQL cannot copy a database"
    return ""


def cross(before: Side, after: Side, folder: Path, spawner: Spawner) -> Crossing:
    """Let copies of a cell's databases be migrated by the next, and be used by both.

    Everything happens in `folder`; what the cells have is not touched.

    Raises:
        InfraError: the machine or the network failed.
        Interrupted: djhop was asked to stop.
    """
    shutil.rmtree(folder, ignore_errors=True)
    durable.make(folder)
    found = Crossing(before=before.result.id, after=after.result.id, revision=before.revision)
    if why := impossible(before.result, after.result, before.revision):
        return msgspec.structs.replace(found, reason=why)
    try:
        steps = _Crossing(before, after, folder, spawner).steps()
    except CannotInstall as error:  # a moment ago it could be
        raise InfraError(f"the environment cannot be made anew: {error}") from error
    finally:
        shutil.rmtree(folder / "databases", ignore_errors=True)
    return msgspec.structs.replace(
        found,
        steps={name: _short(step) for name, step in steps.items()},
        order=crossing.advice(steps),
    )


def _short(step: Step) -> Step:
    bare = tuple(
        msgspec.structs.replace(one, tables={}, constraints={}, kept="") for one in step.databases
    )
    return msgspec.structs.replace(step, databases=bare)


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where one of the two databases is: SQLite files in a folder, others on a server."""

    folder: Path
    server: str


class _Crossing:
    """One crossing under way."""

    #: What there is before the upgrade.
    databases: tuple[Database, ...]

    def __init__(self, before: Side, after: Side, folder: Path, spawner: Spawner) -> None:
        self._before, self._after, self._folder, self._spawner = before, after, folder, spawner
        name = f"djhop_{secrets.token_hex(6)}"
        self._old, self._new = (
            _Place(folder=folder / "databases" / side, server=f"{name}_{side}")
            for side in ("old", "new")
        )

    def steps(self) -> dict[CrossingName, Step]:
        """Make what there is before the hop; upgrade it; let each side use both databases."""
        made = self._before.result.steps["database"]
        self.databases = made.databases
        if not self._before.revision:
            shutil.copytree(self._before.folder / "databases", self._old.folder)
        on_server = any(one.vendor != "sqlite" for one in made.databases)
        if not (self._data or self._before.revision or on_server):
            return self._crossed()
        try:
            origin = self._origin()
            self.databases = origin.databases
            crossed = self._crossed() if origin.status in ("ok", "found") else {}
            return {"origin": origin, **crossed}
        finally:
            if on_server and not self._spawner.interrupted:
                self._drop()

    @property
    def _data(self) -> str:
        job = self._before.job
        return str(Path(job.target.root, job.matrix.data)) if job.matrix.data else ""

    def _origin(self) -> Step:
        """Make the database before the hop, where it is not as the cell before has left it."""
        if self._data.endswith(".sql"):
            (self._old.folder / "default.sqlite3").unlink(missing_ok=True)
        with self._entered(self._before) as (place, inside):
            return self._run("origin", place, inside, self._old, life="keep")

    def _crossed(self) -> dict[CrossingName, Step]:
        shutil.copytree(self._old.folder, self._new.folder)
        old, new = self._old, self._new
        with self._entered(self._after) as (place, inside):
            upgrade = self._run("upgrade", place, inside, new, old, life="copy")
            if upgrade.status not in ("ok", "found"):
                return {"upgrade": upgrade}
            upgrade = self._upgraded(upgrade)
            done = crossing.changed(self.databases, upgrade.databases)
            if not done:
                same = Step(status="ok", reason=SAME)
                return {"upgrade": upgrade, "old-code": same, "new-code": same}
            by_new = self._run("new-code", place, inside, new, old)
        with self._entered(self._before) as (place, inside):
            by_old = self._run("old-code", place, inside, old, new)
        return {
            "upgrade": _with(upgrade, crossing.told(done)),
            "old-code": crossing.explained(by_old, done),
            "new-code": crossing.explained(by_new, done),
        }

    def _drop(self) -> None:
        with self._entered(self._after) as (place, inside):
            self._run("drop", place, inside, self._new, self._old)

    @contextlib.contextmanager
    def _entered(self, side: Side) -> Iterator[tuple[Place, Inside]]:
        with cells.entered(side.job, self._spawner, self._folder) as entered:
            yield entered

    def _run(
        self,
        step: ProcessName,
        place: Place,
        inside: Inside,
        own: _Place,
        other: _Place | None = None,
        *,
        life: Life = "own",
    ) -> Step:
        files = msgspec.structs.replace(
            Files.in_folder(self._folder, step),
            databases=str(own.folder),
            other=str(other.folder) if other else "",
            data=self._data if step == "origin" else "",
            database=own.server,
            other_database=other.server if other else "",
            life=life,
        )
        if self._spawner.interrupted:
            raise Interrupted("interrupted")
        return running.run(step, place, inside.run, files=files)

    def _upgraded(self, step: Step) -> Step:
        """Add how the schema differs from what was made before, and from one made anew."""
        fresh = self._after.result.steps["database"]
        known = fresh.status in ("ok", "found")
        return _with(step, crossing.drift(step.databases, fresh.databases) if known else ())


def _with(step: Step, further: Iterable[Finding]) -> Step:
    step = msgspec.structs.replace(step, findings=(*step.findings, *further))
    return msgspec.structs.replace(step, status="found") if step.counted else step
