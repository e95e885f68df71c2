"""A failure or a warning → the removal behind it, if the table knows one."""

from __future__ import annotations

import builtins
import fnmatch
import functools
import re
from collections.abc import Iterator
from typing import Protocol

import msgspec

from djhop import releases
from djhop.knowledge.table import Axis, Kind, Removal, load
from djhop.releases import version_key

#: "cannot import name 'url' from 'django.conf.urls' (/…)"; Python 3.6 does not say from where.
_IMPORT = re.compile(r"cannot import name '?(\w+)'?(?: from '([\w.]+)')?")
_FROM = re.compile(r"\bfrom\s+([\w.]+)\s+import\b")
_MODULE = re.compile(r"No module named '?([\w.]+)'?")
_OF_MODULE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_OF_CLASS = re.compile(r"(?:type object )?'([\w.]+)'(?: object)? has no attribute '(\w+)'")
_ARGUMENT = re.compile(r"([\w.<>]+)\(\) got an unexpected keyword argument '(\w+)'")
_BY_NAME = re.compile(r'Module "([\w.]+)" does not define a "(\w+)"|\'([\w.]+)\' isn\'t an avail')
#: Where one of these has no such attribute, something else went wrong: 'NoneType' above all.
_BUILTIN = frozenset(dir(builtins)) | {"NoneType", "function", "method", "module", "generator"}
_SETTINGS = frozenset({"Settings", "LazySettings", "UserSettingsHolder"})
_TEMPLATES = {
    "tag": re.compile(r"Invalid block tag(?: on line \d+)?: '(\w+)'"),
    "filter": re.compile(r"Invalid filter: '(\w+)'"),
    "library": re.compile(r"'(\w+)' is not a registered tag library"),
}
#: Warnings of Django's own, by their name: RemovedInDjango40Warning, RemovedInNextVersionWarning.
_OF_DJANGO = re.compile(r"RemovedIn\w+Warning$")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a removed or changed API: a row of the table, as run.json has it."""

    id: str
    kind: Kind
    symbol: str
    axis: Axis
    #: The package that removed it, where it is neither Django nor Python.
    package: str = ""
    #: Series, or Python, that began to warn of it; "" where none did.
    since: str = ""
    #: The first without it; "" where no release has been named.
    removed: str = ""
    #: What to write instead, in words; "" where nothing has to be.
    replacement: str = ""
    link: str = ""
    #: The fixer of django-upgrade that rewrites it; "" where none does.
    fixer: str = ""


class Seen(Protocol):
    """What is to be explained: a cause, or a failure."""

    @property
    def exception(self) -> str:
        """Qualified class name."""

    @property
    def message(self) -> str:
        """What it said."""

    @property
    def warning(self) -> str:
        """Class of the warning behind it, or ""."""


def explain(seen: Seen, *, source: str = "", django: str = "", python: str = "") -> Known | None:
    """Say which removal a failure is due to; None where the table has none, or where it is open.

    `source` is the line that raised; `django` and `python` are the cell's, where they are known:
    what they still have is no reason.
    """
    if seen.warning:
        return of_warning(seen.warning, seen.message)
    name = seen.exception.rpartition(".")[2]
    found = [
        row
        for row in _reasons(name, seen.message, source)
        if _is_gone(row, django=django, python=python)
    ]
    return known(found[0]) if found else None


def of_warning(category: str, message: str) -> Known | None:
    """Say what a warning announces: `category` is its class, with or without a module."""
    name = category.rpartition(".")[2]
    if not _OF_DJANGO.match(name):
        rows = (row for row in load() if row.axis != "django" and _says(row, message))
        return next(map(known, rows), None)
    removed = releases.load().removed_in(name)
    rows = (row for row in load() if row.axis == "django" and row.removed == removed)
    found = [(at, row) for row in rows if (at := _position(row, message)) is not None]
    return known(min(found, key=lambda pair: pair[0])[1]) if found else None


def known(row: Removal) -> Known:
    """Shorten a row to what is said of it."""
    return Known(
        id=row.id,
        kind=row.kind,
        symbol=row.symbol,
        axis=row.axis,
        package=row.package,
        since=row.deprecated,
        removed=row.removed,
        replacement=row.replacement,
        link=row.notes,
        fixer=row.fixer,
    )


def _is_gone(row: Removal, *, django: str, python: str) -> bool:
    """Whether the cell's Django or Python does not have it any more."""
    here = {"django": django, "python": python, "package": ""}[row.axis]
    if not row.removed:
        return False
    return not here or version_key(here) >= version_key(row.removed)


def _reasons(exception: str, message: str, source: str) -> Iterator[Removal]:
    rows = load()
    if module := _MODULE.search(message):
        # Python names the first package on the way that is not there: below it there was nothing.
        yield from (row for row in rows if row.kind == "module" and module[1] in row.paths)
        return
    for path in _gone_paths(message, source):
        yield from (row for row in rows if row.kind in ("name", "module") and path in row.paths)
    if exception == "AttributeError" and (found := _OF_CLASS.search(message)):
        yield from (row for row in rows if _lacks(row, found[1], found[2]))
    if exception == "TypeError" and (found := _ARGUMENT.search(message)):
        yield from (row for row in rows if _refuses(row, found[1], found[2], source))
    for kind, pattern in _TEMPLATES.items():
        if found := pattern.search(message):
            yield from (row for row in rows if row.kind == kind and row.symbol == found[1])
    for row in rows:
        if row.match and _matches(row, f"{exception}: {message}", source):
            yield row


def _gone_paths(message: str, source: str) -> Iterator[str]:
    """Dotted paths that a message says are not there."""
    if found := _IMPORT.search(message):
        origin = found[2] or next((one[1] for one in _FROM.finditer(source)), "")
        if origin:
            yield f"{origin}.{found[1]}"
    if found := _OF_MODULE.search(message):
        yield f"{found[1]}.{found[2]}"
    if found := _BY_NAME.search(message):
        yield f"{found[1]}.{found[2]}" if found[1] else found[3]


def _lacks(row: Removal, owner: str, name: str) -> bool:
    """Whether "'OWNER' object has no attribute 'NAME'" is due to `row`."""
    if row.kind == "setting":
        return owner in _SETTINGS and row.symbol == name
    if row.kind != "attribute" or row.name != name or owner in _BUILTIN:
        return False
    return not row.classes or any(fnmatch.fnmatchcase(owner, known) for known in row.classes)


def _refuses(row: Removal, function: str, argument: str, source: str) -> bool:
    """Whether "FUNCTION() got an unexpected keyword argument 'ARGUMENT'" is due to `row`.

    Up to Python 3.9 it is "__init__()" for every class: then the line has to name it.
    """
    if row.kind != "argument" or row.argument != argument:
        return False
    *_, owner, name = ("", *function.split("."))
    if name == "__init__":
        return row.name == owner if owner else _word(row.name, source)
    class_name = row.symbol.split(".")[-2]
    return name == row.name and (not owner or not class_name[0].isupper() or owner == class_name)


def _matches(row: Removal, text: str, source: str) -> bool:
    return bool(_compiled(row.match).search(text)) and (
        not row.source or bool(_compiled(row.source).search(source))
    )


def _position(row: Removal, message: str) -> tuple[bool, int] | None:
    """Where a warning of Django's names `row`, whole paths first; None where it does not."""
    if row.warns:
        return (False, -1) if _compiled(row.warns).search(message) else None
    if row.kind == "behaviour":
        return None
    if _word(row.symbol, message):
        return False, message.index(row.symbol)
    word = {"argument": row.argument, "library": f"load {row.symbol}"}.get(row.kind, row.name)
    return (True, message.index(word)) if row.kind != "module" and _word(word, message) else None


def _says(row: Removal, message: str) -> bool:
    return bool(row.warns) and bool(_compiled(row.warns).search(message))


def _word(word: str, text: str) -> bool:
    return bool(_compiled(rf"(?<!\w){re.escape(word)}(?!\w)").search(text))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
