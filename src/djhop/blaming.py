"""Bisects of a run, one after the other: `djhop bisect`, and `djhop run --auto` after its cells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from djhop import jobs, landing, releases
from djhop.bisect import bisecting
from djhop.bisect.bisecting import Site
from djhop.bisect.choosing import Chosen, Runs, Wanted
from djhop.bisect.world import Stage
from djhop.errors import ExitCode, UsageError, worst
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.processes.process import Spawner
from djhop.store import blame as records
from djhop.store import store
from djhop.store.blame import Blame
from djhop.store.store import RunFolder
from djhop.target.target import Target

#: How often a boundary is run, where nobody says.
TIMES = 3


def wanted(given: dict[str, Any]) -> Wanted:
    """What is to be blamed, as it was typed."""
    if given["cause"] and given["test"] and not given["hop"]:
        raise UsageError("--cause and --test name one thing each", hint="--test alone will do")
    return Wanted(**{name: given[name] or "" for name in ("cause", "test", "hop")})


def runs(named: str, since: str | None, out: Path) -> Runs:
    """The run that is asked about, and the one whose cells are the good ends, where it is another.

    Raises:
        UsageError: there is no such run.
    """
    return Runs(store.find(named, out), store.find(since, out) if since else None)


def site(
    runs: Runs,
    *,
    target: Target,
    matrix: Matrix,
    found: dict[str, Interpreter],
    spawner: Spawner,
    args: tuple[str, ...],
    say: Callable[[str], None],
    offline: bool,
    fresh: bool,
    repeat: int,
) -> Site:
    """Make ready to bisect what the run saw; nothing is started yet."""
    folder, since = runs.folder, runs.since
    files = jobs.files(target, matrix, folder.path.parent, spawner)
    return Site(
        stage=Stage(
            target=target,
            matrix=msgspec.structs.replace(matrix, only=("tests",)),
            found=found,
            files=files,
            args=args,
            offline=offline,
        ),
        spawner=spawner,
        releases=releases.load(),
        run=folder.path,
        inputs=landing.inputs(target, files, args),
        services=jobs.services(target, matrix, folder.path / "bisect" / "services", spawner)
        if matrix.service
        else None,
        times=repeat,
        fresh=fresh,
        words=("--since", str(since.path)) if since else (),
        say=say,
    )


def carry_out(
    chosen: Iterable[Chosen], site: Site, folder: RunFolder, *, budget: float | None = None
) -> list[Blame]:
    """Bisect one after the other, within `budget` seconds for all; each is noted in `run.json`.

    Raises:
        InfraError, Interrupted: as `bisecting.bisect`.
    """
    deadline = None if budget is None else time.monotonic() + budget
    found: list[Blame] = []
    try:
        for one in chosen:
            if deadline is not None and time.monotonic() >= deadline:
                site.say("the time for bisects is up")
                break
            site.say(f"bisecting {one.question.cause} on {one.question.hop}")
            found.append(bisecting.bisect(one, site, deadline=deadline))
            _note(folder, found[-1])
    finally:
        if site.services:
            site.services.stop()
    return found


def _note(folder: RunFolder, found: Blame) -> None:
    """Let `run.json`, and so every report, say what was found."""
    short = records.shortened(found)
    with landing.alone(folder):
        run = folder.read_run()
        others = (one for one in run.blames if (one.cause, one.hop) != (short.cause, short.hop))
        folder.write_run(msgspec.structs.replace(run, blames=(*others, short)))


def exit_code(found: Iterable[Blame]) -> ExitCode:
    """OK where each bisect found what did it; else something was not judged."""
    return worst(ExitCode.OK if one.outcome == "found" else ExitCode.INCOMPLETE for one in found)
