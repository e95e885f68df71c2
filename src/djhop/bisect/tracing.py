"""Ends that differ → what made the difference: the axis first, then series, release or version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from djhop.bisect import points, search
from djhop.bisect.points import Ends, Point, with_version
from djhop.bisect.trials import Trials, World
from djhop.releases import Releases, series_of, version_key
from djhop.store.blame import Answer, Culprit, Kind, Outcome, Way


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """How a search ended."""

    outcome: Outcome
    #: Why nothing was found.
    reason: str = ""
    ways: tuple[Way, ...] = ()


class Flaky(Exception):  # noqa: N818 - no error: an answer
    """A point gave two answers."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Points in order, from a good one to a bad one; each has a name."""

    names: tuple[str, ...]
    #: None: there is nothing of that name that could be installed.
    points: tuple[Point | None, ...]


class Tracer:
    """One search between two ends; `times` is how often a boundary is run."""

    def __init__(
        self, ends: Ends, *, world: World, trials: Trials, releases: Releases, times: int
    ) -> None:
        self._ends, self._world, self._trials = ends, world, trials
        self._releases, self._times = releases, max(1, times)

    def trace(self) -> Traced:
        """Confirm both ends, then narrow down.

        Raises:
            OutOfTime: the budget is used up.
        """
        try:
            if wrong := self._confirmed():
                return wrong
            ways = search.enough(self._ends.axes, self._swapped)
            return Traced(outcome="found", ways=tuple(Way(culprits=self._way(w)) for w in ways))
        except Flaky as flaky:
            return Traced(outcome="flaky", reason=str(flaky))

    def _confirmed(self) -> Traced | None:
        """None where the good end is good and the bad end bad."""
        for end, wanted, where in (
            (self._ends.good, "good", "before the hop"),
            (self._ends.bad, "bad", "after the hop"),
        ):
            seen = self._trials.see(end)
            if seen.answer == wanted:
                continue
            if len(self._trials.repeat(end, self._times)) > 1:
                raise Flaky(self._both(end))
            return Traced(outcome="same", reason=_unlike(seen.answer, where, seen.said))
        if not self._ends.axes:
            raise Flaky("the packages are the same on both ends, and the answers are not")
        return None

    def _swapped(self, axes: tuple[str, ...]) -> Answer:
        return self._trials.ask(self._ends.swapped(axes))

    def _way(self, axes: tuple[str, ...]) -> tuple[Culprit, ...]:
        """Look closer at every axis of a way, the others of it being at the bad end."""
        found: list[Culprit] = []
        for axis in axes:
            others = [name for one in axes if one != axis for name in self._ends.names(one)]
            if axis == "packages":
                found += self._packages(others)
            else:
                found.append(self._single(axis, others))
        return tuple(found)

    def _packages(self, others: Sequence[str]) -> Iterator[Culprit]:
        """The packages that are needed for the break, each down to its version."""

        def ask(names: tuple[str, ...]) -> Answer:
            return self._trials.ask(self._ends.mixed((*others, *names)))

        needed = search.smallest(self._ends.moved, ask)
        for name in needed:
            yield self._single(name, [*others, *(one for one in needed if one != name)])

    def _single(self, name: str, others: Sequence[str]) -> Culprit:
        """One thing that moves, everything in `others` being at the bad end."""
        good, bad = self._ends.mixed(others), self._ends.mixed((*others, name))
        if name == "django":
            return self._django(good, bad)
        if name == "python":
            between = self._world.pythons(good.python, bad.python)
            line = (good, *(msgspec.structs.replace(bad, python=p) for p in between), bad)
            names = (good.python, *between, bad.python)
            return self._narrowed("python", "Python", Line(names=names, points=line))
        return self._package(name, good, bad)

    def _package(self, name: str, good: Point, bad: Point) -> Culprit:
        old, new = good.packages.get(name, ""), bad.packages.get(name, "")
        between: list[str] = []
        if len(points.ascending((old, new))) == 2:
            low, high = points.ascending((old, new))
            between = list(self._world.releases(name, low, high, good))
            between = between if low == old else between[::-1]
        middle = (with_version(bad, name, version) for version in between)
        line = Line(names=(old, *between, new), points=(good, *middle, bad))
        return self._narrowed("package", name, line)

    def _django(self, good: Point, bad: Point) -> Culprit:
        """The series first, by the newest release of each; then the releases of that series."""
        coarse = self._series(good, bad)
        found = search.between(len(coarse.points), self._asker(coarse))
        low, high = coarse.points[found.good], coarse.points[found.bad]
        assert low is not None
        assert high is not None
        if found.skipped:  # nothing finer can be said than between which series it is
            return self._culprit("django", "Django", coarse, found)
        return self._release(low, high)

    def _release(self, low: Point, high: Point) -> Culprit:
        """The first bad release between two that are of one series, or of two that follow."""
        series, above = series_of(high.django), low
        if series_of(low.django) != series:
            # What a series changes is in its first release, as a rule.
            first = self._world.release("django", f"=={series}.*", high, lowest=True)
            start = with_version(high, "django", first) if first else high
            if self._trials.ask(start) == "bad":
                line = Line(names=(low.django, start.django), points=(low, start))
                return self._narrowed("django", "Django", line)
            above = start
        inside = self._world.releases("django", above.django, high.django, high)
        names = [*([above.django] if above is not low else []), *inside]
        middle = (with_version(high, "django", release) for release in names)
        line = Line(names=(low.django, *names, high.django), points=(low, *middle, high))
        return self._narrowed("django", "Django", line)

    def _series(self, good: Point, bad: Point) -> Line:
        """The ends, and the newest release of each series from the first to the last."""
        low, high = series_of(good.django), series_of(bad.django)
        names, line = [good.django], [good]
        for row in self._releases.between(low, high) if low != high else ():
            if row.planned or version_key(row.version) == version_key(high):
                continue
            newest = self._world.release("django", f"=={row.version}.*", good)
            if newest and points.ascending((good.django, newest))[-1] != good.django:
                names.append(newest)
                line.append(with_version(bad, "django", newest))
        return Line(names=(*names, bad.django), points=(*line, bad))

    def _asker(self, line: Line) -> search.AskPoint:
        def ask(number: int) -> Answer:
            point = line.points[number]
            return self._trials.ask(point) if point else "skip"

        return ask

    def _narrowed(self, kind: Kind, name: str, line: Line) -> Culprit:
        found = search.between(len(line.points), self._asker(line))
        return self._culprit(kind, name, line, found)

    def _culprit(self, kind: Kind, name: str, line: Line, found: search.Range) -> Culprit:
        """Run the boundary again and again, and describe it."""
        good, bad = line.points[found.good], line.points[found.bad]
        assert good is not None
        assert bad is not None
        for point in (good, bad):
            if len(self._trials.repeat(point, self._times)) > 1:
                raise Flaky(self._both(point))
        subject = {"django"} if kind == "django" else {name}
        before, after = self._trials.packages(good), self._trials.packages(bad)
        return Culprit(
            kind=kind,
            name=name,
            good=line.names[found.good],
            bad=line.names[found.bad],
            skipped=tuple(f"{line.names[n]}: {self._why(line.points[n])}" for n in found.skipped),
            along=tuple(points.along(before, after, subject)),
            times=self._times,
            link=points.link(kind, name, line.names[found.bad]),
        )

    def _why(self, point: Point | None) -> str:
        return self._trials.see(point).said if point else "it is not there"

    def _both(self, point: Point) -> str:
        runs = self._trials.runs(point)
        said = ", ".join(f"{sum(one.answer == a for one in runs)} {a}"
                         for a in dict.fromkeys(one.answer for one in runs))  # fmt: skip
        return f"{self._ends.label(point)} gave two answers with the same packages: {said}"


def _unlike(answer: Answer, where: str, said: str) -> str:
    """Why there is nothing to search for."""
    match answer:
        case "bad":
            return f"it fails in the same way {where}, when its tests are run alone"
        case "good":
            return (
                f"the failure does not show up {where}, when its tests are run alone: "
                "it is repaired, or needs other tests before it"
            )
        case "skip":
            return f"{where} neither that failure nor success is seen: {said}"
