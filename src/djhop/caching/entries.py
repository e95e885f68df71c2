"""What lies in the cache: each thing that can be removed by itself, how large, when last used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

#: They have places and a sweep of their own (`workspace/revision.py`).
REVISIONS = "revisions"
#: How an entry is known to be in nobody's use: locked as environments are, as rooms are, or by age.
Guard = Literal["environment", "room", "age", "never"]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One folder of the cache."""

    name: str
    #: What it is, in a few words.
    what: str
    #: Where its entries are, relative to it.
    pattern: str = "*"
    guard: Guard = "age"


#: Every folder that djhop makes in its cache. What is never removed is small, or shared by all.
KINDS = (
    Kind(name="envs", what="environments, one for each lock and interpreter", guard="environment"),
    Kind(name="workspaces", what="copies of targets, one for each cell", pattern="*/*",
         guard="room"),
    Kind(name="results", what="cells of djhop hop, to be shown again"),
    Kind(name="locks", what="locks, and what was asked to make them"),
    Kind(name="deps", what="what releases say of themselves"),
    Kind(name="logs", what="what uv said when it failed"),
    Kind(name="bytecode", what="bytecode of packages", guard="never"),
    Kind(name="overlays", what="projects, as environments see them", guard="never"),
    Kind(name="tools", what="coverage, for each interpreter", guard="never"),
    Kind(name="running", what="processes that have been started", guard="never"),
)  # fmt: skip


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the cache."""

    kind: str
    path: str
    bytes: int
    #: Seconds since 1970.
    used: float
    guard: Guard


def entries(cache: Path) -> Iterator[Entry]:
    """Yield everything in the cache; a file with several names counts once."""
    seen: set[tuple[int, int]] = set()
    for kind in KINDS:
        for path in sorted((cache / kind.name).glob(kind.pattern)):
            if path.name.endswith(".lock") or path.name.startswith(".") or path.name == REVISIONS:
                continue  # what guards an entry, or is being made
            yield Entry(
                kind=kind.name,
                path=str(path),
                bytes=size(path, seen),
                used=_used(path),
                guard=kind.guard,
            )


def size(path: Path, seen: set[tuple[int, int]]) -> int:
    """Return the bytes below a path on disk; inodes in `seen` do not count, new ones are added."""
    total, left = 0, [str(path)]
    while left:
        place = left.pop()
        try:
            found = os.lstat(place)
            key = (found.st_dev, found.st_ino)
            if key in seen:
                continue
            seen.add(key)
            total += found.st_blocks * 512
            if os.path.isdir(place) and not os.path.islink(place):  # noqa: PTH112, PTH114
                left += [entry.path for entry in os.scandir(place)]
        except OSError:  # it went meanwhile, or is another user's
            continue
    return total


def _used(path: Path) -> float:
    """When it was last used: environments and rooms are touched by what uses them."""
    places = (path, path / "manifest.json", path.with_name(f"{path.name}.lock"))
    times = []
    for place in places:
        try:
            times.append(place.lstat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)
