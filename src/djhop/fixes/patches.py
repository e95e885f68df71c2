"""Two versions of a file → a unified diff that `git apply` takes; pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import msgspec

NO_NEWLINE = "\\ No newline at end of file\n"


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a fixer has rewritten."""

    #: Relative to the target.
    path: str
    #: Lines.
    added: int
    removed: int


def diff(path: str, before: str, after: str) -> str:
    """Return the patch of one file; "" where nothing differs.

    `path` is relative to where the patch is applied, with slashes. Lines end with a line feed and
    with nothing else: a carriage return, or a form feed, is part of a line, as git has it.
    """
    changes = difflib.unified_diff(
        _lines(before), _lines(after), _named(f"a/{path}"), _named(f"b/{path}")
    )
    found = "".join(map(_ended, changes))
    return f"diff --git a/{path} b/{path}\n{found}" if found else ""


def changed(path: str, patch: str) -> Changed:
    """Say what the patch of one file does to it."""
    lines = list(_changed(patch))
    added, removed = (sum(line[0] == sign for line in lines) for sign in "+-")
    return Changed(path=path, added=added, removed=removed)


def _changed(patch: str) -> Iterator[str]:
    in_hunk = False
    for line in patch.split("\n"):
        if line.startswith(("@@", "diff --git")):
            in_hunk = line.startswith("@@")
        elif in_hunk and line.startswith(("+", "-")):
            yield line


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def _named(path: str) -> str:
    # A tab ends a name with spaces, for git.
    return f"{path}\t" if " " in path else path


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}"
