"""The cell's lock: what it says, and how two differ; pure."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from djhop.resolve.blockers import Blocker
from djhop.resolve.proofs import Kind, mask

#: 1: first.
FORMAT = 1
#: How `via` names requirement files: what stands there is asked for by no package.
ASKED = {
    "project": "the project",
    "suite": "the suite",
    "matrix": "the matrix",
    "django": "the hop",
}

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(==\S+| @ \S+)")


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The exact packages of a cell.

    `pins` may hold the credentials of a URL requirement, because they are needed to install it;
    on disk, and in every other field, credentials are masked.
    """

    #: "name==version" or "name @ url", by name.
    pins: tuple[str, ...]
    #: The release of Django: "5.2.19".
    django_release: str
    #: A package's metadata forbids this Django or a pin had to be overruled; `blockers` says which.
    forced: bool = False
    #: Hash of the pins: cells with the same key share an environment.
    key: str = ""
    notes: tuple[str, ...] = ()
    #: Package → the constraint that made it move.
    moves_why: dict[str, str] = {}
    #: Package → who asks for it: packages, or one of `ASKED`'s values.
    via: dict[str, tuple[str, ...]] = {}
    #: Package → "sha256:…" of every file of that release.
    hashes: dict[str, tuple[str, ...]] = {}
    blockers: tuple[Blocker, ...] = ()
    #: uv processes it took.
    processes: int = 0

    @property
    def packages(self) -> dict[str, str]:
        """Canonical name → version, or URL where the pin is one."""
        return dict(split(pin) for pin in self.pins)


class Unresolvable(msgspec.Struct, frozen=True, kw_only=True):
    """No lock: the cell's status is `unresolvable`."""

    kind: Kind
    #: One sentence.
    reason: str
    blockers: tuple[Blocker, ...] = ()
    #: uv's own explanation, or the last meaningful lines of a build; credentials masked.
    text: str = ""
    #: File that holds all of uv's output.
    log: str = ""
    processes: int = 0


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One package that differs between two locks; `before` or `after` is empty where absent."""

    package: str
    before: str
    after: str
    why: str
    #: The first component of the version differs.
    major: bool = False


def split(pin: str) -> tuple[str, str]:
    """Split a pin into canonical name and version (or URL); a bare path is its own name."""
    match = _PIN.match(pin)
    if match is None:
        return pin, pin
    return canonicalize_name(match[1]), match[2].removeprefix("==").removeprefix(" @ ")


def parse(text: str) -> Lock:
    """Read what `uv pip compile` wrote with split annotations."""
    pins: list[str] = []
    via: dict[str, tuple[str, ...]] = {}
    hashes: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.splitlines():
        word = line.strip().removesuffix("\\").strip()
        if word.startswith("--hash="):
            hashes[name] = (*hashes.get(name, ()), word.removeprefix("--hash="))
        elif word.startswith("#"):
            parent = _parent(word.lstrip("# ").removeprefix("via").strip())
            if name and parent:
                via[name] = tuple(dict.fromkeys((*via.get(name, ()), parent)))
        elif word and not word.startswith("-"):
            pins.append(word.partition(" ; ")[0].strip())
            name = split(pins[-1])[0]
    release = next((version for n, version in map(split, pins) if n == "django"), "")
    return Lock(
        pins=tuple(pins), django_release=release, key=pins_key(pins), via=via, hashes=hashes
    )


def _parent(word: str) -> str:
    if word.startswith("-r "):
        return ASKED.get(Path(word[3:]).stem, "the project")
    return "" if word.startswith("-") else word


def pins_key(pins: list[str]) -> str:
    """Hash of the pins; credentials are no part of it."""
    return hashlib.sha256(mask("\n".join(sorted(pins))).encode()).hexdigest()[:16]


def with_notes(lock: Lock, notes: tuple[str, ...]) -> Lock:
    """The same lock, saying more."""
    return msgspec.structs.replace(lock, notes=lock.notes + notes)


def requirements_text(lock: Lock) -> str:
    """Write the lock as a requirements.txt with hashes, for `pip install -r` and `uv pip sync`."""
    lines = []
    for pin in lock.pins:
        marks = (f"    --hash={mark}" for mark in lock.hashes.get(split(pin)[0], ()))
        lines.append(" \\\n".join((mask(pin), *marks)))
    return "\n".join(lines) + "\n"


def diff(before: Lock, after: Lock) -> tuple[Move, ...]:
    """List what differs between two locks, Django first, then by name; pure."""
    old, new = before.packages, after.packages
    names = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
    names.sort(key=lambda n: n != "django")
    moved = frozenset(names)
    return tuple(
        Move(
            package=name,
            before=mask(old.get(name, "")),
            after=mask(new.get(name, "")),
            why=_why(name, before, after, moved),
            major=_major(old.get(name, ""), new.get(name, "")),
        )
        for name in names
    )


def _why(name: str, before: Lock, after: Lock, moved: frozenset[str]) -> str:
    if name == "django":
        return "the hop"
    if name in after.moves_why:
        return after.moves_why[name]
    if name not in after.packages:
        parents = before.via.get(name, ())
        return (
            f"no longer required (was by {', '.join(parents)})" if parents else "no longer required"
        )
    parents = after.via.get(name, ())
    # Whoever moved too is the likelier reason; a parent that stayed asked for it all along.
    suspects = tuple(p for p in parents if p in moved) or parents
    return f"required by {', '.join(suspects)}" if suspects else ""


def _major(before: str, after: str) -> bool:
    try:
        return bool(before and after) and Version(before).release[0] != Version(after).release[0]
    except InvalidVersion:
        return False
