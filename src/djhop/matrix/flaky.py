"""`[flaky]` of a matrix, and the file of tests that are known to be flaky."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from djhop.errors import UsageError
from djhop.matrix import patterns, strict


class Flaky(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How tests that newly fail on a hop are run again."""

    #: How often each, on both sides of the hop; 0: not at all.
    reruns: int = 2
    #: Seconds for one hop.
    budget: float = 120.0
    #: The file of known flaky tests, relative to the target.
    known: str = ""


class KnownFlaky(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test that is known to be flaky, for as long as somebody has said."""

    #: A test's id, in which `*` and `?` stand for any text and any character.
    id: str
    #: Why it is flaky, or who looks after it.
    reason: str
    #: The last day on which it counts as known.
    expires: datetime.date
    #: The cells in which it is: a pattern as elsewhere in a matrix; empty: all.
    cells: str = ""

    def covers(self, test: str, cell: str) -> bool:
        """Whether this is about `test` in `cell`."""
        return self.is_about(cell) and bool(_glob(self.id).fullmatch(test))

    def is_about(self, cell: str) -> bool:
        """Whether this is about tests of `cell`."""
        return not self.cells or patterns.matches(cell, [self.cells])

    def expired(self, today: datetime.date) -> bool:
        """Whether its last day is over."""
        return today > self.expires


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    test: tuple[KnownFlaky, ...] = ()


def read(root: Path, named: str) -> tuple[KnownFlaky, ...]:
    """Read the file of known flaky tests; () where the matrix names none.

    Raises:
        UsageError: it is not there or is wrong; the message has file and line.
    """
    if not named:
        return ()
    path = root / named
    table = strict.read_toml(path)
    entries = table.get("test", [])
    # An entry alone, so that an error can say in which line it begins.
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        where = f"{path}:{_line_of(path, number)}"
        if not isinstance(entry, dict):
            raise UsageError(f"{where}: test[{number}]: is no table", hint="[[test]]")
        known = strict.convert(entry, KnownFlaky, where, f"test[{number}]")
        for key in ("id", "reason"):
            if not getattr(known, key).strip():
                raise strict.bad(where, f"test[{number}].{key}", "is empty")
    return strict.convert(table, _File, str(path)).test


def wrong(flaky: Flaky) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong with its value or "", hint) for what a type cannot say."""
    hint = "0: no test is run again"
    yield "flaky.reruns", "" if flaky.reruns >= 0 else "must be 0 or more", hint
    yield "flaky.budget", strict.no_time(flaky.budget), ""


def _line_of(path: Path, number: int) -> int:
    """The line in which an entry begins, as far as it is written as [[test]]."""
    lines = path.read_text("utf-8").splitlines()
    heads = [n for n, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*test\s*\]\]", line)]
    return heads[number] if number < len(heads) else 1


def _glob(text: str) -> re.Pattern[str]:
    """A pattern in which brackets are brackets: ids of tests have them."""
    escaped = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL)
