"""Whether a failure is about what a deprecation warned of: by place, and by the names in both."""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

from djhop.results.results import Deprecation, Failure

#: How a failure may be about a use, closest first: it is on the same line; what is named is gone,
#: in the same file; a check fails on the same line; what is named is gone, in code of its owner.
Link = Literal["line", "file", "check", "symbol"]

#: Names that a text makes out as such: quoted, called, dotted, tags, with capitals or underscores.
_NAMES = re.compile(
    r"['\"`](?P<quoted>[A-Za-z_][\w.]*)(?:\(\))?['\"`]"
    r"|\{%\s*(?P<tag>\w+)"
    r"|(?P<dotted>\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)"
    r"|(?P<called>\b[A-Za-z_]\w*)\(\)"
    r"|(?P<marked>\b[A-Za-z]\w*(?:_\w|[a-z][A-Z])\w*)"
)
#: From here on a warning says what to use instead.
_INSTEAD = re.compile(
    r"\.\s|;\s|\bin favou?r of\b|\binstead\b|\breplaced? (?:by|with)\b|[,:]\s*(?:please )?use\s",
    re.IGNORECASE,
)
_NOT_SUBJECTS = re.compile(r"__\w+__$|\w*(?:Error|Warning|Exception)$")
#: How Python and Django say that something is not there (any more).
_GONE = tuple(
    re.compile(pattern)
    for pattern in (
        r"cannot import name ['\"]?(?P<name>\w+)['\"]?(?: from (?:partially initialized module )?"
        r"'(?P<module>[\w.]+)')?",
        r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'",
        r"'(?P<type>[\w.]+)' object has no attribute '(?P<name>\w+)'",
        r"type object '(?P<type>[\w.]+)' has no attribute '(?P<name>\w+)'",
        r"No module named ['\"]?(?:(?P<module>[\w.]+)\.)?(?P<name>\w+)",
        r"unexpected keyword argument '(?P<name>\w+)'",
        r"got invalid attribute\(s\): (?P<names>\w+(?:, ?\w+)*)",
        r"Invalid block tag[^:]*: '(?P<name>\w+)'",
        r"Invalid filter: '(?P<name>\w+)'",
        r"'(?P<name>\w+)' is not a registered tag library",
    )
)


class Symbol(msgspec.Struct, frozen=True):
    """Something that has a name: `name`, and the module or class it is said to be in, or ""."""

    name: str
    parent: str = ""
    #: It is said to be an attribute of an object, or a module that is in no package.
    kind: Literal["", "attribute", "top"] = ""


def link(use: Deprecation, failure: Failure) -> Link | None:
    """Say how `failure` is about what `use` warns of; None where nothing says that it is.

    A failed check on the line of a use is weak by itself: the line calls more than what it checks.
    """
    on_line = use.in_target and use.place == failure.place
    if not on_line and use.owner != failure.owner:
        return None
    about = subjects(use.message)
    same = any(_same(one, other) for one in about for other in missing(failure))
    if on_line and (same or not (about and gone(failure.message))):
        if not _is_check(failure):
            return "line"
        return "check" if use.tests else None
    if not same or use.owner != failure.owner:
        return None
    files = (_file(failure.place), _file(failure.raised_at))
    return "file" if _file(use.place) in files else "symbol"


@functools.lru_cache(maxsize=4096)
def subjects(warning: str) -> frozenset[Symbol]:
    """Return what a warning is about: the names it has before it says what to use instead."""
    first = _INSTEAD.split(warning, maxsplit=1)[0]
    return frozenset(_symbol(name) for name in _names(first))


@functools.lru_cache(maxsize=4096)
def gone(message: str) -> frozenset[Symbol]:
    """Return what a failure says is not there, by the ways in which Python and Django say so."""
    for pattern in _GONE:
        if found := pattern.search(message):
            parts = found.groupdict()
            names = re.split(r", ?", parts.get("names") or parts["name"])
            parent = parts.get("module") or ""
            top = found[0].startswith("No module") and not parent
            kind: Literal["", "attribute", "top"] = "top" if top else ""
            kind = "attribute" if parts.get("type") else kind
            return frozenset(Symbol(name, parent, kind) for name in names)
    return frozenset()


def missing(failure: Failure) -> frozenset[Symbol]:
    """Return what a failure may be for want of; of a failed check only what it says is gone."""
    return gone(failure.message) or (frozenset() if _is_check(failure) else _named(failure.message))


@functools.lru_cache(maxsize=4096)
def _named(message: str) -> frozenset[Symbol]:
    """The names in a message of no known form, as far as they cannot be words: "get_response"."""
    found = (name for name in _names(message) if re.search(r"[._]|[a-z][A-Z]", name))
    return frozenset(map(_symbol, found))


def _names(text: str) -> list[str]:
    names = [found[found.lastgroup or 0] for found in _NAMES.finditer(text)]
    return [name for name in names if not _NOT_SUBJECTS.match(name)]


def _symbol(name: str) -> Symbol:
    parent, _, last = name.strip(".").rpartition(".")
    return Symbol(last, parent)


def _same(use: Symbol, other: Symbol) -> bool:
    """Whether two mean the same thing; where both say where it is, that must agree."""
    if use.name != other.name:
        return False
    of_django = use.parent.partition(".")[0] == "django"
    if other.kind == "top":
        return not use.parent
    if other.kind == "attribute":
        # A function of one of Django's modules is not an attribute of some object.
        return not of_django or use.parent.rpartition(".")[2][:1].isupper()
    if other.parent and other.parent.partition(".")[0] != "django":
        return use.parent == other.parent
    return True


def _is_check(failure: Failure) -> bool:
    return failure.exception.rpartition(".")[2] in ("AssertionError", "Failed")


def _file(place: str) -> str:
    return place.rpartition(":")[0]
