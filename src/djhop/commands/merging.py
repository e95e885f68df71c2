"""Cells on machines of their own: what `djhop run --bundle` leaves, and `djhop merge`."""

from __future__ import annotations

import datetime
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from djhop import earlier, remembering, terminal
from djhop.commands.reporting import on_screen, write_reports
from djhop.errors import ExitCode, InfraError, UsageError

if TYPE_CHECKING:
    from djhop.bundles.opening import Opened
    from djhop.bundles.planned import Planned
    from djhop.bundles.sealing import Seal
    from djhop.commands.setting_up import Setup
    from djhop.runner import Session
    from djhop.store.record import Run


def merge(bundles: tuple[str, ...], out: str, plan: str, target: str, **given: Any) -> int:
    """`djhop merge`: one run of many bundles, and its report."""
    from djhop import console
    from djhop.bundles import merging, planned, sorting
    from djhop.reports import json as json_report
    from djhop.store.store import RunFolder

    night = planned.read(Path(plan)) if plan else None
    if target and not Path(target).is_dir():
        raise UsageError(f"--target: there is no folder {target}")
    with tempfile.TemporaryDirectory(prefix="djhop-merge-") as scratch:
        found, damaged = _open(_paths(bundles), Path(scratch))
        if not found and night is None:
            told = "; ".join(f"{path}: {why}" for path, why in damaged.items())
            raise InfraError(
                f"there is no bundle to merge: {told}" if told else "there is no bundle to merge",
                hint="djhop run --cell ID --bundle FILE makes one",
            )
        merged = merging.merge(
            sorting.sort(found, damaged, night),
            night,
            out=Path(out).absolute(),
            root=str(Path(target).resolve()) if target else "",
            now=datetime.datetime.now(datetime.UTC),
        )
    folder = RunFolder(merged.path)
    said = remembering.remember(folder, merging.history(folder, here=bool(target)))
    finished = write_reports(folder)
    as_json = given["as_json"]
    terminal.show(json_report.render(finished) if as_json else on_screen(finished, folder))
    if not (given["quiet"] or given["as_json"]):
        for path, why in damaged.items():
            console.say(f"cannot be used: {path}: {why}", sys.stderr)
        for line in said:
            console.say(line, sys.stderr)
        console.say(f"written to {merged.path}/", sys.stderr)
    # A bundle that cannot be read may have been of a cell that another has as well.
    return merged.exit_code if not damaged else _at_least_incomplete(merged.exit_code)


def _at_least_incomplete(code: ExitCode) -> ExitCode:
    from djhop.errors import worst

    return worst((code, ExitCode.INCOMPLETE))


def _paths(bundles: tuple[str, ...]) -> list[Path]:
    """The files that are meant: a folder stands for every zip file below it."""
    found: dict[Path, None] = {}
    for name in bundles:
        path = Path(name)
        if path.is_dir():
            found.update(dict.fromkeys(sorted(path.rglob("*.zip"))))
        elif path.is_file():
            found[path] = None
        else:
            raise UsageError(f"there is no bundle {name}", hint="a file, or a folder of them")
    return list(found)


def _open(paths: list[Path], scratch: Path) -> tuple[list[Opened], dict[Path, str]]:
    """Open every bundle that can be; return these, and why the others cannot."""
    from djhop.bundles.opening import DamagedError, unpack

    found: list[Opened] = []
    damaged: dict[Path, str] = {}
    for number, path in enumerate(paths):
        try:
            found.append(unpack(path, scratch / str(number)))
        except DamagedError as error:
            damaged[path] = str(error)
    return found, damaged


def chosen(given: dict[str, Any]) -> dict[str, Any]:
    """What is given, with --cell made the only one of --cells."""
    if not given.get("cell"):
        if given.get("bundle"):
            raise UsageError("--bundle is for one cell", hint="--cell py3.12-django5.2")
        return given
    from djhop.store.store import CELL_ID

    if not CELL_ID.fullmatch(given["cell"]):
        raise UsageError(
            f"--cell: {given['cell']!r} is not a cell", hint="djhop run --list says what there is"
        )
    if given["cells"]:
        raise UsageError("--cell and --cells exclude each other")
    return {**given, "cells": (given["cell"],)}


def forget(given: dict[str, Any]) -> None:
    """Remove the bundle of an earlier run: whoever finds one afterwards takes it for this run's."""
    if given.get("bundle") and not (given["list_only"] or given["dry_run"]):
        try:
            Path(given["bundle"]).unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(
                f"--bundle: cannot replace {given['bundle']}: {error.strerror}",
                hint="name a file that may be written",
            ) from error


def sealed(session: Session, given: dict[str, Any]) -> Seal | None:
    """Look at what is about to be run, where it will be bundled; hold it against the plan.

    Raises:
        UsageError: it is not what the plan was made of.
    """
    if not (given.get("bundle") or given.get("plan_file")):
        return None
    from djhop.bundles import planned, sealing

    ours = (given.get("bundle") or "", given.get("plan_file") or "")
    found = sealing.seal(
        session.target, session.matrix, Path(session.options.out), session.spawner, *ours
    )
    if given.get("plan_file"):
        night = planned.read(Path(given["plan_file"]))
        _must_be_planned(night, found, session)
    return found


def _must_be_planned(night: Planned, found: Seal, session: Session) -> None:
    if (night.revision, night.digest) != (found.revision, found.digest):
        raise UsageError(
            f"{session.target.root} is not what the plan was made of: "
            f"commit {found.revision[:12] or 'none'}, files {found.digest[:12]}; "
            f"the plan: commit {night.revision[:12] or 'none'}, files {night.digest[:12]}",
            hint="check out the same commit on every machine, and leave no further files in it",
        )
    shard = session.options.shard
    for cell in session.plan.cells:
        of = night.shards.get(cell.id, 1)
        if (shard.of if shard else 1) != of:
            raise UsageError(
                f"the plan divides the suite of {cell.id} into {of}",
                hint=f"--shard 1/{of}" if of > 1 else "without --shard",
            )


def bundle(session: Session, found: Seal, path: str) -> str:
    """Write the bundle of the only cell of a run; return what is said of it."""
    from djhop.bundles import packing, sealing

    (cell,) = session.plan.cells
    made = sealing.bundle(session.folder.read_run(), session.whole, cell.id, found)
    made = msgspec.structs.replace(made, shard=session.options.shard, args=session.options.args)
    packed = packing.pack(Path(path).absolute(), made, session.folder.cell(cell.id).path)
    return f"bundle of {packed.says}: {path}"


def save(setup: Setup, given: dict[str, Any], command: tuple[str, ...]) -> Planned:
    """Make the plan that other machines follow, and write it where that is asked for."""
    from djhop.bundles import planned, sealing
    from djhop.processes.process import Spawner

    planned.shards(given["shards"], setup.whole)  # what cannot be is said at once
    sealed = sealing.seal(
        setup.target, setup.matrix, Path(given["out"]), Spawner(), given["save"] or ""
    )
    made = sealing.plan(
        setup.target,
        setup.matrix,
        setup.plan,
        sealed,
        now=datetime.datetime.now(datetime.UTC),
        command=command,
    )
    shards = planned.shards(given["shards"], setup.whole, _took(made.run, setup, given["out"]))
    made = msgspec.structs.replace(made, shards=shards)
    if given["save"]:
        planned.write(Path(given["save"]), made)
    return made


def _took(run: Run, setup: Setup, out: str) -> dict[str, float]:
    """The seconds that each cell took in the newest run like this one, or on its last night."""
    place = remembering.at(setup.matrix.history, run.target.root, Path(out))
    found = earlier.expected(Path(out), run) or remembering.expected(run, place)
    return {name: one.seconds for name, one in found.items()}
