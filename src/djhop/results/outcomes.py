"""The passes of a cell, merged: per test one strict and one plain outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

import msgspec

from djhop.results import owners
from djhop.results.eventlog import Exc, Printed, Seen
from djhop.results.owners import Failure
from djhop.results.passes import Ran, fine, outcomes, unproven
from djhop.results.paths import PROJECT
from djhop.results.printed import bounded

if TYPE_CHECKING:
    from djhop.results.paths import Paths

#: Outcome of one test in one pass. "error": setup, teardown or collection failed.
Outcome = Literal[
    "passed", "failed", "error", "skipped", "xfailed", "xpassed", "crashed", "not-run"
]


#: Stands for a suite that ends badly though every test is fine.
END = "(the end of the suite)"


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """One test in one cell; `strict` under error::DeprecationWarning, `plain` without."""

    id: str
    #: None where the filter was not in force, or no strict pass got to the test.
    strict: Outcome | None = None
    plain: Outcome | None = None
    seconds: float = 0.0
    #: Why it failed plainly, else why it failed strictly.
    failure: Failure | None = None
    #: What it printed in the run that `failure` is of; None where nothing is known to be printed.
    printed: Printed | None = None
    skip_reason: str = ""
    #: Names of its subtests that failed, as its runner gives them; at most 20.
    subtests: tuple[str, ...] = ()
    #: Id of the cause it is grouped under (filled in by comparison).
    cause: str = ""
    #: Its SQL queries, from setUp to tearDown: connection → how many; None for none.
    queries: dict[str, int] | None = None
    #: Passed and failed in the same cell without a warning to explain it.
    flaky: bool = False


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Tests per outcome in one kind of run."""

    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    crashed: int = 0
    not_run: int = msgspec.field(default=0, name="not-run")

    @property
    def total(self) -> int:
        """All tests counted."""
        return sum(msgspec.structs.astuple(self))


def count(found: Sequence[Outcome | None]) -> Counts:
    """Count outcomes; None is none."""
    names = {"not-run": "not_run"}
    kinds = [names.get(outcome, outcome) for outcome in found if outcome is not None]
    return Counts(**{kind: kinds.count(kind) for kind in set(kinds)})


class Failures:
    """Exceptions of the log → failures, each distinct one turned once."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known: dict[tuple[Exc, str], Failure] = {}

    def printed(self, said: Printed | None) -> Printed | None:
        """What a test printed, with files named as everywhere: equal in every cell where it is."""
        if said is None:
            return None
        head, tail = map(self._paths.shorten_in, (said.head, said.tail))
        return Printed(head=head, tail=tail, left_out=said.left_out)

    def of(self, exc: Exc | None, when: str) -> Failure | None:
        """Return the failure, if there is an exception."""
        if exc is None:
            return None
        if (exc, when) not in self._known:
            self._known[exc, when] = owners.failure(exc, when, self._paths)
        return self._known[exc, when]


def merge(runs: Sequence[Ran], failures: Failures) -> tuple[Test, ...]:
    """Return every test that any pass saw, in run order.

    Strict: of the strict pass, else of the scoped one where the strict pass did not get to the
    test; None where the filter was not in force. Plain: of the plain pass; where there was none,
    for a test that was fine strictly, the same (`passes.next_pass` says why that is sound). A
    module that cannot be collected plainly is a test of its own, an error; one that only
    strictness keeps from being collected is not, for its tests are there.
    """
    if not runs:
        return ()
    return _Merging(runs, failures).tests()


class _Merging:
    def __init__(self, runs: Sequence[Ran], failures: Failures) -> None:
        self._failures = failures
        self._runs = runs
        self._framework = runs[0].events.framework
        self._strict = outcomes(runs[0])
        self._plain = [outcomes(ran) for ran in runs if ran.info.mode == "plain"]
        scoped = [ran for ran in runs if ran.info.mode == "scoped"]
        self._scoped = outcomes(scoped[0]) if scoped else {}
        self._raised = runs[0].events.raised
        self._raised_scoped = scoped[0].events.raised if scoped else set()
        self._unproven = unproven(runs[0])
        self._unproven_scoped = unproven(scoped[0]) if scoped else frozenset()

    def tests(self) -> tuple[Test, ...]:
        """Merge test by test."""
        ids = dict.fromkeys(self._strict)
        for found in (*self._plain, self._scoped):
            ids.update(dict.fromkeys(found))
        errors = set().union(*(ran.events.collect_errors for ran in self._runs))
        decisive = self._plain[-1] if self._plain else self._strict
        tests = [self._test(t) for t in ids if t not in errors or t in decisive]
        if (failure := bad_end(self._runs, self._failures)) is not None:
            tests.append(Test(id=END, strict="error", plain="error", failure=failure))
        return tuple(bounded(tests))

    def _test(self, test_id: str) -> Test:
        strict, proven = self._strictly(test_id)
        plain = self._plainly(test_id)
        bad = [s for s in (plain, strict) if s is not None and not fine(s, self._framework)]
        flaky = self._flaky(test_id, strict, plain)
        told = next((s for s in (plain, strict) if s is not None), Seen())
        return Test(
            id=test_id,
            strict=self._said(strict if proven else None),
            plain=self._said(plain),
            seconds=round(strict.seconds if strict and strict.seconds else told.seconds, 6),
            failure=self._failed(bad[0]) if bad else None if flaky else _skipped(strict, plain),
            subtests=tuple(dict.fromkeys(bad[0].subtests)) if bad else (),
            printed=self._failures.printed(bad[0].printed) if bad else None,
            queries=self._queries(test_id),
            skip_reason=told.reason if told.outcome == "skipped" else "",
            flaky=flaky,
        )

    def _queries(self, test_id: str) -> dict[str, int] | None:
        """What it asked in the pass that decides how it ended."""
        plain = [ran for ran in reversed(self._runs) if ran.info.mode == "plain"]
        for ran in (*plain, self._runs[0]):
            if test_id in ran.events.tests:
                return ran.events.queries.get(test_id)
        return None

    def _strictly(self, test_id: str) -> tuple[Seen | None, bool]:
        """Return the strict outcome, and whether it is to be believed."""
        seen, unsure = self._strict.get(test_id), self._unproven
        scoped = self._scoped.get(test_id)
        if scoped is not None and (seen is None or seen.outcome in ("not-run", "crashed")):
            seen, unsure = scoped, self._unproven_scoped
        doubtful = seen is not None and (unsure is None or test_id in unsure)
        return seen, not (doubtful and seen is not None and seen.outcome in ("passed", "xpassed"))

    def _plainly(self, test_id: str) -> Seen | None:
        if self._plain:
            return self._plain[-1].get(test_id)
        strict = self._strict.get(test_id)
        return strict if strict is not None and fine(strict, self._framework) else None

    def _flaky(self, test_id: str, strict: Seen | None, plain: Seen | None) -> bool:
        """Whether strict and plain disagree and no warning is known to explain it.

        Of a command that is not looked into no warning is known at all.
        """
        if strict is None or plain is None or not self._plain or self._runs[0].foreign:
            return False
        was, now = self._kind(strict), self._kind(plain)
        if was == now or not (was and now):
            return False
        if strict.exc and strict.exc.warning:
            return False
        scoped = strict is self._scoped.get(test_id)
        raised = self._raised_scoped if scoped else self._raised
        # What was raised outside the tests may have failed or skipped one, but made none pass.
        if test_id in raised or (was != "fine" and "" in raised):
            return False
        if was != "failed":
            # What was only shown has changed nothing.
            return True
        return not any(r.events.warned_outside or test_id in r.events.warned for r in self._runs)

    def _kind(self, seen: Seen) -> str:
        """Return which of three a test did, whatever it is called; "" where it did not end."""
        if seen.outcome in ("skipped", "crashed", "not-run", ""):
            return "skipped" if seen.outcome == "skipped" else ""
        return "fine" if fine(seen, self._framework) else "failed"

    def _failed(self, seen: Seen) -> Failure | None:
        if seen.outcome == "xpassed":
            return Failure(
                exception="UnexpectedSuccess",
                message="it is expected to fail, and passes",
                owner=PROJECT,
                when="call",
            )
        return self._failures.of(seen.exc, seen.when)

    def _said(self, seen: Seen | None) -> Outcome | None:
        """An unexpected success is a failure in Django's runner, as it is for its owners."""
        if seen is not None and seen.outcome == "xpassed" and not fine(seen, self._framework):
            return "failed"
        return _outcome(seen)


def bad_end(runs: Sequence[Ran], failures: Failures) -> Failure | None:
    """Return why the suite ended badly, plainly and though every test is fine; None if it did not.

    It is what a team's CI goes by.
    """
    decisive = next((ran for ran in reversed(runs) if ran.info.mode == "plain"), runs[0])
    if not decisive.ended_badly:
        return None
    said = failures.of(decisive.events.fatal, "end")
    return said or Failure(
        exception="SystemExit",
        message=f"every test is fine, and the suite exited with {decisive.events.code}",
        owner=PROJECT,
        when="end",
    )


def _skipped(strict: Seen | None, plain: Seen | None) -> Failure | None:
    """What stands for a skip that only strictness causes; None where there is none."""
    if strict is None or plain is None or strict.outcome != "skipped":
        return None
    if plain.outcome == "skipped":
        return None
    return Failure(exception="Skipped", message=strict.reason, owner=PROJECT, when="call")


def _outcome(seen: Seen | None) -> Outcome | None:
    return cast("Outcome", seen.outcome) if seen is not None else None
