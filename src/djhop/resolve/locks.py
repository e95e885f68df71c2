"""The cell's lock: what it says, and how it is written; pure."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from djhop.masking import mask
from djhop.resolve.blockers import Blocker
from djhop.resolve.proofs import Kind

#: 1: first. 2: moves go to the smallest release. 3: reasons of moves are read from proofs.
#: 4: what comes back takes a small step, too.
FORMAT = 4
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


@functools.lru_cache(maxsize=4096)
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
        elif name and word.startswith("#"):
            parent = _parent(word.lstrip("# ").removeprefix("via").strip())
            if parent:
                via[name] = tuple(dict.fromkeys((*via.get(name, ()), parent)))
        elif word and not word.startswith("-"):
            pins.append(word.partition(" ; ")[0].strip())
            name = split(pins[-1])[0]
            via.setdefault(name, ())
    release = next((version for n, version in map(split, pins) if n == "django"), "")
    return Lock(
        pins=tuple(pins), django_release=release, key=pins_key(pins), via=via, hashes=hashes
    )


@functools.lru_cache(maxsize=4096)
def _parent(word: str) -> str:
    if word.startswith("-r "):
        # "moved.in" stands for nobody: see smallest.py.
        return (
            "" if Path(word[3:]).stem == "moved" else ASKED.get(Path(word[3:]).stem, "the project")
        )
    return "" if word.startswith("-") else word


def pins_key(pins: list[str]) -> str:
    """Hash of the pins; credentials are no part of it."""
    return hashlib.sha256(mask("\n".join(sorted(pins))).encode()).hexdigest()[:16]


def with_notes(lock: Lock, notes: tuple[str, ...]) -> Lock:
    """The same lock, saying more."""
    return msgspec.structs.replace(lock, notes=lock.notes + notes)


def pruned(lock: Lock) -> Lock:
    """The lock without what no package and no requirement file asks for (see smallest.py)."""
    via = dict(lock.via)
    while idle := {name for name in lock.packages if name in via and not via[name]}:
        via = {
            name: tuple(parent for parent in parents if parent not in idle)
            for name, parents in via.items()
            if name not in idle
        }
    pins = tuple(pin for pin in lock.pins if split(pin)[0] in via)
    hashes = {name: marks for name, marks in lock.hashes.items() if name in via}
    return msgspec.structs.replace(
        lock, pins=pins, via=via, hashes=hashes, key=pins_key(list(pins))
    )


def requirements_text(lock: Lock) -> str:
    """Write the lock as a requirements.txt for `pip install -r` and `uv pip sync`.

    Every package has its hashes; where one has none (a git checkout, a folder), no package has,
    because a file with some is refused.
    """
    bare = tuple(pin for pin in lock.pins if not lock.hashes.get(split(pin)[0]))
    lines = [f"# {line}" for line in _remarks(lock, bare)]
    for pin in lock.pins:
        marks = () if bare else lock.hashes[split(pin)[0]]
        lines.append(" \\\n".join((mask(pin), *(f"    --hash={mark}" for mark in marks))))
    return "\n".join(lines) + "\n"


def _remarks(lock: Lock, bare: tuple[str, ...]) -> Iterator[str]:
    if lock.forced:
        against = ", ".join(blocker.reason for blocker in lock.blockers)
        yield f"Forced: {against or 'metadata was overruled'}."
        yield "pip takes it with --no-deps, uv pip sync as it is."
    if bare:
        yield f"Without hashes, because these have none: {', '.join(map(mask, bare))}"
    for pin in lock.pins:
        if mask(pin) != pin:
            yield f"Put the credentials back before use: {mask(pin)}"
