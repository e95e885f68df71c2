"""What a machine is about to run, as a bundle or a plan says it; asked before anything is run."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec

from djhop import jobs
from djhop.bundles.bundle import Bundle
from djhop.bundles.planned import Planned
from djhop.compare.foretold import Tally
from djhop.matrix import flaky
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Plan
from djhop.processes.process import Spawner
from djhop.store import record
from djhop.store.record import Run
from djhop.target.target import Target


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """Which files of which commit are run."""

    digest: str
    revision: str


def seal(target: Target, matrix: Matrix, out: Path, spawner: Spawner, *ours: str) -> Seal:
    """Look at the target's files as they are now; `ours` are files that are none of them."""
    root = Path(target.root)
    named = {Path(name).absolute() for name in ours if name}
    listed = jobs.files(target, matrix, out, spawner)
    files = [name for name in listed if (root / name).absolute() not in named]
    commit, tree = jobs.state(target, tuple(files), spawner)
    return Seal(digest=tree, revision=commit)


def plan(
    target: Target,
    matrix: Matrix,
    whole: Plan,
    sealed: Seal,
    *,
    now: datetime.datetime,
    command: tuple[str, ...],
) -> Planned:
    """Describe what is to be run."""
    known = flaky.read(Path(target.root), matrix.flaky.known)
    run = record.begin(
        matrix.name or "run",
        target,
        matrix,
        whole,
        started=now,
        command=command,
        known=known,
        state=(sealed.revision, sealed.digest),
    )
    return Planned(run=run, digest=sealed.digest, revision=sealed.revision)


def bundle(run: Run, whole: Plan, cell: str, sealed: Seal) -> Bundle:
    """Describe a cell of a run that is over; `whole` is the plan of the matrix."""
    begun = msgspec.structs.replace(
        run,
        plan=whole,
        cells=(),
        hops=(),
        causes=(),
        deprecations=(),
        foretold=Tally(),
        coverage=None,
        complete=False,
        since=None,
        inputs="",
        seconds=0.0,
    )
    return Bundle(
        cell=cell, run=begun, digest=sealed.digest, revision=sealed.revision, seconds=run.seconds
    )
