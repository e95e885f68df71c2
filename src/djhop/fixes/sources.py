"""A cause → the files of the project that a fixer should look at; pure but for reading them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from djhop.results.results import Failure

#: What a message quotes: "cannot import name 'url' from 'django.conf.urls'".
_QUOTED = re.compile(r"'([A-Za-z_][\w.]*)'")


def of(
    failures: Iterable[Failure], modules: Iterable[str], *, root: Path, files: Iterable[str]
) -> tuple[str, ...]:
    """Return the Python files behind a cause, in the order of `files`.

    These are the files of its tracebacks, the modules that could not be loaded, and every file that
    uses the names that its message quotes: what one module does, others often do too, and would
    only show when that one is mended.

    Args:
        failures: its failures; their files are relative to the project, or to a package.
        modules: names of modules, classes or files that could not be loaded.
        root: the project, or a copy of it.
        files: what belongs to the project, relative to it.
    """
    known = tuple(name for name in files if name.endswith(".py"))
    found: set[str] = set()
    wanted: set[frozenset[str]] = set()
    for failure in dict.fromkeys(failures):
        found |= {failure.place.rpartition(":")[0], *(frame[0] for frame in failure.frames)}
        wanted.add(names(failure.message))
    found |= {path for module in modules for path in _paths(module, known)}
    patterns = [[re.compile(rf"\b{re.escape(n)}\b") for n in group] for group in wanted if group]
    return tuple(name for name in known if name in found or _uses(root / name, patterns))


def names(message: str) -> frozenset[str]:
    """Return the last part of each name that the first line of a message quotes.

    "module 'django.utils.timezone' has no attribute 'utc'" is of `timezone` and `utc`.
    """
    line = message.strip().partition("\n")[0]
    return frozenset(name.rpartition(".")[2] for name in _QUOTED.findall(line))


def _uses(path: Path, patterns: list[list[re.Pattern[str]]]) -> bool:
    """Whether a file has all the names of a message."""
    if not patterns:
        return False
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(all(pattern.search(text) for pattern in group) for group in patterns)


def _paths(module: str, known: tuple[str, ...]) -> Iterator[str]:
    """The files that a module may be: "tests/test_a.py::Class", "tests.test_a.Class"."""
    name = module.partition("::")[0]
    if name in known:
        yield name
        return
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        stem = "/".join(parts[:end])
        ends = (f"{stem}.py", f"{stem}/__init__.py")
        below = tuple(f"/{name}" for name in ends)
        hits = [path for path in known if path in ends or path.endswith(below)]
        if hits:
            yield from hits
            return
