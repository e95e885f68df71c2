"""`data/removals.toml`, and the settings of `data/settings.toml`, as rows."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from typing import Any, Literal

import msgspec

Kind = Literal[
    "name", "module", "argument", "attribute", "setting", "tag", "filter", "library", "behaviour"
]
Axis = Literal["django", "python", "package"]

_DJANGO = "https://docs.djangoproject.com/en/{0}/releases/{0}/"
_PYTHON = "https://docs.python.org/3/whatsnew/{}.html"
#: No release notes yet: those of the series that began to warn say it.
_NOT_OUT = frozenset({"2028"})
#: What the section is called in What's New; "Removed" in all others.
_SECTIONS = {"3.7": "api-and-feature-removals", "3.8": "api-and-feature-removals"}


class Shim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How something removed can be put back for an experiment."""

    #: Dotted path of what takes its name.
    alias: str = ""
    #: Leave the argument out of the call.
    drop: bool = False
    #: What the setting was where it was not set.
    default: str | int | bool | None = None


class Removal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One removed or changed API; the fields are explained at the top of `removals.toml`."""

    symbol: str
    kind: Kind = "name"
    argument: str = ""
    also: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    axis: Axis = "django"
    package: str = ""
    deprecated: str
    removed: str
    replacement: str = ""
    use: str = ""
    link: str = ""
    fixer: str = ""
    match: str = ""
    source: str = ""
    warns: str = ""
    shim: Shim | None = None

    @property
    def id(self) -> str:
        """Stable name: the symbol, with the argument in parentheses."""
        return f"{self.symbol}({self.argument})" if self.argument else self.symbol

    @property
    def name(self) -> str:
        """Last part of the symbol: "ugettext_lazy"."""
        return self.symbol.rpartition(".")[2]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every dotted path it could be imported by."""
        return (self.symbol, *self.also)

    @property
    def notes(self) -> str:
        """Where to read more: its link, or the release notes."""
        if self.link:
            return self.link
        if self.axis == "python":
            at = self.removed or self.deprecated
            section = _SECTIONS.get(at, "removed") if self.removed else "deprecated"
            return f"{_PYTHON.format(at)}#{section}"
        planned = self.removed in _NOT_OUT
        at = self.deprecated if planned else self.removed
        section = "deprecated" if planned else "removed"
        anchor = f"#features-{section}-in-{at.replace('.', '-')}" if self.deprecated else ""
        return _DJANGO.format(at) + anchor


class _Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `removals.toml` adds to a setting of `settings.toml`."""

    fixer: str = ""
    shim: Shim | None = None


@functools.cache
def load() -> tuple[Removal, ...]:
    """Read both tables that ship with djhop."""
    table = _read("removals.toml")
    rows = [row for entry in table["removal"] for row in _spread(entry)]
    more = msgspec.convert(table["setting"], dict[str, _Setting])
    return (*msgspec.convert(rows, tuple[Removal, ...]), *_settings(_read("settings.toml"), more))


def _read(name: str) -> dict[str, Any]:
    file = importlib.resources.files("djhop").joinpath("data", name)
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _spread(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each of `symbols`, with its name for {name}."""
    symbols = entry.get("symbols") or [entry["symbol"]]
    rest = {key: value for key, value in entry.items() if key not in ("symbol", "symbols")}
    return [{"symbol": symbol, **_named(rest, symbol.rpartition(".")[2])} for symbol in symbols]


def _named(value: Any, name: str) -> Any:
    match value:
        case str():
            return value.replace("{name}", name)
        case dict():
            return {key: _named(one, name) for key, one in value.items()}
        case list():
            return [_named(one, name) for one in value]
    return value


def _settings(table: dict[str, Any], more: dict[str, _Setting]) -> tuple[Removal, ...]:
    settings = tuple(
        Removal(
            kind="setting",
            symbol=row["setting"],
            deprecated=row["deprecated"],
            removed=row["removed"],
            replacement=row["instead"],
            fixer=more.get(row["setting"], _Setting()).fixer,
            shim=more.get(row["setting"], _Setting()).shim,
        )
        for row in table["removed"]
    )
    paths = tuple(
        Removal(
            symbol=row["path"],
            kind="module" if row["path"].startswith("django.db.backends.") else "name",
            deprecated=row["deprecated"],
            removed=row["removed"],
            replacement=row["instead"],
        )
        for row in table["path"]
    )
    return (*settings, *paths)
