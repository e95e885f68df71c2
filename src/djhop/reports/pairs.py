"""The cells of a run with their results, one result at a time in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from djhop.results.results import CellResult
from djhop.store.record import Run, RunCell

#: A cell's line in `run.json`, and its whole result; None where it has none.
Pair: TypeAlias = tuple[RunCell, CellResult | None]


def of(run: Run, results: Mapping[str, CellResult]) -> Iterator[Pair]:
    """Yield every cell of `run` with its result; each result is asked for when its turn comes."""
    for cell in run.cells:
        yield cell, results.get(cell.id)
