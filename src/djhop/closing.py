"""The end of a run: its hops judged, `run.json` on disk, and what to exit with."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from djhop import landing
from djhop.compare import compare, flaky
from djhop.compare.compare import Comparison, HopResult
from djhop.errors import ExitCode, InfraError, worst
from djhop.landing import RED
from djhop.matrix.plan import Plan
from djhop.results import measure
from djhop.store import record
from djhop.store.store import RunFolder


def write(
    folder: RunFolder,
    plan: Plan,
    *,
    root: Path,
    interrupted: bool,
    seconds: float,
    whole: bool,
    measured: bool = True,
    other: tuple[str, ...] = (),
) -> Comparison:
    """Judge the cells in `folder` by the hops of `plan`, and write `run.json`.

    Args:
        interrupted: whether it was cut short.
        whole: whether the whole suite was asked for.
        measured: whether the sources in `root` are those whose coverage was measured.
        other: cells of another revision, whose lines are not those of the others.
    """
    with landing.alone(folder):
        results = folder.results()
        run = folder.read_run()
        compared = compare.compare(
            plan,
            results,
            reproduce=run.reproduce,
            crossings=folder.crossings(),
            reruns=folder.reruns(),
            known=run.known_in_force,
        )
        hops = tuple(_unforetold(hop) if hop.before in other else hop for hop in compared.hops)
        compared = msgspec.structs.replace(compared, expired=run.expired, hops=hops)
        complete = not interrupted and set(results) >= {cell.id for cell in plan.cells}
        run = record.finish(run, results, compared, seconds=seconds, complete=complete)
        if whole and complete:
            names = flaky.unmatched(run.known_flaky, results)
            told = (f"known flaky test {name!r}: no test is called so" for name in names)
            run = msgspec.structs.replace(run, notes=(*run.notes, *told))
        share = _coverage(folder, root, other)
        folder.write_run(msgspec.structs.replace(run, coverage=share if measured else None))
    return compared


def _unforetold(hop: HopResult) -> HopResult:
    """What other code was warned of foretells nothing of this."""
    return msgspec.structs.replace(hop, foretold=None)


def _coverage(folder: RunFolder, root: Path, other: tuple[str, ...]) -> float | None:
    """Combine the cells' coverage beside `run.json`; return what ran in any, in per cent."""
    found = sorted(folder.cells.glob("*/coverage"))
    cells = [path for path in found if path.parent.name not in other]
    with contextlib.suppress(InfraError):  # no coverage is no reason to lose the run
        out = measure.combine(dict.fromkeys(cells, root), root, folder.path / "coverage")
        return measure.per_cent([out], root, measure.options(root)) if out else None
    return None


def exit_code(
    compared: Comparison,
    plan: Plan,
    *,
    hops: bool,
    untested: bool,
    interrupted: bool,
    bugs: int,
) -> ExitCode:
    """What to exit with; red cells that no hop judges are judged by what they are.

    Args:
        plan: the cells of this djhop, where several share a folder.
        hops: whether hops are judged: not where several share a folder, or nothing was run.
        untested: whether cells without a test are what was asked for.
        bugs: how many cells were lost to bugs of ours.
    """
    mine = {cell.id: compared.statuses[cell.id] for cell in plan.cells}
    if untested:
        mine = {cell: status for cell, status in mine.items() if status != "not-run"}
    judged = compared.hops if hops else ()
    compared = msgspec.structs.replace(compared, hops=judged, statuses=mine)
    codes = [compare.exit_code(compared)]
    if interrupted:
        codes.append(ExitCode.INTERRUPTED)
    if bugs:
        codes.append(ExitCode.INTERNAL)
    told = {hop.after for hop in judged} | set(compared.allowed)
    # A path's first cell is its baseline, whatever it is; one behind a gap is nobody's.
    first = {hop.before for hop in judged} - {cell.id for cell in plan.path[1:]}
    red = {cell for cell, status in mine.items() if status in RED and status != "no-tests"}
    if red - told - first:
        codes.append(ExitCode.BREAKS)
    return worst(codes)
