"""What releases declare of a Django series, in words."""

from __future__ import annotations

import re
from typing import assert_never

from djhop.declared.reading import Says
from djhop.deps.answers import Declared
from djhop.releases import version_key

_SERIES = re.compile(r"\d+(\.\d+)?")


def by_word(declared: tuple[Declared, ...], series: str) -> list[tuple[str, list[str]]]:
    """What is declared of the series, and by which releases."""
    found: dict[str, list[str]] = {}
    for one in declared:
        word = _word(one.says, one.series, series)
        found.setdefault(word, []).append(f"{one.package} {one.version}{_before(one, series)}")
    return sorted(found.items(), key=lambda item: (item[0] != "yes", item[0]))


def _word(says: Says, named: tuple[str, ...], series: str) -> str:
    match says:
        case "support":
            return "yes"
        case "none":
            return "no series"
        case "unknown":
            return "not known"
        case "others":
            return _others(named, series)
    assert_never(says)


def _others(named: tuple[str, ...], series: str) -> str:
    """What series a release names, none of which is the one in question."""
    known = sorted((one for one in named if _SERIES.fullmatch(one)), key=version_key)
    older = [one for one in known if version_key(one) < version_key(series)]
    newer = [one for one in known if one not in older]
    if older and newer:
        return f"{older[-1]} and {newer[0]}"
    return f"from {newer[0]}" if newer else f"up to {older[-1]}" if older else "other series"


def _before(one: Declared, series: str) -> str:
    """What the release before it declared, and the Pythons it now takes; where it moved."""
    if not one.before:
        return ""
    python = f"Python {one.requires_python}; " if one.requires_python else ""
    said = _word(one.said, one.before_series, series)
    return f" ({python}before, {one.before}: {said})"
