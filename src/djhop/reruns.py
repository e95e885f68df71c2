"""What newly fails on a hop, run again in both its cells: alone, and then in its module."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from djhop import durable
from djhop.cells import cells
from djhop.cells.job import Job
from djhop.compare import flaky
from djhop.compare.changes import kind, plainly
from djhop.compare.findings import Findings
from djhop.compare.fingerprints import is_check, same_root
from djhop.compare.symbols import link
from djhop.compare.verdicts import cut_short
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, Interrupted
from djhop.matrix.flaky import Flaky, KnownFlaky
from djhop.processes.process import Spawner
from djhop.releases import version_key
from djhop.results.deprecations import Deprecation
from djhop.results.outcomes import Failures, Outcome
from djhop.results.passes import Ran, fine, outcomes
from djhop.results.reruns import Again, How, Reruns, Side
from djhop.results.results import CellResult, Test
from djhop.suites import selecting

SIDES: tuple[Side, Side] = ("before", "after")
OVER = "the time for it (flaky.budget) was over"


class End(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two cells: what it is and what it found."""

    job: Job
    result: CellResult


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A test that newly fails."""

    #: Its id in the findings.
    name: str
    before: Test | None
    after: Test

    @property
    def key(self) -> str:
        """What stands for all tests that fail as this one does.

        What one exception breaks, it breaks alike; each check that fails is one of its own.
        """
        failure = self.after.failure
        return self.name if failure is None or is_check(failure) else self.after.cause or self.name

    def on(self, side: Side) -> Test | None:
        """The test in the cell before or after; None where it did not end there."""
        return self.before if side == "before" else self.after


def doubts(found: Findings, before: CellResult, after: CellResult) -> tuple[Doubt, ...]:
    """Return what newly fails on a hop, in the order of the suite."""
    were, are = ({test.id: test for test in side.tests} for side in (before, after))
    names = dict(found.renamed)
    made = []
    for name in found.failing:
        was = were.get(name)
        ended = was is not None and kind(plainly(was)) in ("passed", "excused", "failed")
        made.append(
            Doubt(name=name, before=was if ended else None, after=are[names.get(name, name)])
        )
    return tuple(made)


def foretold(doubted: Sequence[Doubt], before: CellResult, after: CellResult) -> frozenset[str]:
    """Names of what fails for something that its test warned of before the hop that removes it."""
    low, high = version_key(before.django), version_key(after.django)
    uses: dict[str, list[Deprecation]] = {}
    for use in before.deprecations:
        if use.removed_in and low < version_key(use.removed_in) <= high:
            for test in use.tests:
                uses.setdefault(test, []).append(use)
    return frozenset(
        one.name
        for one in doubted
        if one.before
        and (failure := one.after.failure)
        and any(link(use, failure) for use in uses.get(one.before.id, ()))
    )


def impossible(before: End, after: End) -> str:
    """Say why nothing can be run again on a hop; "" where that can be tried."""
    for end in (before, after):
        if cut_short(end.result):
            return f"{end.result.id} was cut short ({end.result.status})"
    suite = after.job.target.suite
    return selecting.unable(suite) if suite else "there is no suite"


def rerun(
    before: End,
    after: End,
    found: Findings,
    folder: Path,
    spawner: Spawner,
    *,
    known: tuple[KnownFlaky, ...] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Reruns:
    """Run again what newly fails, as often and as long as the matrix says; logs go to `folder`.

    What a deprecation foretold is not, unless it is `known` to be flaky. `say` tells what goes on.

    Raises:
        InfraError: the machine or the network failed.
        Interrupted: djhop was asked to stop.
    """
    doubted = doubts(found, before.result, after.result)
    sure = foretold(doubted, before.result, after.result)
    todo = [
        one
        for one in doubted
        if one.name not in sure
        or any(entry.covers(one.after.id, after.result.id) for entry in known)
    ]
    made = Reruns(
        before=before.result.id,
        after=after.result.id,
        asked=len(doubted),
        foretold=len(doubted) - len(todo),
    )
    if not todo:
        return made
    if why := impossible(before, after):
        return msgspec.structs.replace(made, reason=why)
    say(f"{made.id}: what newly fails is run again (tests: {len(todo)})")
    started = time.monotonic()
    try:
        with _Rerun.entered((before, after), folder, spawner) as work:
            reason = work.all(todo)
    except CannotInstall as error:  # a moment ago it could be
        raise InfraError(f"the environment cannot be made anew: {error}") from error
    return msgspec.structs.replace(
        made,
        tests=len({one.test for one in work.done}),
        runs=tuple(work.done),
        reason=reason,
        seconds=round(time.monotonic() - started, 3),
    )


class _Over(Exception):  # noqa: N818 - it is no error
    """The budget is used up."""


class _Rerun:
    """The reruns of one hop under way, both its cells entered."""

    def __init__(
        self, rooms: dict[Side, cells.Again], ends: tuple[End, End], spawner: Spawner
    ) -> None:
        self._rooms, self._spawner = rooms, spawner
        self._wanted: Flaky = ends[1].job.matrix.flaky
        self._until = time.monotonic() + self._wanted.budget
        self._warned = flaky.warned(ends[1].result)
        self._failures = {side: Failures(room.paths) for side, room in rooms.items()}
        self._number = 0
        self.done: list[Again] = []

    @classmethod
    @contextlib.contextmanager
    def entered(cls, ends: tuple[End, End], folder: Path, spawner: Spawner) -> Iterator[_Rerun]:
        """Have both cells again; for the time that takes no budget is used."""
        with contextlib.ExitStack() as stack:
            rooms: dict[Side, cells.Again] = {}
            for side, end in zip(SIDES, ends, strict=True):
                durable.make(folder / side)
                room = cells.rerunning(end.job, spawner, folder / side)
                rooms[side] = stack.enter_context(room)
            yield cls(rooms, ends, spawner)

    def all(self, todo: Sequence[Doubt]) -> str:
        """Run all of it; return why not all that was wanted was done, or ""."""
        groups: dict[str, list[Doubt]] = {}
        for doubt in todo:
            groups.setdefault(doubt.key, []).append(doubt)
        try:
            first = [members[0] for members in groups.values()]
            self._alone(first)
            odd = [doubt.key for doubt in first if not self._breaks(doubt)]
            self._alone([d for key in odd for d in groups[key][1:]])
            self._in_module([d for key in odd for d in groups[key] if self._is_open(d)])
        except _Over:
            return OVER
        return ""

    def _breaks(self, doubt: Doubt) -> bool:
        return flaky.answer(*self._runs(doubt)) == "broke"

    def _is_open(self, doubt: Doubt) -> bool:
        """Whether runs of its module can say more than those of the test alone."""
        mixed = len(set(self._runs(doubt)[1].alone)) > 1
        return not mixed and not self._breaks(doubt)

    def _runs(self, doubt: Doubt) -> tuple[flaky.Runs, flaky.Runs]:
        return flaky.runs_of(doubt.name, doubt.before, doubt.after, self.done, self._warned)

    def _alone(self, todo: Sequence[Doubt]) -> None:
        """Run each alone; all once before any a second time, so that each has its part."""
        for _ in range(self._wanted.reruns):
            for doubt in todo:
                for side in SIDES:
                    if test := doubt.on(side):
                        self._one(side, "alone", test.id, [doubt])

    def _in_module(self, todo: Sequence[Doubt]) -> None:
        modules: dict[tuple[Side, str], list[Doubt]] = {}
        for doubt in todo:
            for side in SIDES:
                if (test := doubt.on(side)) and (module := selecting.module_of(test.id)):
                    modules.setdefault((side, module), []).append(doubt)
        for _ in range(self._wanted.reruns):
            for (side, module), members in modules.items():
                self._one(side, "module", module, members)

    def _one(self, side: Side, how: How, chosen: str, members: list[Doubt]) -> None:
        """Start one process, and keep what it says of `members`."""
        if self._spawner.interrupted:
            raise Interrupted("interrupted")
        if (left := self._until - time.monotonic()) <= 0:
            raise _Over
        self._number += 1
        ran = self._rooms[side].run(f"{self._number:03}-{how}", chosen, left)
        if ran.info.died == "interrupted":
            raise Interrupted("interrupted")
        seen = outcomes(ran)
        odd = _not_told(ran, list(seen), how, chosen)
        for doubt in members:
            again = Again(test=doubt.name, side=side, how=how, seconds=round(ran.info.seconds, 3))
            if not odd:
                again = self._told(again, doubt, ran)
            self.done.append(msgspec.structs.replace(again, reason=odd) if odd else again)

    def _told(self, again: Again, doubt: Doubt, ran: Ran) -> Again:
        test = doubt.on(again.side)
        seen = outcomes(ran).get(test.id if test else "")
        if seen is None or not seen.outcome:
            return msgspec.structs.replace(again, reason="it was not run")
        # In Django's runner a test that passes against expectation fails.
        lucky = seen.outcome == "xpassed" and not fine(seen, ran.events.framework)
        outcome: Outcome = msgspec.convert("failed" if lucky else seen.outcome, Outcome)
        failure = self._failures[again.side].of(seen.exc, seen.when)
        was, now = doubt.before and doubt.before.failure, doubt.after.failure
        red_before = doubt.before is not None and kind(plainly(doubt.before)) == "failed"
        like = bool(red_before and was and failure and same_root(was, failure))
        new = bool(now and failure and same_root(now, failure))
        if again.side == "before" and now and failure and not (like or new):
            return msgspec.structs.replace(again, reason="it fails there for yet another reason")
        return msgspec.structs.replace(again, outcome=outcome, as_before=like and not new)


def _not_told(ran: Ran, names: list[str], how: How, chosen: str) -> str:
    """Say why a process tells nothing of the tests that were chosen; "" where it does."""
    if ran.info.died == "timeout":
        return "it took too long"
    if ran.info.died == "refused" or not ran.events.began:
        return "the test process did not start"
    names = [name for name in names if not selecting.is_in(chosen, name)]  # its class
    if how == "alone" and names != [chosen]:
        return "the suite's runner chose other tests" if names else "no test was run"
    if how == "module" and any(not selecting.is_in(name, chosen) for name in names):
        return "the suite's runner chose other tests"
    return ""
