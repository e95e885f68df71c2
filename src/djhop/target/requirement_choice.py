"""Which of a target's requirement files say what its tests need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from djhop.errors import UsageError
from djhop.target import tree

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What the words in a file's name say of it, best known first.
_ROLES = {
    "base": ("base", "main", "common", "default", "core", "app", "project", "runtime", "install"),
    "test": ("test", "tests", "testing", "unittest", "unittests", "pytest", "ci"),
    "dev": ("dev", "develop", "development", "local"),
    "prod": ("prod", "production", "deploy", "deployment", "live", "staging", "stage", "heroku"),
}
_FOLDERS = ("", "requirements", "requirement", "reqs")
_WORDS_OF_NO_MEANING = frozenset({"requirements", "requirement", "reqs", "req", "pip", ""})
_NAMED = re.compile(r"(^|[-_.])(requirements?|reqs?)([-_.]|$)")
_INCLUDE = re.compile(r"(?m)^\s*(?:-r|--requirement)[\s=]*([^\s#]+)")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Requirement files as paths from the root."""

    files: tuple[str, ...]
    left_out: tuple[str, ...]
    #: Whether one of them is for tests or development.
    tests: bool


def choose(root: Path, *, used_by_tox: Iterable[str] = (), beside: Iterable[str] = ()) -> Choice:
    """Choose the base file and the file for tests (else for development) among what is there.

    Files only for production are left out, unless there is nothing else. A compiled file is
    taken instead of the `.in` it was compiled from. `used_by_tox` names files that are known to
    be for tests; `beside` names further directories to look in when the root has none.
    """
    found = candidates(root, ("",)) or candidates(root, beside)
    includes = {name: _included(root, name) for name in found}
    roles = {name: role(name) for name in found}
    production = {name for name in found if roles[name] == "prod"}
    for_tests = [name for name in dict.fromkeys(used_by_tox) if tree.is_file(root / name)]
    for kind in ("test", "dev"):
        for_tests = for_tests or _best(found, roles, kind)[:1]
    base = [n for n in _best(found, roles, "base") if not (includes[n] & production)]
    chosen = [*base, *(name for name in for_tests if name not in base)]
    chosen = chosen or _best(found, roles, "base")[:1] or _best(found, roles, "prod")[:1]
    inside = {inner for name in chosen for inner in _included(root, name) - {name}}
    return Choice(
        files=tuple(name for name in chosen if name not in inside),
        left_out=tuple(name for name in found if name not in chosen and name not in inside),
        tests=bool(for_tests),
    )


def candidates(root: Path, places: Iterable[str]) -> tuple[str, ...]:
    """The requirement files in `places` and their `requirements` directories."""
    found: list[str] = []
    for place in places:
        for folder in _FOLDERS:
            directory = root / place / folder
            names = _names(directory, anything=folder != "")
            found += [(Path(place) / folder / name).as_posix() for name in names]
        inner = Path(place) / "tests/requirements.txt"
        found += [inner.as_posix()] if tree.is_file(root / inner) else []
    return tuple(dict.fromkeys(found))


def _names(directory: Path, *, anything: bool) -> list[str]:
    try:
        names = {path.name for path in directory.iterdir() if path.is_file()}
    except OSError:
        return []
    compiled = {name.removesuffix(".txt") for name in names if name.endswith(".txt")}
    return sorted(
        name
        for name in names
        if name.endswith((".txt", ".in", ".pip"))
        and (anything or _NAMED.search(name.rpartition(".")[0].lower()))
        and not (name.endswith(".in") and name.removesuffix(".in") in compiled)
        and not name.startswith("constraints")
    )


def role(name: str) -> str:
    """What a file is for, by its name: base, test, dev, prod or other."""
    if name.endswith("tests/requirements.txt"):
        return "test"
    stem = name.rpartition("/")[2].rpartition(".")[0].lower()
    words = set(re.split(r"[-_.\s]+", stem)) - _WORDS_OF_NO_MEANING
    if not words:
        return "base"
    kinds = {next((k for k, known in _ROLES.items() if word in known), "other") for word in words}
    if kinds == {"test", "dev"}:
        return "test"
    kinds -= {"base"} if len(kinds) > 1 else set()
    return kinds.pop() if len(kinds) == 1 else "other"


def _best(found: tuple[str, ...], roles: dict[str, str], kind: str) -> list[str]:
    """The files of one role: those whose name is the best known word first."""

    def rank(name: str) -> tuple[int, int, str]:
        stem = name.rpartition("/")[2].lower()
        known = [i for i, word in enumerate(_ROLES[kind]) if re.search(rf"\b{word}(?!\w)", stem)]
        words = len(re.findall(r"\w+", stem))
        return (min(known, default=-1), words, name)

    return sorted((name for name in found if roles[name] == kind), key=rank)


def _included(root: Path, name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The files that `name` includes, directly or not; what is missing is no concern here."""
    found: set[str] = set()
    try:
        text = tree.read(root / name, name)
    except UsageError:
        return found
    for inner in _INCLUDE.findall(text):
        path = _joined(Path(name).parent, inner)
        if path not in seen and path != name:
            found |= {path} | _included(root, path, seen | {name, path})
    return found


def _joined(folder: Path, name: str) -> str:
    parts: list[str] = []
    for part in (folder / name).as_posix().split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
