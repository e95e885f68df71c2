"""`djhop ci`, and the forms of `djhop plan` that CI systems read."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from djhop import durable, terminal
from djhop.errors import ExitCode, UsageError, did_you_mean

if TYPE_CHECKING:
    from djhop.commands.setting_up import Setup


def ci(system: str, target: str, *, write: bool, force: bool, **given: Any) -> int:
    """`djhop ci`: print a workflow, or write it where the system looks for it."""
    from djhop import console
    from djhop.bundles import planned
    from djhop.ci import workflows
    from djhop.matrix import matrixfiles

    if system not in workflows.SYSTEMS:
        known = ", ".join(workflows.SYSTEMS)
        close = did_you_mean(system, workflows.SYSTEMS)
        raise UsageError(f"no CI is known that is called {system!r}", hint=f"{close} {known}")
    if Path(target).is_absolute() or ".." in Path(target).parts:
        raise UsageError(
            f"{target}: a workflow names the target from the root of its repository",
            hint="run djhop ci there: djhop ci github backend",
        )
    if given["matrix"]:
        matrixfiles.read(given["matrix"])  # what is no matrix is an error today, not at night
    tuple(planned.asked(given["shards"]))
    night = workflows.Night(
        words=words(target, given),
        shards=given["shards"],
        target=target or ".",
        install=given["install"],
        timeout=given["timeout"],
    )
    text = workflows.render(system, night)
    if not write:
        terminal.show(text)
        return ExitCode.OK
    path = Path(workflows.SYSTEMS[system].path)
    if path.exists() and not force and path.read_bytes() != text.encode():
        raise UsageError(f"{path} is there, and says something else", hint="--force replaces it")
    durable.make(path.parent)
    durable.write(path, text.encode())
    console.say(f"written to {path}", sys.stderr)
    return ExitCode.OK


def words(target: str, given: dict[str, Any]) -> tuple[str, ...]:
    """What follows `djhop plan`, or `djhop run`, to name a matrix again."""
    found = [target] if target else []
    options = {"matrix": "matrix", "from": "start", "to": "goal", "python": "python"}
    for option, name in {**options, "policy": "policy"}.items():
        found += [f"--{option}", given[name]] if given.get(name) else []
    return tuple(found)


def fanned(setup: Setup, form: str, given: dict[str, Any]) -> str:
    """The jobs of a plan as a CI system reads them; the plan is saved where that is asked for."""
    from djhop.ci import fanning
    from djhop.commands import merging

    typed = words(given["target"], given)
    made = merging.save(setup, given, ("djhop", "run", *typed))
    return fanning.FORMS[form](made, shlex.join(typed), given["target"] or ".") if form else ""
