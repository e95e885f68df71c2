"""What a bisect found, and every run it took: `<run>/bisect/<id>.json`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

import msgspec

from djhop.durable import encode, make, read, write
from djhop.errors import UsageError

#: 1: the first.
FORMAT = 1

#: found: it came in between two points. same: the ends do not differ. flaky: a boundary gave both
#: answers. stopped: cut short by its budget, by a signal, or because something did not answer.
Outcome = Literal["found", "same", "flaky", "stopped"]
Answer = Literal["good", "bad", "skip"]
Kind = Literal["django", "python", "package"]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the tests with one set of packages."""

    #: Stands for the Python and the exact packages.
    key: str
    #: What it is, in words: "Python 3.10, Django 5.0.3".
    label: str
    answer: Answer
    #: Why it is a skip, or how it failed.
    said: str = ""
    seconds: float = 0.0


class Culprit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that moved, and between which of its releases the break came in."""

    kind: Kind
    #: "Django", "Python", or the package.
    name: str
    #: Last release that was good, and first that was bad; "" where the package was not there.
    good: str
    bad: str
    #: Releases between the two that could not be judged, each with its reason.
    skipped: tuple[str, ...] = ()
    #: What moved along at the boundary, because the release asks for it: "asgiref 3.6.0 → 3.8.1".
    along: tuple[str, ...] = ()
    #: How often the boundary was run, each with the same answer.
    times: int = 0
    #: Release notes, or the package's page.
    link: str = ""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What is enough for the break: one culprit, or several that only break together."""

    culprits: tuple[Culprit, ...]


class Blame(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one bisect."""

    format: int = FORMAT
    id: str
    #: Fingerprint of the failure that was looked for.
    cause: str
    #: "plain", or "strict": under error::DeprecationWarning.
    mode: Literal["plain", "strict"]
    #: The hop: cells before and after.
    hop: str
    exception: str
    message: str
    place: str = ""
    #: The tests that were run, and how many the cause has.
    tests: tuple[str, ...] = ()
    behind: int = 0
    outcome: Outcome = "stopped"
    #: Why nothing was found.
    reason: str = ""
    #: Each of them is enough by itself.
    ways: tuple[Way, ...] = ()
    tried: tuple[Tried, ...] = ()
    seconds: float = 0.0
    #: The command that asks this again.
    reproduce: str = ""
    #: Stands for the target's files and the ends: answers are used again where it is equal.
    inputs: str = ""
    #: What did it, or why nothing can be blamed.
    said: str = ""
    #: One paragraph to paste.
    text: str = ""


class Blamed(msgspec.Struct, frozen=True, kw_only=True):
    """What `run.json` holds of a bisect."""

    cause: str
    hop: str
    outcome: Outcome
    #: What did it, or why nothing can be blamed, in a sentence or two.
    said: str
    links: tuple[str, ...] = ()
    #: The file of the bisect, beside `run.json`.
    file: str


def path(run: Path, blame_id: str) -> Path:
    """Where the bisect with this id is kept in a run's folder."""
    return run / "bisect" / f"{blame_id}.json"


def keep(run: Path, blame: Blame) -> None:
    """Write a bisect into its run's folder."""
    make(run / "bisect")
    write(path(run, blame.id), msgspec.json.format(encode(blame), indent=2) + b"\n")


def kept(run: Path, blame_id: str, inputs: str) -> Blame | None:
    """Read a bisect back; None where there is none, or one of something else."""
    with contextlib.suppress(UsageError):
        found = read(path(run, blame_id), Blame, FORMAT)
        return found if found.inputs == inputs else None
    return None


def shortened(blame: Blame) -> Blamed:
    """What `run.json` and the reports say of it."""
    links = (one.link for way in blame.ways for one in way.culprits if one.link)
    return Blamed(
        cause=blame.cause,
        hop=blame.hop,
        outcome=blame.outcome,
        said=blame.said,
        links=tuple(dict.fromkeys(links)),
        file=f"bisect/{blame.id}.json",
    )
