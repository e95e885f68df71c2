"""The files of a target, read and never run."""

from __future__ import annotations

import codecs
import collections
import configparser
import io
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from djhop.errors import UsageError

#: Directories that hold nothing of the target's own.
_SKIPPED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".venv",
        ".direnv",
        ".eggs",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "__pycache__",
        "node_modules",
        "bower_components",
        "site-packages",
        "htmlcov",
        # No tests are kept in these, and there may be thousands of them.
        "locale",
        "migrations",
        "static",
        "templates",
    }
)
_DEEPEST = 8
#: A target may hold a million uploads; what tells how it is tested is never that far down the list.
_MOST_ENTRIES = 50_000
#: Marks at the start of a file, as pip knows them; PowerShell's `>` writes UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TOML_LINE = re.compile(r"at line (\d+)")


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The Python files and Dockerfiles of a target, as paths from its root, shallow ones first."""

    root: Path
    files: tuple[str, ...]
    #: Whether there were more files than djhop looks at.
    cut: bool = False

    def named(self, *names: str) -> tuple[str, ...]:
        """The files of these names, shallow ones first."""
        return tuple(file for file in self.files if file.rpartition("/")[2] in names)


def walk(root: Path) -> Tree:
    """List the files of `root` that may tell something, without following links."""
    found: list[str] = []
    pending = collections.deque([("", 0)])
    seen = 0
    while pending and seen < _MOST_ENTRIES:
        folder, depth = pending.popleft()
        for entry in _entries(f"{root}/{folder}"):
            seen += 1
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST and not _is_foreign(entry):
                    pending.append((path, depth + 1))
            elif entry.name.endswith(".py") or entry.name.startswith("Dockerfile"):
                found.append(path)
    return Tree(root=root, files=tuple(found), cut=seen >= _MOST_ENTRIES)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_foreign(entry: os.DirEntry[str]) -> bool:
    return (
        entry.name in _SKIPPED
        or entry.name.endswith(".egg-info")
        # A virtual environment, whatever its name.
        or os.access(f"{entry.path}/pyvenv.cfg", os.F_OK)
    )


def read(path: Path, where: str = "") -> str:
    """Return the text of a file, whatever Unicode mark it starts with.

    Raises:
        UsageError: the file cannot be read; the message names it as `where`.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{where or path}: cannot be read: {reason}") from error
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(_exact(encoding, mark), errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # Names and versions are ASCII; what is not stands in comments of older days.
        return data.decode("latin-1")


def _exact(encoding: str, mark: bytes) -> str:
    if encoding == "utf-8":
        return encoding
    return f"{encoding}-{'le' if mark.startswith(codecs.BOM_UTF16_LE) else 'be'}"


def is_file(path: Path) -> bool:
    """Whether there is such a file; what no file can be called is none."""
    return os.path.isfile(path)  # noqa: PTH113 - Path's own raises where a name is too long


def is_dir(path: Path) -> bool:
    """Whether there is such a directory; what none can be called is none."""
    return os.path.isdir(path)  # noqa: PTH112


def read_if_there(root: Path, name: str) -> str:
    """Return the text of `root/name`, or "" where there is no such file."""
    path = root / name
    return read(path, name) if is_file(path) else ""


def read_toml(root: Path, name: str) -> dict[str, Any]:
    """Return the table of `root/name`, empty where there is no such file.

    Raises:
        UsageError: it is not TOML; the message has file and line.
    """
    try:
        table = tomllib.loads(read_if_there(root, name).replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # ValueError: a number of too many digits, too
        line = _TOML_LINE.search(str(error))
        place = f"{name}:{line[1]}" if line else name
        raise UsageError(f"{place}: not valid TOML: {error}") from error
    if too_deep(table):
        raise UsageError(f"{name}: nested too deeply")
    return table


def too_deep(value: object, left: int = 100) -> bool:
    """Whether lists and tables are so deep in each other that work with them would not end well."""
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and (not left or any(too_deep(v, left - 1) for v in value))


def read_ini(text: str, name: str) -> dict[str, dict[str, str]]:
    """Return the sections of an INI text, keys in lower case, nothing interpolated.

    Raises:
        UsageError: it is not INI; the message has file and line.
    """
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_file(io.StringIO(text), source=name)
    except (configparser.Error, AttributeError) as error:
        # AttributeError: before 3.13 configparser trips over a value that goes on after none.
        lines = [number for number, _ in getattr(error, "errors", ())]
        number = getattr(error, "lineno", None) or (lines[0] if lines else None)
        place = f"{name}:{number}" if number else name
        reason = str(getattr(error, "message", error)).splitlines()[0]
        raise UsageError(f"{place}: cannot be understood: {reason}") from error
    return {
        section: {key: value or "" for key, value in parser.items(section)}
        for section in parser.sections()
    }
