"""Which tool a project's packages are kept with, from the files that tools leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from djhop.target import lockfiles, tree

if TYPE_CHECKING:
    from pathlib import Path

Manager = Literal["uv", "poetry", "pdm", "pip", "pipenv"]
MANAGERS: tuple[Manager, ...] = ("uv", "poetry", "pdm", "pip", "pipenv")

_LOCKS: dict[str, Manager] = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}
_TABLES: tuple[Manager, ...] = ("uv", "poetry", "pdm")


def find(root: Path) -> Manager:
    """The tool whose lock file is in use, else whose table or file is there; else pip.

    Raises:
        UsageError: pyproject.toml is not TOML.
    """
    for name, _ in lockfiles.found(root):
        if name in _LOCKS:
            return _LOCKS[name]
    if (root / "Pipfile").is_file():
        return "pipenv"
    tools = tree.read_toml(root, "pyproject.toml").get("tool", {})
    named = [name for name in _TABLES if isinstance(tools, dict) and name in tools]
    return named[0] if named else "pip"
