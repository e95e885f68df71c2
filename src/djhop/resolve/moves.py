"""What differs between two sets of packages, and why; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop.masking import mask

if TYPE_CHECKING:
    from djhop.resolve.locks import Lock

Direction = Literal["added", "removed", "upgraded", "downgraded", "changed"]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One package that is not the same on both sides of a hop."""

    package: str
    #: Version (or URL, credentials masked) before and after; None where it is not installed.
    before: str | None
    after: str | None
    #: "changed" where one side is a URL, so that nobody can say which is newer.
    direction: Direction
    #: Whether the first part of the version changed: where breaks are announced.
    major: bool = False
    #: Whose requirement, or what else, made it move.
    why: str = ""


def moves(
    before: Mapping[str, str], after: Mapping[str, str], why: Mapping[str, str]
) -> tuple[Move, ...]:
    """Return what moved from `before` to `after` (name → version), Django first, then by name."""
    old = {canonicalize_name(name): mask(version) for name, version in before.items()}
    new = {canonicalize_name(name): mask(version) for name, version in after.items()}
    reasons = {canonicalize_name(name): reason for name, reason in why.items()}
    moved = (name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return tuple(
        _move(name, old.get(name), new.get(name), reasons.get(name, ""))
        for name in sorted(moved, key=lambda name: (name != "django", name))
    )


def diff(before: Lock, after: Lock) -> tuple[Move, ...]:
    """List what differs between a lock and the one that was made from it."""
    return moves(before.packages, after.packages, after.moves_why)


def reasons(before: Lock, after: Lock, known: Mapping[str, str]) -> dict[str, str]:
    """Package → why it moved, for all that differ; `known` wins, then who requires it."""
    moved = moves(before.packages, after.packages, {})
    names = frozenset(move.package for move in moved)
    return {move.package: _why(move, before, after, names, known) for move in moved}


def _why(
    move: Move, before: Lock, after: Lock, moved: frozenset[str], known: Mapping[str, str]
) -> str:
    if move.package == "django":
        return "the hop"
    if move.after is None:
        parents = before.via.get(move.package, ())
        was = f" (was by {', '.join(parents)})" if parents else ""
        return f"no longer required{was}"
    if move.package in known:
        return known[move.package]
    parents = after.via.get(move.package, ())
    # Whoever moved too is the likelier reason; a parent that stayed asked for it all along.
    suspects = tuple(parent for parent in parents if parent in moved)
    if move.before is None:
        suspects = suspects or parents
    return f"required by {', '.join(suspects)}" if suspects else ""


def _move(package: str, before: str | None, after: str | None, why: str) -> Move:
    direction, major = _direction(before, after)
    return Move(
        package=package, before=before, after=after, direction=direction, major=major, why=why
    )


def _direction(before: str | None, after: str | None) -> tuple[Direction, bool]:
    if before is None:
        return "added", False
    if after is None:
        return "removed", False
    try:
        old, new = Version(before), Version(after)
    except ValueError:  # a URL, a commit
        return "changed", False
    if old == new:
        return "changed", False
    return "upgraded" if old < new else "downgraded", old.release[0] != new.release[0]
