"""Two sets of packages → what moved between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Direction = Literal["added", "removed", "upgraded", "downgraded", "changed"]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One package that is not the same on both sides of a hop."""

    package: str
    #: Version before and after; None where it is not installed.
    before: str | None
    after: str | None
    direction: Direction
    #: Whether the first part of the version changed: where breaks are announced.
    major: bool = False
    why: str = ""


def moves(
    before: Mapping[str, str], after: Mapping[str, str], why: Mapping[str, str]
) -> tuple[Move, ...]:
    """Return what moved from `before` to `after` (name → version), by name."""
    old = {canonicalize_name(name): version for name, version in before.items()}
    new = {canonicalize_name(name): version for name, version in after.items()}
    reasons = {canonicalize_name(name): reason for name, reason in why.items()}
    names = sorted({*old, *new})
    return tuple(
        _move(name, old.get(name), new.get(name), reasons.get(name, ""))
        for name in names
        if old.get(name) != new.get(name)
    )


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
    except InvalidVersion:  # a URL, a commit
        return "changed", False
    if old == new:
        return "changed", False
    return "upgraded" if old < new else "downgraded", old.release[0] != new.release[0]
