"""One run as history remembers it: plain facts, whatever they were read from."""

from __future__ import annotations

import hashlib

import msgspec


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of one night."""

    id: str
    status: str
    #: Whether its tests ran, so that what is not among them was not there or is hidden.
    ran: bool
    #: A part of the suite could not be loaded or run: what is missing may be there.
    hidden: bool = False
    #: Test → (state, id of its cause).
    tests: dict[str, tuple[str, str]] = {}
    #: Test → seconds.
    paces: dict[str, float] = {}
    #: Seconds of one run of the suite, and of the whole cell.
    suite: float = 0.0
    seconds: float = 0.0
    coverage: float | None = None
    #: Everything that may move: packages, Python, djhop.
    packages: dict[str, str] = {}


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """A hop of one night."""

    id: str
    verdict: str
    #: Tests and modules that it breaks; None where it could not be judged.
    breaks: int | None
    #: Cause → tests behind it.
    causes: dict[str, int] = {}
    #: Deprecated uses that this hop removes → tests behind each.
    uses: dict[str, int] = {}


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """A run, without its cells: they come one at a time."""

    run: str
    #: UTC, ISO 8601.
    started: str
    #: What goes together: runs of one matrix on one project.
    line: str
    revision: str = ""
    #: Stands for the content of the project's files; "" where nobody knows.
    tree: str = ""
    #: Stands for the matrix's settings.
    settings: str = ""
    seconds: float = 0.0
    cells: tuple[str, ...] = ()
    hops: tuple[Crossed, ...] = ()
    #: Cause or use → what it is, in a line.
    labels: dict[str, str] = {}


def lock(packages: dict[str, str]) -> str:
    """Return what stands for exactly these packages."""
    listed = sorted(packages.items())
    return hashlib.sha256(msgspec.json.encode(listed)).hexdigest()[:20]


def moved(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    """Say what moved between two sets of packages: "asgiref 3.7.2 → 3.8.1", "+ pytz 2024.1"."""
    found = []
    for name in sorted({*before, *after}, key=str.casefold):
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            found.append(f"{name} {old or '(none)'} → {new or '(none)'}")
    return tuple(found)
