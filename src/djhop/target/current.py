"""Which Django and which Pythons a target is on today, and where it says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop.releases import Releases, Series, series_of, version_key
from djhop.target import tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from djhop.target.metadata import Metadata
    from djhop.target.stated import Stated
    from djhop.target.toxfile import Tox


class CurrentDjango(msgspec.Struct, frozen=True, kw_only=True):
    """The series in use and where that was read; "" where the target does not say."""

    series: str = ""
    source: str = ""


_CLASSIFIER = re.compile(r"Framework :: Django :: (\d{1,3}\.\d{1,3}|2\d{3})$", re.ASCII)
_PYTHON_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d{1,3})$", re.ASCII)
_TOX_FACTOR = re.compile(r"(?:django|dj)[-_.]?((?:\{[\d.,]+\})|[\d.]+)", re.IGNORECASE)
_STARTPROJECT = re.compile(r"startproject'? using Django (\d{1,3}\.\d{1,3})", re.ASCII)
_MINOR = re.compile(
    r"(?:^|[\s\"'=:-])(?:cpython-|python-)?(3\.\d{1,3})(?!\d)(?:\.\d+)?\w*(?=$|[\s\"'-])", re.ASCII
)


def requirements_on_django(stated: Iterable[Stated]) -> tuple[Stated, ...]:
    """The requirements on Django itself among `stated`."""
    return tuple(
        item for item in stated if canonicalize_name(Requirement(item.text).name) == "django"
    )


def django_in_use(
    requirements: Iterable[Stated],
    pins: Iterable[Stated],
    metadata: Metadata,
    tox: Tox,
    releases: Releases,
) -> CurrentDjango:
    """Find the series in use: a pin, a lock, a cap, then what the project only claims.

    `requirements` and `pins` are those on Django; an exact requirement counts before a lock.
    """
    wanted = [(item, Requirement(item.text).specifier) for item in requirements]
    for item, specifier in wanted:
        if version := _pin(specifier):
            return _found(version, f"{item.place} pins {item.text}")
    for item in pins:
        if version := _pin(Requirement(item.text).specifier):
            return _found(version, f"{item.place} has Django {version}")
    capped = [(item, _highest(s, releases)) for item, s in wanted]
    real = [(item, series) for item, series in capped if series and series != releases.newest()]
    if real:
        item, series = min(real, key=lambda pair: version_key(pair[1].version))
        text = f"{item.place}: the highest series that {item.text} allows"
        return CurrentDjango(series=series.version, source=text)
    return _claimed(metadata, tox) or _newest_allowed(capped) or CurrentDjango()


def _found(version: str, source: str) -> CurrentDjango:
    return CurrentDjango(series=series_of(version), source=source)


def _pin(specifier: SpecifierSet) -> str:
    """The version that `==X`, `==X.Y.*` or `~=X.Y.Z` stays in the series of, or ""."""
    for part in specifier:
        version = part.version.removesuffix(".*")
        exact = part.operator in ("==", "===") and (
            not part.version.endswith(".*") or version.count(".") == 1
        )
        compatible = part.operator == "~=" and version.count(".") > 1
        if (exact or compatible) and _is_version(version):
            return version
    return ""


def _is_version(text: str) -> bool:
    try:
        return bool(Version(text))
    except ValueError:
        return False


def _highest(specifier: SpecifierSet, releases: Releases) -> Series | None:
    """The highest released series that a specifier with a cap allows; None without a cap."""
    if not any(part.operator in ("<", "<=", "==", "~=", "===") for part in specifier):
        return None
    for series in reversed(releases.released()):
        patches = [series.version, *(f"{series.version}.{n}" for n in range(1, 40))]
        if series.latest:
            patches.append(series.latest)
        if any(specifier.contains(patch, prereleases=True) for patch in patches):
            return series
    return None


def _newest_allowed(capped: list[tuple[Stated, Series | None]]) -> CurrentDjango | None:
    for item, series in capped:
        if series is not None:
            text = f"{item.place}: the highest series that {item.text} allows"
            return CurrentDjango(series=series.version, source=text)
    return None


def _claimed(metadata: Metadata, tox: Tox) -> CurrentDjango | None:
    """What a project says it works with, weaker than what it asks for."""
    named = [m[1] for line in metadata.classifiers if (m := _CLASSIFIER.search(line.strip()))]
    if named:
        where = f"{metadata.classifiers_source}: the highest series in its classifiers"
        return CurrentDjango(series=max(named, key=version_key), source=where)
    if series := in_envlist(tox.envlist):
        where = f"{tox.path}: the highest series in its envlist"
        return CurrentDjango(series=series, source=where)
    return None


def in_envlist(text: str) -> str:
    """The highest series among the factors of a tox envlist: "py39-django{32,42}" → "4.2"."""
    found = []
    for match in _TOX_FACTOR.findall(text):
        for item in match.strip("{}").split(","):
            digits = item.strip(".")
            if re.fullmatch(r"\d\.\d{1,2}|20\d\d|[1-9]\d{1,2}", digits):
                plain = ("." not in digits and not digits.startswith("20")) or (
                    len(digits) < 4 and "." not in digits
                )
                found.append(f"{digits[0]}.{digits[1:]}" if plain else digits)
    return max(found, key=version_key, default="")


def from_settings(root: Path, files: Iterable[str]) -> CurrentDjango:
    """What `startproject` wrote into a settings file: the Django the project began with."""
    for name in files:
        if match := _STARTPROJECT.search(tree.read(root / name, name)[:2000]):
            text = f"{name}: the Django the project was started with"
            return CurrentDjango(series=match[1], source=text)
    return CurrentDjango()


def pythons(
    root: Path, metadata: Metadata, dockerfiles: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The Python minors the target names, best first, and sentences on where the best was read."""
    found: dict[str, str] = {}
    for name in (".python-version", "runtime.txt", ".tool-versions", "Pipfile"):
        for minor in _minors(name, tree.read_if_there(root, name)):
            found.setdefault(minor, name)
    for name in dockerfiles:
        text = tree.read(root / name, name)
        for minor in re.findall(r"(?im)^\s*FROM\s+(?:\S*/)?python:(3\.\d+)", text):
            found.setdefault(minor, name)
    named = [
        m[1] for line in metadata.classifiers if (m := _PYTHON_CLASSIFIER.search(line.strip()))
    ]
    for minor in sorted(named, key=version_key, reverse=True):
        found.setdefault(minor, f"{metadata.classifiers_source} classifiers")
    allowed = [minor for minor in found if _allows(metadata.requires_python, minor)]
    notes = (f"Python {allowed[0]}: from {found[allowed[0]]}.",) if allowed else ()
    return tuple(allowed), notes


def _minors(name: str, text: str) -> list[str]:
    if name == ".tool-versions":
        text = "\n".join(re.findall(r"(?m)^python\s+(.*)$", text))
    if name == "Pipfile":
        text = "\n".join(re.findall(r'(?m)^python_(?:full_)?version\s*=\s*"([^"]*)"', text))
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [m for line in lines for m in _MINOR.findall(line)]


def _allows(requires_python: str, minor: str) -> bool:
    try:
        specifier = SpecifierSet(requires_python)
    except ValueError:
        return True
    return any(specifier.contains(f"{minor}.{patch}") for patch in range(60))
