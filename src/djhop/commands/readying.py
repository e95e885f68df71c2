"""`djhop ready`: whether what a run has seen is ready for a Django."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from djhop import durable, releases, terminal
from djhop.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from djhop.compare.compare import HopResult
    from djhop.matrix.ready import Ready
    from djhop.readiness.judge import Readiness
    from djhop.store.record import Run
    from djhop.store.store import RunFolder


def ready(run: str, out: str, args: tuple[str, ...], **given: Any) -> int:
    """`djhop ready`: one page, and 0 for "ready" alone; with --measure, measured before."""
    from djhop.readiness.judge import Asked, judge
    from djhop.readiness.verdict import exit_code
    from djhop.store import store

    known = releases.load()
    folder = store.find(run, Path(out))
    found = folder.load()
    goal = _goal(found, given["goal"], known)
    gates = _gates(found, given["gates"], str(folder.run))
    if given["measure"]:
        _measure(folder, _hops(found, goal, given["hop"]), gates, args, given)
        found = folder.load()
    elif given["hop"] or given["budget"] or given["target"] or given["offline"]:
        raise UsageError("--hop, --budget, --target and --offline are for --measure")
    answer = judge(found, known, Asked(goal=goal, day=_day(given["by"]), ready=gates))
    _write(answer, given["form"], given["output"])
    return exit_code(answer.verdict)


def _goal(run: Run, typed: str, known: releases.Releases) -> str:
    """The series that is asked for; where none is typed, the end of the run's path."""
    if typed:
        return known.get_released(typed).version
    path = run.plan.laid or run.plan.path
    if not path:
        raise UsageError(f"{run.name} has no path", hint="djhop run --to 5.2")
    return path[-1].django


def _day(typed: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(typed) if typed else datetime.datetime.now().date()
    except ValueError:
        raise UsageError(f"--by: {typed!r} is not a day", hint="as in --by 2026-12-31") from None


def _gates(run: Run, file: str, where: str) -> Ready:
    """The gates of a matrix file, or those that the run's own matrix had."""
    from djhop.matrix import config, strict
    from djhop.matrix.ready import Ready

    if file:
        return config.load(file).ready
    return strict.convert(run.matrix.settings.get("ready", {}), Ready, where, "ready")


def _hops(run: Run, goal: str, named: str) -> tuple[HopResult, ...]:
    """The hops that are to be measured: those of the way, or the one that is named."""
    from djhop.readiness import way

    hops = way.find(run, goal).hops
    known = [hop.id for hop in hops]
    if named and named not in known:
        hint = did_you_mean(named, known) or f"known: {', '.join(known) or 'none'}"
        raise UsageError(f"no hop {named!r} on the way to Django {goal}", hint=hint)
    return tuple(hop for hop in hops if named in ("", hop.id))


def _measure(
    folder: RunFolder,
    hops: tuple[HopResult, ...],
    gates: Ready,
    args: tuple[str, ...],
    given: dict[str, Any],
) -> None:
    """Run the suites in pairs; the run then has what was measured."""
    from djhop import again, locate, measuring
    from djhop.commands.reporting import said
    from djhop.commands.setting_up import interruptible
    from djhop.processes.process import Spawner

    spawner = Spawner(registry=locate.cache() / "running")
    until = time.monotonic() + given["budget"] if given["budget"] else None
    with interruptible(spawner):
        look = again.look(
            folder,
            given["target"],
            args,
            spawner,
            offline=given["offline"],
            command="djhop ready --measure",
        )
        limits = measuring.Limits(pairs=gates.pairs, until=until)
        measuring.measure(look, hops, limits, said(quiet=given["quiet"]))


def _write(answer: Readiness, form: str, output: str | None) -> None:
    from djhop.readiness import written

    make = {
        "text": lambda: written.text(answer, width=terminal.USUAL if output else terminal.width()),
        "markdown": lambda: written.markdown(answer),
        "html": lambda: written.html(answer),
        "json": lambda: written.as_json(answer) + "\n",
    }
    text = make[form]()
    if output:
        durable.write(Path(output), text.encode(errors="backslashreplace"))
    elif form in ("text", "markdown"):
        terminal.show(text)
    else:
        terminal.pour([text])
