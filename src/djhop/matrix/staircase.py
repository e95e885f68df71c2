"""The pure search for the best staircase: which Python each series of the path is climbed on.

A staircase visits the series in order. Between two neighbours either both run the Python it is on,
and only Django moves; or the next series does not run it, and before Django moves, Python moves
once, to one that both run. Python never moves otherwise, but for a last step to a goal Python.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterator, Mapping
from operator import neg
from typing import NamedTuple, TypeAlias

from djhop.errors import UsageError
from djhop.releases import Releases, version_key

#: One cell: the Django series and the Python minor.
Step: TypeAlias = tuple[str, str]
#: Series → the Pythons it supports.
Supports: TypeAlias = Mapping[str, Collection[str]]


class Cost(NamedTuple):
    """What makes a staircase worse, the gravest first; added up step by step."""

    #: Cells whose Python is not on this machine: they would not run at all.
    missing: int = 0
    #: Hops that change Python.
    python_hops: int = 0
    #: How many minor versions these hops cross, over all.
    distance: int = 0

    def plus(self, other: Cost) -> Cost:
        """Add two costs."""
        return Cost(*(a + b for a, b in zip(self, other, strict=True)))


class Staircase(NamedTuple):
    """One way up, and what it costs. Equal costs: the one that stays on older Pythons longer."""

    cost: Cost
    python_keys: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]


def climb(
    series: tuple[str, ...],
    start: str,
    *,
    supports: Supports,
    available: Collection[str],
    goal: str = "",
) -> Staircase | None:
    """Return the cheapest staircase over exactly these series, or None where there is none.

    `start` is a Python that the first series supports; `goal`, if not empty, one that the last
    supports. Exact, by dynamic programming over (place in the series, Python).
    """
    return _Search(series, supports, available, goal).best(0, start)


class _Search:
    """The best staircase from each (place, Python) on to the end, each found once."""

    def __init__(
        self, series: tuple[str, ...], supports: Supports, available: Collection[str], goal: str
    ) -> None:
        self.series, self.supports = series, supports
        self.available, self.goal = available, goal
        self.best = functools.cache(self._best)

    def _best(self, at: int, python: str) -> Staircase | None:
        if at == len(self.series) - 1:
            end = self._on(at, self.goal or python, None)
            return end if self.goal in ("", python) else self._on(at, python, end)
        if python in self.supports[self.series[at + 1]]:
            ahead = self.best(at + 1, python)
            return ahead and self._on(at, python, ahead)
        ways = (
            self._on(at, python, self._on(at, other, ahead))
            for other in shared(self.series[at], self.series[at + 1], self.supports)
            if (ahead := self.best(at + 1, other))
        )
        return min(ways, default=None)

    def _on(self, at: int, python: str, rest: Staircase | None) -> Staircase:
        """Put one cell before `rest`, with what the cell and the hop to `rest` cost."""
        step, key = (self.series[at], python), version_key(python)
        cost = Cost(missing=int(python not in self.available))
        if rest is None:
            return Staircase(cost, (key,), (step,))
        following = rest.steps[0][1]
        if following != python:
            distance = abs(version_key(following)[1] - version_key(python)[1])
            cost = cost.plus(Cost(python_hops=1, distance=distance))
        return Staircase(cost.plus(rest.cost), (key, *rest.python_keys), (step, *rest.steps))


def shared(one: str, other: str, supports: Supports) -> tuple[str, ...]:
    """The Pythons that both series support, lowest first."""
    return tuple(sorted(set(supports[one]) & set(supports[other]), key=version_key))


def best(
    series: tuple[str, ...],
    start: str,
    *,
    releases: Releases,
    available: Collection[str],
    goal: str = "",
) -> tuple[tuple[Step, ...], str]:
    """Return the cheapest staircase over `series`, and a sentence about series put in between.

    They are put in only where two neighbours share no Python: as few as can be; of several ways,
    the cheapest, then the one over LTS series, then over the newest.

    Raises:
        UsageError: no series in between joins two neighbours.
    """
    supports = {row.version: row.runnable_pythons for row in releases.released()}
    lts = {row.version for row in releases.released() if row.lts}
    found = []
    for way in _ways(series, supports):
        climbed = climb(way, start, supports=supports, available=available, goal=goal)
        if climbed:
            newest = tuple((version not in lts, *map(neg, version_key(version))) for version in way)
            found.append((climbed.cost, newest, climbed.steps, way))
    if not found:
        raise UsageError(f"no chain of Pythons leads from Django {series[0]} to {series[-1]}")
    steps, way = min(found)[2:]
    added = [version for version in way if version not in series]
    note = "It goes by way of Django {}: no Python runs the series on both sides."
    return steps, note.format(", ".join(added)) if added else ""


def bends(steps: tuple[Step, ...], releases: Releases) -> tuple[str, ...]:
    """Say of each hop of Python which series asks for it; none for a last one to a goal Python."""
    said = []
    for (_, low), (_, high), (series, _) in zip(steps, steps[1:], steps[2:], strict=False):
        if low != high and low not in releases.get(series).runnable_pythons:
            said.append(
                f"Python moves from {low} to {high} before Django {series}, "
                f"which does not run on {low}."
            )
    return tuple(said)


def detour(series: tuple[str, ...], releases: Releases) -> tuple[str, ...]:
    """Return `series` with the fewest others in between that join them; empty if none do."""
    supports = {row.version: row.runnable_pythons for row in releases.released()}
    return next(iter(_ways(series, supports)), ())


def _ways(series: tuple[str, ...], supports: Supports) -> Iterator[tuple[str, ...]]:
    """Yield every way to put the fewest series between those neighbours that share no Python."""
    bridges = [_bridges(pair, supports) for pair in itertools.pairwise(series)]
    for choice in itertools.product(*bridges):
        way = list(series[:1])
        for bridge, arrival in zip(choice, series[1:], strict=True):
            way += [*bridge, arrival]
        yield tuple(way)


def _bridges(pair: Step, supports: Supports) -> list[tuple[str, ...]]:
    """The shortest runs of series between a pair along which each two neighbours share a Python."""
    low, high = map(version_key, pair)
    between = [version for version in supports if low < version_key(version) < high]
    for size in range(len(between) + 1):
        fitting = [
            run
            for run in itertools.combinations(between, size)
            if all(shared(*hop, supports) for hop in itertools.pairwise((pair[0], *run, pair[1])))
        ]
        if fitting:
            return fitting
    return []
