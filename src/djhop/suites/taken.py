"""What is taken away in a run that looks behind a cause: the probe reads it, as JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

ShimKind = Literal["name", "module", "attribute", "argument", "setting"]


class ShimSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something removed that is put back for an experiment."""

    kind: ShimKind
    #: Every dotted path it could be had by; the name of a setting.
    paths: tuple[str, ...]
    #: Dotted path of what takes its place.
    alias: str = ""
    #: The argument that is left out of calls.
    argument: str = ""
    #: The value of a setting that is not set.
    default: str | int | bool | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run is made without, or with again."""

    shims: tuple[ShimSpec, ...] = ()
    #: Dotted modules: the apps they belong to are left out of INSTALLED_APPS.
    apps: tuple[str, ...] = ()
    #: Labels of apps whose migrations are left out: their tables are made from the models.
    migrations: tuple[str, ...] = ()
