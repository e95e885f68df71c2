"""A night that has just been written → what changed since the nights before."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import NamedTuple

from djhop.history import nights, paces, reading, states
from djhop.history.nights import Told
from djhop.history.reading import Row, Seen, Step
from djhop.history.since import KEPT, CellSince, Slower, Tests, Wavering, Why

#: A test that ended otherwise this often, with nothing changed, is called flaky.
FLIPS = 2
#: Statuses that say nothing about the project.
NO_RESULT = ("no-python", "unsupported", "infra", "interrupted", "not-run")


class Line(NamedTuple):
    """The runs of one line, and the one that is compared."""

    runs: dict[int, Row]
    now: Row
    #: The nights that flaky and slower tests are looked for in: they began after this.
    window: int
    #: How many they are at most.
    most: int


class Failing(NamedTuple):
    """A test that fails now as it did before."""

    test: str
    cell: str
    #: The first night of its row of failures.
    since: int
    #: Nothing older is remembered of its cell.
    or_earlier: bool


class Found(NamedTuple):
    """What came of one cell."""

    cell: CellSince | None
    still: list[Failing]
    flaky: list[Wavering]
    slower: list[Slower]
    strips: dict[str, list[Step]]
    told: dict[int, int]


class CellLook:
    """Looks at one cell of a night, and at all that is remembered of it."""

    def __init__(
        self,
        made: sqlite3.Connection,
        line: Line,
        scope: int,
        told: Told,
    ) -> None:
        self._made, self._line, self._scope, self._cell = made, line, scope, told
        self._names = reading.subjects(made, "test")
        every = reading.seen(made, scope, until=line.now.at + 1)
        self._all = {one.at: one for one in every}
        self._tonight = every[-1]
        self._earlier = every[:-1]
        ran = [one for one in self._earlier if one.told]
        self._base: Seen | None = ran[-1] if ran else None
        self._nights = [one for one in (*ran, self._tonight) if one.at > line.window]
        self._unchanged = self._pairs()

    def look(self) -> Found:
        """Return what changed, what still fails, and what wavers."""
        told = {one.at: one.told for one in self._all.values()}
        lists: defaultdict[str, list[str]] = defaultdict(list)
        still: list[Failing] = []
        flaky: list[Wavering] = []
        strips: dict[str, list[Step]] = {}
        tests = self._tests() if self._tonight.told else {}
        for test, found in tests.items():
            times = self._times(found)
            doubtful = times >= FLIPS or states.wavers(found[-1].state)
            if doubtful:
                times = max(times, 1)
                flaky.append(
                    Wavering(id=test, cell=self._cell.id, times=times, nights=len(self._nights))
                )
            changed = self._changed(found)
            if changed and not doubtful:
                lists[changed].append(test)
            elif states.kind(found[-1].state) == "failed" and not changed and self._base:
                still.append(self._failing(test, found))
            if changed or times or states.kind(found[-1].state) == "failed":
                strips[test] = found
        return Found(self._since(lists), still, flaky, self._slower(), strips, told)

    def _tests(self) -> dict[str, list[Step]]:
        """How each test fared up to this night, by name; those that have long been fine are not."""
        now, quiet = self._line.now.at, self._line.window
        if self._base is not None:
            quiet = min(quiet, self._base.at)
        steps = reading.every_step(self._made, self._scope, now, quiet=quiet)
        tests = self._names  # what is behind a cause is kept beside them
        return {tests[subject]: found for subject, found in steps if subject in tests}

    def _changed(self, found: list[Step]) -> states.Change:
        """What became of a test since the last night that told of it."""
        base, last = self._base, found[-1]
        if base is None:
            return ""
        if last.at != self._tonight.at:
            gone = not last.state and self._tonight.told == 1 and self._only_hidden(last.at)
            return _changed(found[:-1], Step(0, states.ABSENT, 0)) if gone else ""
        if not last.state and self._tonight.told != 1:
            return ""  # not there, but a part of the suite was not seen
        if base.told == 1 or len(found) == 1 or found[-2].state:
            return _changed(found[:-1], last) if base.told == 1 or len(found) > 1 else ""
        known = [step for step in found[:-1] if step.state]
        return _changed(known, last) if known else ""

    def _only_hidden(self, since: int) -> bool:
        """Whether no night from then on, but this one, has seen the whole suite."""
        nights = [one for one in self._earlier if one.told and one.at >= since]
        return bool(nights) and all(one.told != 1 for one in nights)

    def _failing(self, test: str, found: list[Step]) -> Failing:
        """Since when a test has been failing; nights that did not see it do not end that."""
        since = found[-1].at
        for step in reversed(found):
            hidden = not step.state and self._all[step.at].told != 1
            if states.kind(step.state) != "failed" and not hidden:
                break
            since = step.at if step.state else since
        first = next((one.at for one in self._all.values() if one.told), since)
        return Failing(test, self._cell.id, since, since == first)

    def _pairs(self) -> set[int]:
        """The nights of the window before which neither the project nor a package changed."""
        same = set()
        for before, after in zip(self._nights, self._nights[1:], strict=False):
            was, now = self._line.runs[before.at], self._line.runs[after.at]
            still = bool(now.tree) and (was.tree, was.settings) == (now.tree, now.settings)
            if still and before.lock is not None and before.lock == after.lock:
                same.add(after.at)
        return same

    def _times(self, found: list[Step]) -> int:
        """On how many nights of the window a test ended in another way with nothing changed."""
        times = 0
        for before, after in zip([Step(0, "", 0), *found], found, strict=False):
            if after.at <= self._line.window:
                continue
            kinds = {states.kind(before.state), states.kind(after.state)}
            times += states.wavers(after.state) or (
                kinds == {"passed", "failed"} and after.at in self._unchanged
            )
        return times

    def _since(self, lists: dict[str, list[str]]) -> CellSince | None:
        usable = [one for one in self._earlier if one.status not in NO_RESULT]
        base = self._base if self._tonight.told else None
        base = base or (usable[-1] if usable else None)
        if base is None:
            return None
        moved, why = self._why(base)
        moved = _named_first(moved, " ".join(test for tests in lists.values() for test in tests))
        most = paces.suite_slower(
            self._tonight.suite or 0.0, [one.suite or 0.0 for one in self._nights[:-1]]
        )
        kept = {
            name: Tests(total=len(tests), ids=tuple(tests[:KEPT])) for name, tests in lists.items()
        }
        return CellSince(
            id=self._cell.id,
            run=self._line.runs[base.at].name,
            before=base.status,
            after=self._tonight.status,
            moved=moved,
            why=why,
            seconds=round(self._tonight.suite or 0.0, 2) if most else 0.0,
            most=round(most, 2),
            **kept,
        )

    def _why(self, base: Seen) -> tuple[tuple[str, ...], Why]:
        """What moved since a night, and what therefore may be behind a change."""
        before = reading.packages(self._made, base.lock)
        moved = nights.moved(before, self._cell.packages) if before else ()
        was, now = self._line.runs[base.at], self._line.now
        if not (was.tree and now.tree) or not (before and self._cell.packages):
            return moved, "unknown"
        if was.tree != now.tree:
            return moved, "project"
        if was.settings != now.settings:
            return moved, "matrix"
        return moved, "moved" if moved else "nothing"

    def _slower(self) -> list[Slower]:
        numbers = {name: number for number, name in self._names.items()}
        tonight = {numbers[test]: one for test, one in self._cell.paces.items()}
        packed = reading.columns(self._made, self._scope, self._line.now.at, self._line.most)
        found = paces.slower(tonight, [paces.unpack(one) for one in packed])
        return [
            Slower(id=self._names[number], cell=self._cell.id, seconds=seconds, most=most)
            for number, (seconds, most) in found.items()
        ]


def _named_first(moved: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Put packages that the ids of tests name first: of many that moved, a few are shown."""
    known = text.casefold().replace("-", "_")

    def unnamed(move: str) -> bool:
        return move.partition(" ")[0].casefold().replace("-", "_") not in known

    return tuple(sorted(moved, key=unnamed))


def _changed(before: list[Step], after: Step) -> states.Change:
    was = before[-1] if before else Step(0, states.ABSENT, 0)
    same = was.detail == after.detail or not was.detail
    return states.change(was.state, after.state, same_cause=same)


def line_of(rows: list[Row], window: int) -> Line:
    """Say which nights a run is compared with; `rows` are those of its line up to it."""
    before = rows[: -1 - window] if len(rows) > window + 1 else []
    return Line({row.at: row for row in rows}, rows[-1], before[-1].at if before else 0, window)
