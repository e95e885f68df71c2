"""Finds and reads matrix files: the shipped presets, a user's own, and the target's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from djhop.errors import UsageError, did_you_mean
from djhop.matrix import strict

#: A table as TOML has it. Beside one always goes its file's name, for errors.
Table: TypeAlias = dict[str, Any]


def shipped() -> dict[str, Path]:
    """The matrix files that ship with djhop, by name: in the wheel, else in the checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here.parent / "matrices", here.parents[2] / "matrices"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {}


def read(name_or_path: str) -> tuple[Table, str]:
    """Return the raw table of a preset or a matrix file, and the file's name for errors.

    A `target` or `matrix` path in the file becomes absolute: both are relative to the file. A
    preset's own target stays as it is ("demo": the project that djhop ships).

    Raises:
        UsageError: there is no such preset or file, or it is not TOML.
    """
    if name_or_path in shipped():
        path = shipped()[name_or_path]
        return {"name": path.stem, **strict.read_toml(path)}, f"matrices/{path.name}"
    path = Path(name_or_path)
    if not path.is_file():
        raise _no_such_matrix(name_or_path, path)
    return {"name": path.stem, **_absolute(strict.read_toml(path), path.parent)}, str(path)


def _no_such_matrix(wanted: str, path: Path) -> UsageError:
    """Name the presets, and the closest preset or neighbouring file."""
    neighbours = [str(file) for file in path.parent.glob("*.toml")] if "." in wanted else []
    close = did_you_mean(wanted, [*shipped(), *neighbours])
    return UsageError(
        f"no matrix {wanted!r}: not a preset, and there is no such file",
        hint=f"{close} presets: {', '.join(shipped())}; or the path of a TOML file".strip(),
    )


def _absolute(table: Table, folder: Path) -> Table:
    """Make the paths absolute that are relative to the file the table was read from."""
    table = dict(table)
    if isinstance(table.get("target"), str) and table["target"]:
        table["target"] = str((folder / table["target"]).resolve())
    if isinstance(named := table.get("matrix"), str) and named and named not in shipped():
        table["matrix"] = str((folder / named).resolve())
    return table


def of_target(root: Path) -> tuple[Table, str] | None:
    """Return what the target itself configures: djhop.toml, else [tool.djhop] of pyproject.toml.

    Raises:
        UsageError: the file is not TOML, or [tool.djhop] is not a table.
    """
    own, pyproject = root / "djhop.toml", root / "pyproject.toml"
    if own.is_file():
        return _absolute(strict.read_toml(own), root), str(own)
    if not pyproject.is_file():
        return None
    tool = strict.read_toml(pyproject).get("tool", {})
    if not isinstance(tool, dict) or "djhop" not in tool:
        return None
    if not isinstance(tool["djhop"], dict):
        raise strict.bad(str(pyproject), "tool.djhop", "expected a table")
    return _absolute(tool["djhop"], root), f"{pyproject} [tool.djhop]"
