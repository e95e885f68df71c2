"""Where the path leads: the series it visits, and the Python it starts on. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import SpecifierSet

from djhop.errors import UsageError
from djhop.releases import Releases, Series, version_key

if TYPE_CHECKING:
    from djhop.matrix.config import Matrix


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The series that the path visits, oldest first, and what was assumed in choosing them."""

    series: tuple[str, ...]
    notes: tuple[str, ...] = ()


def route(matrix: Matrix, releases: Releases, current: str) -> Route:
    """Choose the series of the path; `current` is the target's own, "" where it does not say.

    Raises:
        UsageError: the start is unknown, a series is unknown or not released, or the path would go
            backwards.
    """
    if isinstance(matrix.steps, tuple):
        return _listed(matrix, releases, matrix.steps, current)
    start = matrix.start or current
    if not start:
        raise UsageError(
            "the target does not say which Django it is on",
            hint='say it: --from 4.2, or from = "4.2" in djhop.toml',
        )
    _check_start(matrix, releases, start)
    goal, why = _goal(matrix, releases, start)
    if version_key(goal) < version_key(start):
        raise UsageError(
            f"the path would go backwards, from Django {start} to Django {goal}",
            hint="say an older start with --from, or a newer goal with --to",
        )
    if start == goal:
        return Route(series=(start,), notes=(*why, f"Nothing to do: Django {start} is the goal."))
    return Route(series=(start, *_between(matrix, releases, start, goal), goal), notes=why)


def _check_start(matrix: Matrix, releases: Releases, start: str) -> None:
    try:
        releases.get_released(start)
    except UsageError as error:
        if matrix.start:
            raise
        hint = f"{error.hint}; start elsewhere with --from"
        raise UsageError(f"the target's own Django: {error}", hint=hint) from error


def _listed(matrix: Matrix, releases: Releases, listed: tuple[str, ...], current: str) -> Route:
    """Follow a list of series, in order of age; `from` and `to` cut it short."""
    series = tuple(sorted({releases.get_released(v).version for v in listed}, key=version_key))
    for key, value in (("from", matrix.start), ("to", matrix.goal)):
        if value and value not in series:
            hint = f"the steps are {', '.join(series)}; --matrix lts takes any series"
            raise UsageError(f"{key}: Django {value} is not one of the steps", hint=hint)
    first = series.index(matrix.start) if matrix.start else 0
    last = series.index(matrix.goal) if matrix.goal else len(series) - 1
    if not series[first : last + 1]:
        raise UsageError("the steps from `from` to `to` name no series")
    series = series[first : last + 1]
    notes = []
    if current and current != series[0]:
        notes += [f"The target is on Django {current}; the path starts on {series[0]}, as named."]
    if len(series) == 1:
        notes += [f"Nothing to do: Django {series[0]} is the only step."]
    return Route(series=series, notes=tuple(notes))


def _goal(matrix: Matrix, releases: Releases, start: str) -> tuple[str, tuple[str, ...]]:
    """The last series of the path, and a sentence about it where nobody named it."""
    if matrix.goal:
        return releases.get_released(matrix.goal).version, ()
    newer = _newer(releases, start)
    if not newer:
        return start, (f"Django {start} is the newest released series.",)
    if matrix.steps == "next":
        return newer[0].version, (f"Django {newer[0].version} is the next series.",)
    newest_lts = [row.version for row in newer if row.lts][-1:]
    if matrix.steps == "lts" and newest_lts:
        return newest_lts[0], (f"The goal is Django {newest_lts[0]}, the newest released LTS.",)
    note = f"The goal is Django {newer[-1].version}, the newest released series."
    if matrix.steps == "lts":
        note += f" No LTS after {start} is released, so the path takes each series."
    return newer[-1].version, (note,)


def _between(matrix: Matrix, releases: Releases, start: str, goal: str) -> tuple[str, ...]:
    """The series to visit on the way, both ends left out."""
    inner = [row for row in _newer(releases, start) if version_key(row.version) < version_key(goal)]
    no_lts_ahead = not matrix.goal and not any(row.lts for row in _newer(releases, start))
    if matrix.steps == "every-release" or (matrix.steps == "lts" and no_lts_ahead):
        return tuple(row.version for row in inner)
    return tuple(row.version for row in inner if row.lts) if matrix.steps == "lts" else ()


def _newer(releases: Releases, start: str) -> list[Series]:
    return [row for row in releases.released() if version_key(row.version) > version_key(start)]


def start_python(
    named: str,
    where: str,
    supported: tuple[str, ...],
    *,
    target_pythons: tuple[str, ...],
    requires_python: str,
    available: Collection[str],
) -> tuple[str, str]:
    """Choose the Python that the path starts on, and say why in a sentence.

    In this order: the one that the matrix names; the first that the target names and the machine
    has; the newest that the machine has and the target's requires-python allows; the newest that
    the machine has; and where it has none, the same again without asking the machine. `where` is
    what runs on it, in words, and `supported` the Pythons that it can be, lowest first.

    Raises:
        UsageError: the one named is not supported, or djhop runs none that is.
    """
    if not supported:
        raise UsageError(
            f"no Python that djhop can run (3.6 and later) runs {where}",
            hint="start from a newer series with --from",
        )
    if named:
        if named in supported:
            return named, ""
        hint = f"these do: {', '.join(supported)}"
        raise UsageError(f"Python {named} does not run {where}", hint=hint)
    of_target = [python for python in target_pythons if python in supported]
    here = [python for python in supported if python in available]
    for python in of_target:
        if python in here:
            return python, f"The path starts on Python {python}, which the target names."
    if here:
        return _newest_allowed(here, requires_python, f"the newest on this machine to run {where}")
    if of_target:
        return of_target[0], f"The path starts on Python {of_target[0]}, which the target names."
    return _newest_allowed(list(supported), requires_python, f"the newest to run {where}")


def _newest_allowed(pythons: list[str], requires_python: str, what: str) -> tuple[str, str]:
    """The last of `pythons` (lowest first) that requires-python allows; if none, the last."""
    allowed = [python for python in pythons if allows(requires_python, python)]
    if allowed:
        return allowed[-1], f"The path starts on Python {allowed[-1]}, {what}."
    ignored = f"requires-python ({requires_python}) allows none, and was ignored"
    return pythons[-1], f"The path starts on Python {pythons[-1]}, {what}: {ignored}."


def allows(requires_python: str, python: str) -> bool:
    """Whether some patch release of this Python minor satisfies `requires_python`.

    An empty requirement, and one that is not a specifier, allow everything.
    """
    try:
        specifiers = SpecifierSet(requires_python)
    except ValueError:
        return True
    # CPython's longest-lived minors end near patch 20; ">=3.8.1" must allow 3.8.
    return any(specifiers.contains(f"{python}.{patch}") for patch in range(40))


def check_goal_python(python: str, series: str, releases: Releases) -> None:
    """Raise unless the path may end on `python` ("" for any): its last series must support it.

    Raises:
        UsageError: it does not; the hint names the series that do.
    """
    if not python or python in releases.get(series).runnable_pythons:
        return
    do = [row.version for row in releases.released() if python in row.runnable_pythons]
    raise UsageError(
        f"goal-python: Django {series}, where the path ends, does not support Python {python}",
        hint=f"Python {python} is supported by Django {', '.join(do) or 'no released series'}",
    )
