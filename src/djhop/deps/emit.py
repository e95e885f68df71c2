"""What `djhop deps` says, as the commands that carry it out; pure.

One command for each step of today, so that each can be its own commit; then one for the hop.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Literal, assert_never

from djhop.deps.answers import Deps, HopDeps
from djhop.releases import series_of
from djhop.resolve.moves import Move

Tool = Literal["uv", "poetry", "pdm", "pip", "pipenv"]
TOOLS: tuple[Tool, ...] = ("uv", "poetry", "pdm", "pip", "pipenv")


def text(deps: Deps, tool: Tool) -> str:
    """The commands of every hop, each hop under a comment."""
    return "\n".join(_lines(deps, tool)) + "\n"


def _lines(deps: Deps, tool: Tool) -> Iterator[str]:
    yield f"# {deps.target}: {deps.path[0]} to {deps.path[-1]}, with {tool}"
    yield "# resolved, not tested: run your tests after each command"
    yield "set -e"
    if tool == "pip":
        yield "# pip installs only: write each version into your requirement file as well"
    elif tool != "pipenv":
        yield f"# {tool} resolves for every Python that requires-python allows: raise that first"
    if deps.first.moves:
        yield ""
        yield "# what cannot be kept even today"
        yield from _moved(deps, deps.first.moves, tool)
    for hop in deps.hops:
        yield ""
        yield from _hop(deps, hop, tool)


def _hop(deps: Deps, hop: HopDeps, tool: Tool) -> Iterator[str]:
    moved, (old, new) = ("Python", hop.python) if hop.axis == "python" else ("Django", hop.django)
    yield f"# {moved} {old} to {new}"
    if hop.state in {"none", "unknown"}:
        yield f"# no command: {' '.join(hop.reason.split())}"
        return
    for blocker in hop.blockers:
        yield f"# blocked: {blocker.sentence}"
    for step in hop.order.today:
        yield from _moved(deps, step.moves, tool)
    if hop.axis == "python":
        yield _python(new, tool)
    commands = _moved(deps, hop.order.hop, tool)
    # What metadata forbids, no such command does.
    yield from (f"# refused: {line}" for line in commands) if hop.blockers else commands


def _moved(deps: Deps, moves: tuple[Move, ...], tool: Tool) -> Iterator[str]:
    """One command for what the project names, one for what only its lock file names."""
    kept = [move for move in moves if move.after and "/" not in move.after]
    own = [m for m in kept if m.package == "django" or m.package in deps.requirements]
    others = [m for m in kept if m not in own]
    if own:
        yield shlex.join((*_adding(tool), *(_pin(deps, move) for move in own)))
    if others:
        yield shlex.join(_raising(tool, others))


def _pin(deps: Deps, move: Move) -> str:
    name = deps.requirements.get(move.package, move.package)
    if move.package == "django":
        return f"{name}=={series_of(str(move.after))}.*"
    return f"{name}=={move.after}"


def _adding(tool: Tool) -> tuple[str, ...]:
    """The command that writes requirements and installs them."""
    match tool:
        case "uv" | "poetry" | "pdm":
            return (tool, "add")
        case "pip":
            return ("python", "-m", "pip", "install")
        case "pipenv":
            return ("pipenv", "install")
    assert_never(tool)


def _raising(tool: Tool, moves: list[Move]) -> tuple[str, ...]:
    """The command that moves what only the lock file names."""
    pins = [f"{move.package}=={move.after}" for move in moves]
    names = [move.package for move in moves]
    match tool:
        case "uv":
            return ("uv", "lock", *(word for pin in pins for word in ("--upgrade-package", pin)))
        case "poetry" | "pdm":
            return (tool, "update", *names)
        case "pip":
            return ("python", "-m", "pip", "install", *pins)
        case "pipenv":
            return ("pipenv", "upgrade", *pins)
    assert_never(tool)


def _python(minor: str, tool: Tool) -> str:
    match tool:
        case "uv":
            return f"uv python pin {minor}"
        case "poetry":
            return f"poetry env use {minor}"
        case "pdm":
            return f"pdm use {minor}"
        case "pip":
            return f"# make a new environment with Python {minor}"
        case "pipenv":
            return f"pipenv --python {minor}"
    assert_never(tool)
