"""What cells and hops took in the newest run of the same matrix, from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from djhop.errors import DjhopError
from djhop.estimate import Expected
from djhop.store import store
from djhop.store.record import Run
from djhop.store.store import RunFolder

#: As many runs are looked at, the newest first: there may be others of other matrices.
LOOKED_AT = 10
#: A setting that changes how long the run takes, not how long a cell does.
_BESIDE = "jobs"


def expected(out: Path, begun: Run) -> dict[str, Expected]:
    """Return what each cell and hop took in the newest finished run in `out` that is like `begun`.

    Like it: of the same target, matrix and settings, with the same cells, and of the whole suite.
    Where there is none, nothing is expected.
    """
    if not begun.whole:
        return {}
    for folder in [*store.runs(out)[-LOOKED_AT:]][::-1]:
        try:
            run = folder.read_run()
            if _alike(run, begun):
                return _took(folder, run)
        except DjhopError:  # damaged, or of another djhop
            continue
    return {}


def _alike(run: Run, begun: Run) -> bool:
    same = run.matrix.name == begun.matrix.name and run.target.root == begun.target.root
    return (
        (run.complete and run.whole and same)
        and (run.plan.cells == begun.plan.cells)
        and (_settings(run) == _settings(begun))
    )


def _settings(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.matrix.settings.items() if name != _BESIDE}


def _took(folder: RunFolder, run: Run) -> dict[str, Expected]:
    took = {hop.id: 0.0 for hop in run.plan.hops}
    for again in folder.reruns().values():
        took[again.id] = took.get(again.id, 0.0) + again.seconds
    for crossing in folder.crossings().values():
        seconds = sum(step.seconds for step in crossing.steps.values())
        took[crossing.id] = took.get(crossing.id, 0.0) + seconds
    hops = {hop: Expected(seconds=seconds) for hop, seconds in took.items()}
    cells = {
        cell.id: Expected(seconds=sum(cell.seconds.values()), tests=cell.ran)
        for cell in run.cells
        if cell.status != "not-run"
    }
    return {**hops, **cells}
