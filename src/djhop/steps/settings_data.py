"""What becomes of Django's settings, per series: read from `data/settings.toml`."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib

import msgspec

NOTES = "https://docs.djangoproject.com/en/{series}/releases/{series}/"


class Removed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting that a series does not know any more."""

    setting: str
    #: The series that began to warn of it; "" where none did.
    deprecated: str
    #: The first series without it.
    removed: str
    #: What to set in its place; "" where nothing is needed.
    instead: str


class Path(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class or module, which settings may name, that a series does not have any more."""

    path: str
    deprecated: str
    removed: str
    instead: str


class Changed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting that has another default from a series on."""

    setting: str
    series: str
    before: str
    after: str
    #: What that does to a project which does not set it.
    means: str


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it."""

    #: How names of Django's own begin.
    families: tuple[str, ...]
    #: Every setting that a Django has known: of global_settings.py, and others.
    names: tuple[str, ...]
    elsewhere: tuple[str, ...]
    database_keys: tuple[str, ...]
    test_keys: tuple[str, ...]
    removed: tuple[Removed, ...]
    path: tuple[Path, ...]
    changed: tuple[Changed, ...]

    @property
    def known(self) -> frozenset[str]:
        """Every setting that any Django has known."""
        return frozenset((*self.names, *self.elsewhere, *(row.setting for row in self.removed)))


@functools.cache
def load() -> Table:
    """Read the table that ships with djhop."""
    file = importlib.resources.files("djhop").joinpath("data/settings.toml")
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Table)


def notes(series: str) -> str:
    """Return the address of a series' release notes."""
    return NOTES.format(series=series)
