"""Bundles → one run, as if a single machine had run all cells, as far as that can be true."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from djhop import closing, crossings, durable, landing, remembering
from djhop.bundles.bundle import Bundle, of_file
from djhop.bundles.opening import Opened
from djhop.bundles.planned import Planned
from djhop.bundles.sorting import Sorted
from djhop.compare.compare import findings
from djhop.compare.verdicts import life
from djhop.errors import ExitCode
from djhop.history import database
from djhop.matrix import config
from djhop.matrix.plan import Cell, Plan
from djhop.results import joining, junit, measure
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult
from djhop.results.steps import Crossing
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.untested import without

APART = "run on two machines"


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was made of bundles."""

    path: Path
    exit_code: ExitCode


def merge(
    found: Sorted, planned: Planned | None, *, out: Path, root: str, now: datetime.datetime
) -> Merged:
    """Make a run of bundles in a folder below `out`, and judge it.

    Args:
        root: where the target is now; "" for where it was.

    Raises:
        InfraError: it cannot be written.
    """
    every = [one.bundle for parts in found.cells.values() for one in parts]
    begun = _begun(every, found, planned, root)
    matrix = config.parse(begun.matrix.settings, "the bundles' matrix")
    there = _is_there(every, Path(begun.target.root))
    if not there:
        told = f"coverage of all cells: not told, {begun.target.root} is not what was measured"
        begun = msgspec.structs.replace(begun, notes=(*begun.notes, told))
    folder = landing.begin(out, begun, now=now)
    for cell in begun.plan.cells:
        if cell.id in found.lost:
            reason = found.lost[cell.id]
            folder.write_cell(without(cell, "infra", reason=reason, hint="run its job again"))
        else:
            _write(folder, found.cells[cell.id], Path(begun.target.root), there=there)
    _say_what_was_not_done(folder, begun.plan, again=matrix.flaky.reruns > 0)
    compared = closing.write(
        folder,
        begun.plan,
        root=Path(begun.target.root),
        interrupted=bool(found.lost),
        seconds=begun.seconds,
        whole=begun.whole,
        measured=there,
    )
    return Merged(
        path=folder.path,
        exit_code=closing.exit_code(
            compared,
            begun.plan,
            hops=True,
            untested=not matrix.does("tests"),
            interrupted=False,
            bugs=0,
        ),
    )


def history(folder: RunFolder, *, here: bool) -> Path:
    """Where the history of a merged run is.

    `here`: whether the target is on this machine; where it is not, the place that the matrix names
    is another machine's, and the history is beside the run.
    """
    if not here:
        return folder.path.parent / database.NAME
    matrix = config.parse(folder.read_run().matrix.settings, "the run's matrix")
    return remembering.place(matrix, folder)


def _begun(bundles: Sequence[Bundle], found: Sorted, planned: Planned | None, root: str) -> Run:
    """The run as it began: when the first machine did, and as long as until the last had ended."""
    runs = [bundle.run for bundle in bundles] or ([planned.run] if planned else [])
    starts = [datetime.datetime.fromisoformat(run.started) for run in runs]
    ends = [
        start + datetime.timedelta(seconds=bundle.seconds)
        for start, bundle in zip(starts, bundles, strict=False)
    ]
    first = planned.run if planned else runs[0]
    left_out = [
        f"{bundle.says}: not in its bundle, as too large or no file: {', '.join(bundle.left_out)}"
        for bundle in bundles
        if bundle.left_out
    ]
    missing = [f"{cell}: {why}" for cell, why in found.lost.items()]
    begun = min(starts)
    return msgspec.structs.replace(
        first,
        name=first.matrix.name or "run",
        target=msgspec.structs.replace(first.target, root=root or runs[0].target.root),
        started=begun.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=(max(ends) - begun).total_seconds() if ends else 0.0,
        # Nothing on this machine tells whether the target is what was run.
        inputs="",
        whole=not any(bundle.args for bundle in bundles),
        notes=(*dict.fromkeys((*first.notes, *found.notes, *missing, *left_out)),),
    )


def _is_there(bundles: Sequence[Bundle], root: Path) -> bool:
    """Whether every file that was measured is in `root` as it was."""
    measured = {pair for bundle in bundles for pair in bundle.measured.items()}
    return all(_same(root / name, digest) for name, digest in measured)


def _same(path: Path, digest: str) -> bool:
    try:
        return of_file(path) == digest
    except OSError:
        return False


def _write(folder: RunFolder, parts: Sequence[Opened], root: Path, *, there: bool) -> None:
    """Write the files of a cell: those of its only bundle, or of each of its parts, joined."""
    path = folder.cell(parts[0].bundle.cell).path
    durable.make(path)
    data: dict[Path, Path] = {}
    for one in parts:
        shard = one.bundle.shard
        place = path / f"part-{shard.number}-of-{shard.of}" if shard else path
        shutil.copytree(one.folder, place, dirs_exist_ok=True)
        data[one.folder / "coverage"] = Path(one.bundle.run.target.root)
    if any(file.is_file() for file in data):
        measure.combine(data, root, path / "coverage")
    if parts[0].bundle.shard is None:
        folder.write_cell(parts[0].result)
        return
    result = joining.join([one.result for one in parts])
    if there and result.tests:
        share = measure.per_cent([path / "coverage"], root, measure.options(root))
        result = msgspec.structs.replace(result, coverage=share)
    listed = parts[0].folder / "requirements.txt"
    if listed.is_file():
        shutil.copyfile(listed, path / "requirements.txt")
    junit.to_junit(result).write(str(path / "junit.xml"))
    folder.write_cell(result)


def _say_what_was_not_done(folder: RunFolder, plan: Plan, *, again: bool) -> None:
    """What needs both cells of a hop on one machine was not done: say so, hop by hop.

    `again`: whether what newly fails is to be run again.
    """
    for before, after in _pairs(folder, plan):
        if before.steps.get("database") or after.steps.get("database"):
            reason = crossings.impossible(before, after, "any") or f"its two cells were {APART}"
            folder.write_crossing(Crossing(before=before.id, after=after.id, reason=reason))
        failing = findings(before, after).failing
        if again and failing and life(before) == life(after) == "ran" and not after.forced:
            reason = f"they were {APART}"
            reruns = Reruns(before=before.id, after=after.id, asked=len(failing), reason=reason)
            folder.write_reruns(reruns)


def _pairs(folder: RunFolder, plan: Plan) -> Iterator[tuple[CellResult, CellResult]]:
    def read(cell: Cell) -> CellResult:
        return folder.read_cell(cell.id)

    for hop in plan.hops:
        yield read(hop.before), read(hop.after)
