"""What a run says while it goes on; the console shows it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from djhop.estimate import Expected
from djhop.results.results import CellResult


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The run has begun; these cells will each finish."""

    cells: tuple[str, ...]
    folder: str
    #: Those of the path.
    path: tuple[str, ...] = ()
    #: Hops on which something may be done, by id.
    hops: tuple[str, ...] = ()
    #: Cells at a time.
    jobs: int = 1
    #: What an earlier run tells of cells and hops.
    expected: dict[str, Expected] = {}


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A cell has begun a stage: lock, environment, workspace, strict, plain, scoped, checks …

    Or a hop has: reruns, database; then `cell` is the hop's id.
    """

    cell: str
    stage: str


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A cell starts this command of its suite; what is secret in it is masked."""

    cell: str
    command: str


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """What a hop's last stage was about is done."""

    hop: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Tests that a cell has finished in this pass, of those collected."""

    cell: str
    done: int
    expected: int


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A cell is done; its result is on disk, in `folder`."""

    result: CellResult
    folder: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth a line."""

    text: str
    #: A board shows it otherwise.
    shown: bool = False


Event: TypeAlias = Started | Stage | Command | Progress | Finished | Over | Said
