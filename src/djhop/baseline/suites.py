"""What a hop breaks in the suite, as lines; and whether a line that is not among them is fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

import msgspec

from djhop.baseline.lines import SKIPPED, VANISHED, Line
from djhop.compare.causes import ended, loader_of
from djhop.compare.changes import Kind, kind, plainly
from djhop.compare.compare import HopResult
from djhop.compare.fingerprints import fingerprint, template
from djhop.compare.groups import broken
from djhop.compare.verdicts import cut_short, life
from djhop.results.results import CellResult

#: What a line is about where no test ran after the hop, and where the run ended before its tests.
SUITE, REST = "(the whole suite)", "(the rest of the suite)"
_WORST: tuple[Kind, ...] = ("failed", "skipped", "excused", "passed", "absent")
_CUT = "the suite did not come to its end"
_OLD = "it fails before the hop, too"


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """A hop that was judged, and its two cells."""

    hop: HopResult
    before: CellResult
    after: CellResult
    #: Whether the whole suite was asked for.
    whole: bool = True


def lines(sides: Sides) -> frozenset[Line]:
    """Return a line for each test that breaks, for each cause.

    What cannot be loaded is one line, whatever is in it, and so is a suite of which nothing runs,
    or that does not come to its end.
    """
    return frozenset(
        Line(hop=sides.hop.id, kind="breaks", cause=cause, about=steady(about))
        for cause, about in _breaking(sides)
    )


def _breaking(sides: Sides) -> Iterator[tuple[str, str]]:
    hop, after = sides.hop, sides.after
    vanished = frozenset(hop.vanished)
    rest = SUITE if life(after) == "dead" else REST
    explained: set[str] = set()
    for seen in broken(hop, after, hop.id):
        explained.update(seen.tests)
        if seen.module or not seen.tests:
            yield seen.key, seen.module or SUITE
            continue
        for test in seen.tests:
            yield seen.key, rest if test in vanished else test
    if rest == REST and cut_short(after) and not cut_short(sides.before):
        yield fingerprint(ended(after)), REST
    yield from ((VANISHED, test) for test in hop.vanished if test not in explained)
    yield from ((SKIPPED, test) for test in hop.newly_skipped)


class Outcomes:
    """How each test of a hop ended on both sides: whether what does not break any more is fixed."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        hop = sides.hop
        doubtful = (*hop.flaky, *hop.order_dependent, *hop.known_flaky, *hop.unserved)
        self._doubtful = frozenset(map(steady, doubtful))
        self._was, self._now = _kinds(sides.before), _kinds(sides.after)
        ran = (test.id for test in sides.after.tests if kind(plainly(test)) != "absent")
        self._loaded = {part for name in ran for part in _around(name)}
        self._lost = [
            {name: why for name, why in cell.failures if not why.warning}
            for cell in (sides.after, sides.before)
        ]

    def unchecked(self, about: str) -> str:
        """Say why nothing is known of what a line is about, which does not break as it says.

        Returns "" where it is known not to.
        """
        if about in (SUITE, REST):
            after = self._sides.after
            hidden = about == REST and (life(after) == "dead" or cut_short(after))
            return _CUT if hidden else ""
        if about in self._doubtful:
            return "it is flaky, depends on the order, or lacks a service"
        was, now = self._was.get(about, "absent"), self._now.get(about, "absent")
        match now:
            case "passed" | "excused" | "skipped":
                return _OLD if was == "failed" and now != "passed" else ""
            case "failed":
                return _OLD
            case "absent":
                return self._unseen(about, was)
        assert_never(now)

    def _unseen(self, about: str, was: Kind) -> str:
        """Say why it has no outcome after the hop; "" where it loads, or is gone from the suite."""
        if about in self._loaded:
            return ""
        cells = (self._sides.after, self._sides.before)
        for cell, failures in zip(cells, self._lost, strict=True):
            if life(cell) == "dead":
                return "no test ran"
            if loader := loader_of(about, failures):
                return f"{loader[0]} cannot be loaded"
            if cut_short(cell):
                return _CUT
        if was != "absent":
            return "it did not pass before the hop"
        return "" if self._sides.whole else "not the whole suite was run"


def steady(name: str) -> str:
    """Return a test's id without the addresses and random ids that its parameters may hold."""
    function, bracket, parameters = name.partition("[")
    found = template(parameters, check=True) if bracket else ""
    varies = any(sign in found for sign in ("<address>", "<id>", "<time>"))
    return f"{function}[{found}" if varies else name


def _kinds(cell: CellResult) -> dict[str, Kind]:
    """How each test ended; of those that a steady id stands for, the worst."""
    found: dict[str, Kind] = {}
    for test in cell.tests:
        name, now = steady(test.id), kind(plainly(test))
        found[name] = min(found.get(name, now), now, key=_WORST.index)
    return found


def _around(name: str) -> Iterator[str]:
    """Yield the folders, modules and classes that a test may be in."""
    path = name.partition("[")[0]
    for at, sign in enumerate(path):
        if sign in "./:":
            yield from (path[:at], path[: at + 1])
