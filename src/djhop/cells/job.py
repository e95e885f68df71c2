"""All that one cell needs to know, as plain data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell
from djhop.matrix.shard import Shard
from djhop.resolve.locks import Lock
from djhop.steps.commands import Served
from djhop.suites.taken import Taken
from djhop.target.target import Target

#: Called with a stage; while tests run, with a stage and (tests over, tests collected); before a
#: command of the suite is started, with a stage, None and that command.
Report = Callable[..., None]


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
    #: The part of the suite that is run; None for all of it.
    shard: Shard | None = None


def room_of(cache: Path, root: Path) -> Path:
    """The folder under the cache that holds the workspaces of the target at `root`."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:10]
    return cache / "workspaces" / f"{root.name or 'target'}-{digest}"
