"""What one cell saw: its passes, merged → CellResult."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from djhop.resolve.blockers import Blocker
from djhop.results import deprecations, owners
from djhop.results.deprecations import Deprecation
from djhop.results.events import PassEvents
from djhop.results.events import read as read_events
from djhop.results.outcomes import END, Counts, Failures, Outcome, Test, bad_end, count, merge
from djhop.results.owners import Failure
from djhop.results.passes import FINE, Next, Pass, Ran, finish, next_pass
from djhop.results.paths import Owner, OwnerKind, Paths
from djhop.results.statuses import SERVE, Facts, Status, decide
from djhop.results.steps import Step, StepName

if TYPE_CHECKING:
    from djhop.matrix.plan import Cell
    from djhop.releases import Releases
    from djhop.results.eventlog import Exc, Sharded

__all__ = [
    "FORMAT",
    "CellResult",
    "Counts",
    "Deprecation",
    "Failure",
    "Next",
    "Outcome",
    "Owner",
    "OwnerKind",
    "Pass",
    "PassEvents",
    "Ran",
    "Status",
    "Test",
    "build",
    "finish",
    "next_pass",
    "read_events",
]

FORMAT = 1
#: Where an unexpected success is a failure, `merge` has made it one.
GOOD = FINE | {"xpassed"}
#: How a pass dies so that the whole cell is cut short.
_CUT = frozenset({"interrupted", "timeout", "silence"})


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of its suite a cell has run."""

    number: int
    of: int
    #: How many tests the whole suite has in this cell, and what stands for their ids; 0 and ""
    #: where the suite was not loaded.
    total: int = 0
    digest: str = ""


class CellResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one cell saw; `cells/<cell>/cell.json`."""

    id: str
    django: str
    python: str
    status: Status
    format: int = FORMAT
    reason: str = ""
    #: Release the environment said it has: "4.2.30".
    django_release: str = ""
    python_release: str = ""
    #: The lock overrules the metadata of `blockers`.
    forced: bool = False
    #: The packages that rule out this Django or Python.
    blockers: tuple[Blocker, ...] = ()
    allow_failure: bool = False
    counts: dict[str, Counts] = {}
    #: Per cent of statements (or branches) run, or None.
    coverage: float | None = None
    tests: tuple[Test, ...] = ()
    deprecations: tuple[Deprecation, ...] = ()
    #: Whether the queries of tests were counted: by Django 2.0 and later, and where djhop looks on.
    counts_queries: bool = False
    #: Collection, import and class-level failures, by module, class or pass.
    failures: tuple[tuple[str, Failure], ...] = ()
    passes: tuple[Pass, ...] = ()
    #: Django's own upgrade steps that were done, by name.
    steps: dict[StepName, Step] = {}
    #: Exact packages: name → version.
    packages: dict[str, str] = {}
    #: Package → why the lock moved it from the cell before.
    moves_why: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    #: Stage → seconds: interpreter, lock, environment, workspace, strict, plain, scoped.
    seconds: dict[str, float] = {}
    #: What to type next, where the status has a remedy.
    hint: str = ""
    #: Set where only a part of the suite was to be run: `--shard`.
    part: Part | None = None


def build(
    cell: Cell,
    runs: Sequence[Ran],
    *,
    paths: Paths,
    releases: Releases,
    coverage: float | None = None,
    notes: Sequence[str] = (),
) -> CellResult:
    """Merge the passes of a cell, in the order in which they ran, into its result.

    What the passes do not know (packages, locks, stages' seconds) is left to
    `msgspec.structs.replace`.
    """
    failures = Failures(paths)
    tests = merge(runs, failures)
    facts = _facts(runs, tests, failures) if runs else None
    status, reason = decide(facts) if facts else ("not-run", "no pass was run")
    begun = [ran.events for ran in runs if ran.events.began]
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status=status,
        reason=reason,
        django_release=begun[0].django if begun else "",
        python_release=begun[0].python if begun else "",
        counts={
            "strict": count([test.strict for test in tests]),
            "plain": count([test.plain for test in tests]),
        },
        coverage=coverage,
        tests=tests,
        deprecations=deprecations.collect([ran.events for ran in runs], paths, releases),
        failures=_outside(runs, failures),
        passes=tuple(ran.info for ran in runs),
        counts_queries=bool(runs) and all(ran.events.counting for ran in runs),
        notes=tuple(dict.fromkeys([*notes, *_notes(runs, tests)])),
        seconds=_seconds(runs),
        hint=SERVE if status == "infra" and facts and facts.unserved else "",
        part=next((_part(ran.events.sharded) for ran in runs if ran.events.sharded), None),
    )


def _part(seen: Sharded) -> Part:
    return Part(number=seen.number, of=seen.of, total=seen.total, digest=seen.digest)


def _facts(runs: Sequence[Ran], tests: Sequence[Test], failures: Failures) -> Facts:
    strict = runs[0]
    decisive = next((ran for ran in reversed(runs) if ran.info.mode == "plain"), strict)
    cut = next((r.info.died for r in runs if r.info.died in _CUT), "")
    modules = {name for ran in runs for name in ran.events.collect_errors}
    good = [test for test in tests if test.plain in GOOD]
    # A worker that dies in a test does not end the run.
    crashed = next((test.id for test in tests if "crashed" in (test.plain, test.strict)), "")
    return Facts(
        died=cut or decisive.info.died,
        running=next((r.info.running for r in reversed(runs) if r.info.died), "") or crashed,
        starts=decisive.info.starts,
        refused=any(ran.events.refused for ran in runs),
        silent=any(not ran.events.began and ran.info.died != "interrupted" for ran in runs),
        unserved=_unserved(decisive, tests, failures),
        exit=decisive.events.code if decisive.ended_badly else None,
        unseen=max(
            0, *(ran.xml_tests - ran.info.ran for ran in runs if ran.xml_tests is not None), 0
        ),
        plain=count([test.plain or test.strict for test in tests]),
        modules=sum(1 for test in tests if test.id in modules),
        not_strict=sum(1 for t in good if not_strictly(t)),
        unknown_strict=sum(1 for test in good if test.strict is None),
        foreign=strict.foreign,
        strict_died=bool(strict.info.died or strict.events.collect_errors or strict.ended_badly),
    )


def _unserved(decisive: Ran, tests: Sequence[Test], failures: Failures) -> str:
    """What is said where no test passed, and a service that does not answer is all there is."""
    ended = [(test.plain or test.strict, test.failure) for test in tests]
    if any(outcome in ("passed", "xpassed") for outcome, _ in ended):
        return ""
    said = [failure for outcome, failure in ended if outcome in ("failed", "error", "crashed")]
    if decisive.events.fatal is not None:
        said.append(failures.of(decisive.events.fatal, "import"))
    if not all(failure is not None and failure.why == owners.NO_SERVICE for failure in said):
        return ""
    first = next((failure for failure in said if failure is not None), None)
    return f"{first.exception}: {first.message.partition(chr(10))[0]}" if first else ""


def not_strictly(test: Test) -> bool:
    """Whether a test that is fine plainly is not so strictly, because of a deprecation."""
    if test.flaky or test.strict is None:
        return False
    return test.strict not in GOOD or (test.strict == "skipped" and test.plain != "skipped")


def _outside(runs: Sequence[Ran], failures: Failures) -> tuple[tuple[str, Failure], ...]:
    """Return what failed outside of tests, plain passes first: there it breaks."""
    found: dict[tuple[str, Failure], None] = {}
    for ran in sorted(runs, key=lambda ran: ran.info.mode != "plain"):
        events = ran.events
        pairs: list[tuple[str, Exc | None, str]] = [(ran.info.mode, events.fatal, "import")]
        pairs += [(name, exc, "collect") for name, exc in events.collect_errors.items()]
        pairs += [(name, exc, when) for name, (exc, when) in events.class_errors.items()]
        for name, exc, when in pairs:
            failure = failures.of(exc, when)
            if failure is not None:
                found[name, failure] = None
    if runs and (ended := bad_end(runs, failures)) is not None:
        found[END, ended] = None
    return tuple(found)


def _notes(runs: Sequence[Ran], tests: Sequence[Test]) -> list[str]:
    notes = [note for ran in runs for note in ran.events.notes]
    for ran in runs:
        events, mode = ran.events, ran.info.mode
        if not ran.info.canary:
            notes.append(
                f"{mode}: the filter was not in force, or not proven so, in "
                f"{len(events.canary_failed - {''}) or 'all'} tests; their passing is not believed"
            )
        if ran.xml_tests is not None and ran.xml_tests != ran.info.ran and not ran.info.died:
            notes.append(f"{mode}: pytest's XML has {ran.xml_tests} tests, events {ran.info.ran}")
        if events.unreadable:
            notes.append(f"{mode}: {events.unreadable} lines of the event log could not be read")
        if events.dropped_warnings:
            notes.append(
                f"{mode}: {events.dropped_warnings} warnings beyond the limit were dropped"
            )
    if flaky := sum(test.flaky for test in tests):
        notes.append(f"{flaky} tests ended in two ways in this cell without a warning: flaky")
    return notes


def _seconds(runs: Sequence[Ran]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for ran in runs:
        mode = ran.info.mode
        seconds[mode] = round(seconds.get(mode, 0.0) + ran.info.seconds, 3)
    return seconds
