"""The JSON that a step writes, as types: the djhop side of `djhop_steps`."""

from __future__ import annotations

from typing import Literal

import msgspec

from djhop.results.eventlog import Exc
from djhop.results.steps import Column


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of `check`; levels are Django's numbers."""

    id: str
    level: int
    object: str
    message: str
    hint: str = ""
    deploy: bool = False
    silenced: bool = False


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A migration that cannot be loaded or applied, and the operation that is to blame."""

    app: str
    migration: str
    file: str = ""
    line: int = 0
    operations: tuple[str, ...] = ()
    own: bool = False
    error: Exc | None = None


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Leaf migrations of one app."""

    app: str
    leaves: tuple[str, ...]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that `makemigrations` would write."""

    app: str
    migration: str
    kind: str
    subject: str
    words: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth knowing of a migration or an app."""

    kind: str
    app: str
    migration: str = ""
    operation: str = ""
    count: int = 0


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A database that was made and migrated."""

    alias: str
    vendor: str = ""
    applied: tuple[tuple[str, str, float], ...] = ()
    seconds: float = 0.0
    kept: str = ""
    failed: Broken | None = None
    tables: dict[str, tuple[Column, ...]] = {}
    constraints: dict[str, tuple[str, ...]] = {}
    #: Rows before an upgrade, and "table.column" whose values are not what they were after it.
    rows: dict[str, int] = {}
    changed: tuple[str, ...] = ()
    again: tuple[tuple[str, str], ...] = ()
    again_error: Exc | None = None


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A database that was not made."""

    alias: str
    reason: str


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A model that cannot be read or written in every way; (operation, exception) of each side."""

    model: str
    table: str
    alias: str
    #: Whether its table is another one on the other side.
    changed: bool = False
    own: tuple[tuple[str, Exc], ...] = ()
    other: tuple[tuple[str, Exc], ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the evaluated settings say."""

    #: What the project sets itself, and where: name → "file:line".
    names: tuple[str, ...] = ()
    places: dict[str, str] = {}
    #: The settings module's file, and those that it takes everything from.
    files: tuple[str, ...] = ()
    #: "PASSWORD_HASHERS[1]" → "django.contrib.auth.hashers.…": paths of Django's own.
    paths: dict[str, str] = {}
    #: "DATABASES['default']" → its keys.
    keys: dict[str, tuple[str, ...]] = {}


class Wrote(msgspec.Struct, frozen=True, kw_only=True):
    """One step's result; what belongs to other steps is empty."""

    status: Literal["ok", "failed", "not-available"]
    reason: str = ""
    error: Exc | None = None
    messages: tuple[Message, ...] = ()
    broken: tuple[Broken, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    pending: tuple[Operation, ...] = ()
    facts: tuple[Facts, ...] = ()
    databases: tuple[Made, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    settings: Settings = Settings()
    #: Models that cannot be read or written in every way.
    models: tuple[Tried, ...] = ()
