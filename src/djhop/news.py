"""What a run says while it goes on; the console shows it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from djhop.results.results import CellResult


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The run has begun; these cells will each finish."""

    cells: tuple[str, ...]
    folder: str


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A cell has begun a stage: lock, environment, workspace, strict, plain, scoped."""

    cell: str
    stage: str


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


Event: TypeAlias = Started | Stage | Progress | Finished | Said
