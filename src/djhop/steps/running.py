"""Runs a step in a cell, and reads what it found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from djhop import durable, masking
from djhop.errors import Interrupted
from djhop.processes.process import Command, Completed
from djhop.results.outcomes import Failures
from djhop.results.paths import Paths
from djhop.results.steps import STEPS, ProcessName, Step
from djhop.steps import commands, reading
from djhop.steps.commands import Entrance, Files, Served
from djhop.suites.suites import Stand

#: Runs a command in the cell's environment; the text names it in notes.
Run = Callable[[str, Command], Completed]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What all steps of a cell share."""

    #: The cell's folder in the run.
    folder: Path
    enter: Entrance
    stand: Stand
    paths: Paths
    site_packages: Path
    #: Seconds that one step may take.
    timeout: float
    served: Served = Served()


def run(step: ProcessName, place: Place, runs: Run, *, files: Files | None = None) -> Step:
    """Do one step and say what came of it; what is wrong with the target is a result.

    `files`: where they are not the usual ones of the cell's folder.

    Raises:
        Interrupted: djhop was asked to stop.
        InfraError: the machine failed.
    """
    files = files or Files.in_folder(place.folder, step)
    command, config = commands.command(
        step, place.enter, place.stand, files=files, timeout=place.timeout, served=place.served
    )
    durable.make(Path(files.databases))
    durable.write(Path(files.config), msgspec.json.encode(config))
    result = Path(files.result)
    done = runs(f"the step {step}", command)
    if done.interrupted:
        raise Interrupted("interrupted")
    masking.rewrite(result, place.stand.env)
    found = reading.read(
        step,
        result,
        done,
        Failures(place.paths),
        reading.Sources(
            django=place.stand.django,
            tree=Path(place.stand.room.workspace),
            site_packages=place.site_packages,
        ),
    )
    _tidy(step, files)
    return found


def _tidy(step: ProcessName, files: Files) -> None:
    """Leave what is of use to others: the log, and databases that were made."""
    for path in (Path(files.config), Path(files.result), Path(f"{files.result}.running")):
        path.unlink(missing_ok=True)
    if step in STEPS and step != "database":
        shutil.rmtree(files.databases, ignore_errors=True)
