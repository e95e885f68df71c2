"""The commands of uv, poetry, pdm, pip and pipenv that move packages; pure."""

from __future__ import annotations

from typing import assert_never

from djhop.resolve.moves import Move
from djhop.target.target import Manager, Section


def writes(tool: Manager, section: Section) -> bool:
    """Whether the tool's own command writes requirements of this section."""
    if tool in {"uv", "poetry", "pdm"} and section.keeper == "project":
        return True
    return section.keeper == tool


def adding(tool: Manager, section: Section, *, only_writing: bool = False) -> tuple[str, ...]:
    """The command that writes requirements into a section, locks and installs them.

    `only_writing` leaves out the lock where the tool can: another command of the same change
    follows, and only both together can be resolved.
    """
    match tool:
        case "uv":
            where = _named("--group", section.group) + _named("--optional", section.extra)
            return ("uv", "add", *(("--frozen",) if only_writing else ()), *where)
        case "poetry":
            # The older flag of Poetry 1 takes no value: it then refuses, and installs no "extra".
            extra = (f"--optional={section.extra}",) if section.extra else ()
            return ("poetry", "add", *_named("--group", section.group), *extra)
        case "pdm":
            where = _named("-dG", section.group) + _named("-G", section.extra)
            later = ("--frozen-lockfile", "--no-sync") if only_writing else ()
            return ("pdm", "add", *later, *where)
        case "pipenv":
            return ("pipenv", "install", *(("--dev",) if section.group else ()))
        case "pip":
            return installing(tool)
    assert_never(tool)


def locks_at_once(tool: Manager) -> bool:
    """Whether several sections can be written before anything is resolved."""
    return tool in {"uv", "pdm"}


def installing(tool: Manager) -> tuple[str, ...]:
    """The command that installs releases and writes nothing."""
    return ("uv", "pip", "install") if tool == "uv" else ("python", "-m", "pip", "install")


def raising(tool: Manager, moves: list[Move]) -> tuple[str, ...]:
    """The command that moves what only the lock file names."""
    pins = [f"{move.package}=={move.after}" for move in moves]
    match tool:
        case "uv":
            return ("uv", "lock", *(word for pin in pins for word in ("--upgrade-package", pin)))
        case "poetry" | "pdm":
            return (tool, "update", *(move.package for move in moves))
        case "pipenv":
            return ("pipenv", "upgrade", *pins)
        case "pip":
            return ("python", "-m", "pip", "install", *pins)
    assert_never(tool)


def python(minor: str, tool: Manager) -> str:
    """The command that takes another Python for the project, or a comment that says how."""
    match tool:
        case "uv":
            return f"uv python pin {minor}"
        case "poetry":
            return f"poetry env use {minor}"
        case "pdm":
            return f"pdm use {minor}"
        case "pipenv":
            return f"pipenv --python {minor}"
        case "pip":
            return f"# make a new environment with Python {minor}"
    assert_never(tool)


def _named(option: str, value: str) -> tuple[str, ...]:
    return (option, value) if value else ()
