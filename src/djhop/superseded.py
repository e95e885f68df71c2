"""Packages whose job Django has taken over since, read from `data/superseded.toml`."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Collection

import msgspec

from djhop.releases import version_key


class Superseded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A package, or a part of one, that a series of Django makes unnecessary."""

    #: Canonical name.
    package: str
    #: The first series that has what replaces it.
    since: str
    #: What Django has instead.
    by: str
    #: What of the package is meant; empty for all of it.
    part: str = ""
    #: Page and section below https://docs.djangoproject.com/en/stable/
    notes: str


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    superseded: tuple[Superseded, ...]


@functools.cache
def load() -> tuple[Superseded, ...]:
    """Read the table that ships with djhop."""
    path = importlib.resources.files("djhop").joinpath("data/superseded.toml")
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Superseded, ...]:
    """Read a table of superseded packages.

    Raises:
        msgspec.ValidationError: an unknown key, a missing one, a wrong type.
    """
    return msgspec.convert(tomllib.loads(text), _Table).superseded


def between(packages: Collection[str], before: str, after: str) -> tuple[Superseded, ...]:
    """Of `packages`, those that a hop from series `before` to series `after` makes unnecessary.

    Not those that already were before: see `until`.
    """
    low = version_key(before)
    return tuple(row for row in until(packages, after) if version_key(row.since) > low)


def until(packages: Collection[str], series: str) -> tuple[Superseded, ...]:
    """Of `packages`, those that `series` has taken over, itself or one before it."""
    high = version_key(series)
    return tuple(
        row for row in load() if row.package in packages and version_key(row.since) <= high
    )
