"""What every command starts from: a target, its matrix and its plan."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from djhop import locate, releases
from djhop.errors import UsageError
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix import config, matrixfiles
from djhop.matrix import plan as planning
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Plan
from djhop.processes.process import Spawner
from djhop.target import target
from djhop.target.target import Target

#: The `target` of the demo preset: the project that ships inside the package.
DEMO = "demo"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """A target, its matrix and its plan: what every command starts from."""

    matrix: Matrix
    target: Target
    #: The cells that were chosen, and the whole they were chosen from.
    plan: Plan
    whole: Plan
    found: dict[str, Interpreter]


def set_up(given: dict[str, Any], spawner: Spawner) -> Setup:
    """Read the configuration, look at the target, find interpreters and make the plan."""
    matrix = matrix_of(given)
    looked = target.look(_root(given["target"], matrix), matrix, command=_command(given))
    found = locate.pythons(spawner)
    facts: dict[str, Any] = {
        "target_pythons": looked.pythons,
        "requires_python": looked.requires_python,
        "available": frozenset(found),
    }
    known = releases.load()
    if given.get("plan_file"):
        from djhop.bundles import planned

        made = planned.read(Path(given["plan_file"])).run.plan
    elif ends := given.get("hop"):
        made = planning.one_hop(matrix, known, before=ends[0], after=ends[1], **facts)
    else:
        made = planning.make(matrix, known, current=looked.django, **facts)
    chosen = planning.select(made, given["cells"]) if given["cells"] else made
    return Setup(matrix=matrix, target=looked, plan=chosen, whole=made, found=found)


def _command(given: dict[str, Any]) -> str:
    """The command as it was typed, without its target and options."""
    return " ".join(("djhop", given["command"], *given.get("hop", ())))


def matrix_of(given: dict[str, Any]) -> Matrix:
    """The target's own configuration, then the matrix that is named, then the command line."""
    keys = {"from": "start", "to": "goal"}
    keys |= {name: name for name in ("python", "policy", "jobs", "timeout", "strict")}
    said = {key: given[name] for key, name in keys.items() if given.get(name) is not None}
    if given.get("only"):
        said["only"] = [word.strip() for word in given["only"].split(",")]
    if given.get("data"):
        said["data"] = str(_data(given["data"]))
    if given.get("watch"):  # what fails is run again for the next change in any case
        said["flaky"] = {"reruns": 0}
    if given.get("before_rev"):
        said["before-rev"] = given["before_rev"]
    if given.get("sandbox"):
        said["sandbox"] = True
    named = [matrixfiles.read(given["matrix"])] if given["matrix"] else []
    root = given["target"] or (named[0][0].get("target") if named else "") or "."
    own = config.of_target(Path(_demo_or(root)))
    tables = [own] if own else []
    return config.combine(*tables, *named, (said, "command line"))


def _data(named: str) -> Path:
    path = Path(named).absolute()
    if not path.is_file():
        raise UsageError(f"--data: there is no file {path}", hint="a fixture, or an SQL dump")
    return path


def _root(named: str, matrix: Matrix) -> Path:
    return Path(_demo_or(named or matrix.target or "."))


def _demo_or(root: str) -> str:
    """The path of the bundled project where `root` names it and no folder here is called so."""
    if root == DEMO and not Path(root).is_dir():
        return str(Path(__file__).resolve().parents[1] / "data" / DEMO)
    return root


@contextlib.contextmanager
def interruptible(spawner: Spawner) -> Iterator[None]:
    """A first signal ends the running cells politely, a second at once; what finished is kept."""
    signals = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN  # nohup
    ]
    before = {number: signal.signal(number, lambda *_: spawner.interrupt()) for number in signals}
    # Ctrl-Z stops the cells as well, until djhop goes on.
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, lambda *_: spawner.suspend())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
