"""The file of known breaks: what a line says, and reading and writing the file's text; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from djhop.errors import UsageError, did_you_mean

#: breaks: a test (or a module) of the suite; step: one of Django's own upgrade steps; deprecated: a
#: use of what the hop removes.
Kind = Literal["breaks", "step", "deprecated"]
KINDS: tuple[str, ...] = get_args(Kind)
#: Stand for a cause where there is none: a test is not there any more, or it is skipped now.
VANISHED, SKIPPED = "vanished", "skipped"
HEADER = """\
# What is known to break, and to be deprecated, on each hop of an upgrade.
# djhop baseline record writes it, djhop baseline check fails for what is not in it.
# Each line: hop, kind, cause, and what it is about. Lines that begin with # are kept.
"""
FORM = "a line is: HOP breaks|step|deprecated CAUSE WHAT"
_HOP = re.compile(r"py\d+\.\d+-django\d+(\.\d+)?\.\.py\d+\.\d+-django\d+(\.\d+)?")
_CAUSE = re.compile(rf"[0-9a-f]{{10}}|{VANISHED}|{SKIPPED}")
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})( |$)|={7}$")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is known."""

    #: Id of the hop: "py3.10-django4.2..py3.10-django5.2".
    hop: str
    kind: Kind
    #: Fingerprint, the same in every run and on every machine; or VANISHED, or SKIPPED.
    cause: str
    #: Id of a test, a module that cannot be loaded, a step, or the file of a deprecated use.
    about: str

    @property
    def key(self) -> tuple[list[int], str, str, str]:
        """Sort key: hops by their versions, then as the line reads."""
        return [int(n) for n in re.findall(r"\d+", self.hop)], self.kind, self.about, self.cause

    @property
    def text(self) -> str:
        """The line as it is written, without its end."""
        return f"{self.hop} {self.kind} {self.cause} {_written(self.about)}"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line, and the comments and empty lines above it."""

    line: Line
    above: tuple[str, ...] = ()


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file."""

    #: What stands above its first empty line, where no line of ours does.
    head: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    #: Comments below the last line.
    tail: tuple[str, ...] = ()

    @property
    def lines(self) -> frozenset[Line]:
        """What is known."""
        return frozenset(entry.line for entry in self.entries)

    @property
    def text(self) -> str:
        """The file as it is written."""
        rows = [*self.head]
        for entry in self.entries:
            rows += (*entry.above, entry.line.text)
        return "".join(f"{row}\n" for row in (*rows, *self.tail))


def read(text: str, name: str) -> Listed:
    """Read the text of the file called `name`.

    Raises:
        UsageError: a line is not understood, is there twice, or is the mark of a merge conflict;
            the message has file and line.
    """
    entries: list[Entry] = []
    seen: dict[Line, int] = {}
    head: tuple[str, ...] = ()
    above: list[str] = []
    for number, row in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        where = f"{name}:{number}"
        if _CONFLICT.match(row):
            raise UsageError(
                f"{where}: a merge conflict is not resolved",
                hint="keep the lines of both sides, then: djhop baseline check",
            )
        if not row.strip() or row.lstrip().startswith("#"):
            above.append(row)
            if not (row.strip() or head or entries):
                head, above = tuple(above), []
            continue
        line = _line(row, where)
        if line in seen:
            raise UsageError(
                f"{where}: the same as line {seen[line]}", hint="one of the two can be deleted"
            )
        seen[line] = number
        entries.append(Entry(line=line, above=tuple(above)))
        above = []
    return Listed(head=head, entries=tuple(entries), tail=tuple(above))


def _line(row: str, where: str) -> Line:
    words = row.strip().split(None, 3)
    if len(words) != len(Line.__struct_fields__):
        raise UsageError(f"{where}: it has {len(words)} of 4 words", hint=FORM)
    hop, kind, cause, about = words
    if not _HOP.fullmatch(hop):
        hint = "a hop is called py3.10-django4.2..py3.10-django5.2"
        raise UsageError(f"{where}: {hop!r} is not a hop", hint=hint)
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or FORM
        raise UsageError(f"{where}: {kind!r} is no kind of line", hint=hint)
    if not _CAUSE.fullmatch(cause):
        hint = f"ten hexadecimal digits, {VANISHED!r} or {SKIPPED!r}"
        raise UsageError(f"{where}: {cause!r} is not a cause", hint=hint)
    found = {"hop": hop, "kind": kind, "cause": cause, "about": _read(about, where)}
    return msgspec.convert(found, Line)


def _written(about: str) -> str:
    """What is odd in a name is spelled out in quotes, so that a line is always a line."""
    plain = about.isprintable() and about == about.strip() and about[:1] not in ("", '"')
    return about if plain else json.dumps(about)


def _read(about: str, where: str) -> str:
    if not about.startswith('"'):
        return about
    try:
        return msgspec.json.decode(about, type=str)
    except msgspec.DecodeError as error:
        raise UsageError(f"{where}: {about} is not a quoted name: {error}", hint=FORM) from error


def with_new(listed: Listed, new: Iterable[Line]) -> Listed:
    """Add lines, in their place in the order; comments stay with the line below them."""
    entries = (*listed.entries, *(Entry(line=line) for line in new))
    head = listed.head or ((*HEADER.splitlines(), "") if not listed.entries else ())
    ordered = sorted(entries, key=lambda entry: entry.line.key)
    return msgspec.structs.replace(listed, head=head, entries=tuple(ordered))


def without(listed: Listed, gone: frozenset[Line]) -> Listed:
    """Take lines away, and nothing else: comments above them stay where they are."""
    entries: list[Entry] = []
    above: tuple[str, ...] = ()
    for entry in listed.entries:
        above += entry.above
        if entry.line not in gone:
            entries.append(Entry(line=entry.line, above=above))
            above = ()
    tail = (*above, *listed.tail)
    return msgspec.structs.replace(listed, entries=tuple(entries), tail=tail)
