"""Names of tox's environments → the cells they are; pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

import msgspec

from djhop.releases import Releases

_BRACES = re.compile(r"\{([^{}]*)\}")
_PYTHON = re.compile(r"(?:py|python|cpython)-?(3)\.?(\d+)t?$", re.IGNORECASE)
_DJANGO = re.compile(r"(?:django|dj)[-_]?(\d+(?:[._]\d+)?)(?:[._]?x)?$", re.IGNORECASE)
#: No environment of tests: what is not said about it is no loss.
_OTHER = re.compile(
    r"(?:lint|style|docs?|flake8|ruff|mypy|black|isort|cov|report|clean|package|pre-?commit|qa)"
)
#: Names of an envlist at most.
MOST = 2000


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A matrix as somebody else's tool has it."""

    #: Where it was read: "tox.ini: envlist".
    source: str
    #: (Python minor, Django series).
    cells: tuple[tuple[str, str], ...] = ()
    #: What could not be read, in sentences.
    unread: tuple[str, ...] = ()


def expand(text: str) -> Iterator[str]:
    """Yield each name of an envlist: "py{39,310}-dj42" is two."""
    depth, word = 0, ""
    for letter in f"{text}\n":
        depth += (letter == "{") - (letter == "}")
        if depth == 0 and letter in ", \t\r\n":
            yield from _spread(word) if word and not word.startswith("#") else ()
            word = ""
        else:
            word += letter


def _spread(word: str) -> Iterator[str]:
    parts = [[one.strip() for one in p.split(",")] for p in _BRACES.findall(word)]
    frame = _BRACES.split(word)[::2]
    for chosen in itertools.product(*map(_ranges, parts)):
        name = "".join(a + b for a, b in zip(frame, (*chosen, ""), strict=True))
        yield name.strip("-")


def _ranges(choices: Iterable[str]) -> list[str]:
    """tox knows ranges: "39-311" of Pythons is each in between."""
    found: list[str] = []
    for choice in choices:
        match re.fullmatch(r"3(\d+)-3(\d+)", choice):
            case None:
                found.append(choice)
            case ends:
                found += [f"3{minor}" for minor in range(int(ends[1]), int(ends[2]) + 1)]
    return found


def of_names(names: Iterable[str], source: str, known: Releases) -> Told:
    """Turn names of environments into cells; what is none is told, unless it is no test's."""
    cells: dict[tuple[str, str], None] = {}
    unread: dict[str, None] = {}
    for name in itertools.islice(dict.fromkeys(names), MOST):
        factors = re.split(r"-(?!\d)", name)
        pythons = [f"{m[1]}.{m[2]}" for f in factors if (m := _PYTHON.fullmatch(f))]
        djangos = [one for f in factors if (one := series(f, known))]
        if len(pythons) == len(djangos) == 1:
            cells[pythons[0], djangos[0]] = None
        elif not _OTHER.search(name):
            lacks = "a Python" if not pythons else "a released Django series"
            unread[f"{name}: {lacks} is not named in it"] = None
    return Told(source=source, cells=tuple(cells), unread=tuple(unread))


def series(factor: str, known: Releases) -> str:
    """The series that a factor names: "4.2" of "django42", "dj4.2" and "django-42"; or ""."""
    match = _DJANGO.fullmatch(factor)
    if not match:
        return ""
    digits = match[1].replace("_", ".")
    for row in known.released():
        if digits in (row.version, row.version.replace(".", "")):
            return row.version
    return ""
