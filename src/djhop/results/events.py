"""Reads a pass's event log, the JSON lines of the probe, whatever state the log is in.

A log may be cut anywhere, hold what other processes wrote into it, or lack its end: every line that
can be understood counts, the others are counted. Memory is bounded by what is distinct in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from djhop.errors import InfraError
from djhop.results import jsonlines
from djhop.results.eventlog import (
    SUBTESTS_LIMIT,
    Begin,
    Canary,
    ClassError,
    Collected,
    CollectError,
    Counting,
    End,
    Ended,
    Event,
    Exc,
    Fatal,
    Queries,
    Raised,
    Refused,
    Report,
    Seen,
    Sharded,
    Start,
    Stop,
    Warned,
    Words,
)

#: Distinct warnings kept of one pass, and tests named for each of them; the rest is only counted.
WARNING_LIMIT = 20_000
TESTS_LIMIT = 1_000

#: When a test has several reports, the outcome that stands first here is the test's.
_RANK = ("failed", "error", "crashed", "xpassed", "xfailed", "skipped", "passed")
_RANKS = {name: len(_RANK) - index for index, name in enumerate(_RANK)}
_PHASES = frozenset({"setup", "teardown"})
_OF_PHASE = {"passed": "", "failed": "error"}


class SeenWarning(msgspec.Struct, kw_only=True, gc=False):
    """Equal warnings of one pass: class, message, attributed place and stack are the same."""

    event: Warned
    count: int = 0
    #: Ids of tests, at most `TESTS_LIMIT`; a dict for its order.
    tests: dict[str, None] = {}


class PassEvents(msgspec.Struct, kw_only=True):
    """What the log of one pass says."""

    python: str = ""
    django: str = ""
    framework: str = ""
    mode: str = ""
    began: bool = False
    #: Set where the environment held another Django than the cell names: (expected, found).
    refused: tuple[str, str] | None = None
    #: What ended the process, or stopped it before the tests.
    fatal: Exc | None = None
    #: Ids in run order.
    collected: dict[str, None] = {}
    #: What the whole suite is, where only a part of it is run.
    sharded: Sharded | None = None
    #: Per test: what happened, in the order in which they began.
    tests: dict[str, Seen] = {}
    #: Per module that could not be collected.
    collect_errors: dict[str, Exc | None] = {}
    #: Per class or module: (exception, "setUpClass" …).
    class_errors: dict[str, tuple[Exc | None, str]] = {}
    warnings: tuple[SeenWarning, ...] = ()
    #: Tests during which a DeprecationWarning was shown or raised.
    warned: set[str] = set()
    #: Whether one was, outside any test.
    warned_outside: bool = False
    #: Tests in which one was raised as an error, whether or not that surfaced; "" for outside.
    raised: set[str] = set()
    #: Tests in which the strict filter was not in force; "" stands for all.
    canary_failed: set[str] = set()
    #: Whether the filter was proven to be in force at least once.
    canary_ok: bool = False
    #: Whether queries were counted, and how many there were by test and connection.
    counting: bool = False
    queries: dict[str, dict[str, int]] = {}
    notes: tuple[str, ...] = ()
    #: Per test in which a process of the pass ended: "crash" or "hang".
    ends: dict[str, str] = {}
    #: How many processes began.
    starts: int = 0
    ended: bool = False
    code: int | None = None
    #: Lines that could not be understood.
    unreadable: int = 0
    #: Warnings beyond `WARNING_LIMIT`.
    dropped_warnings: int = 0

    @property
    def running(self) -> tuple[str, ...]:
        """Tests that began and never ended, but for those whose xdist worker died."""
        return tuple(t for t, seen in self.tests.items() if seen.open and seen.when != "???")

    @property
    def ran(self) -> int:
        """Tests that have an outcome, and not that of ending the process."""
        return sum(1 for seen in self.tests.values() if seen.outcome not in ("", "crashed"))


def read(path: Path) -> PassEvents:
    """Read the log at `path`; a missing one is a pass that never began.

    Raises:
        InfraError: the file is there and cannot be read.
    """
    gathering = _Gathering()
    try:
        with path.open("rb") as file:
            for events, unreadable in jsonlines.blocks(file):
                gathering.take(events)
                gathering.events.unreadable += unreadable
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InfraError(f"cannot read the event log {path}: {error}") from error
    return gathering.result()


def gather(found: Iterable[Event]) -> PassEvents:
    """Add up events that come from elsewhere than a log."""
    gathering = _Gathering()
    gathering.take(found)
    return gathering.result()


class _Gathering:
    """Adds events up."""

    def __init__(self) -> None:
        self.events = PassEvents()
        self._warnings: dict[tuple[Any, ...], SeenWarning] = {}
        self._places: dict[tuple[Any, ...], SeenWarning] = {}
        self._notes: dict[str, None] = {}
        self._kept: dict[Any, Any] = {}
        self._pid = 0
        #: Tests that were running when the process ended in another.
        self._again: set[str] = set()

    def take(self, events: Iterable[Event]) -> None:
        """Add some lines; the three kinds that a large log consists of are looked at first."""
        tests = self.events.tests
        for event in events:
            if isinstance(event, Report):
                self._report(event)
            elif isinstance(event, Start):
                self._start(event)
            elif isinstance(event, Stop):
                if (seen := tests.get(event.id)) is not None:
                    seen.open = False
            else:
                self._other(event)

    def _start(self, event: Start) -> None:
        seen = self.events.tests.get(event.id)
        if seen is None or event.id in self._again:
            self._again.discard(event.id)
            self.events.tests[event.id] = Seen(pid=event.pid, open=True)
        elif seen.pid == event.pid:
            # Begun again by the same process; another process only repeats what was said.
            seen.open = True

    def _report(self, event: Report) -> None:
        seen = self.events.tests.get(event.id)
        if seen is None:
            seen = self.events.tests[event.id] = Seen(pid=event.pid)
        if seen.pid == event.pid and event.sub is None:
            seen.seconds += event.seconds
        outcome = _outcome_of(event)
        if event.sub and outcome == "failed" and len(seen.subtests) < SUBTESTS_LIMIT:
            seen.subtests = (*seen.subtests, event.sub)
        if _RANKS.get(outcome, 0) > _RANKS.get(seen.outcome, 0):
            seen.outcome = self._kept.setdefault(outcome, outcome)
            seen.exc = self._lean(event.exc) if event.exc is not None else None
            seen.when = self._kept.setdefault(event.when, event.when)
            seen.reason = self._kept.setdefault(event.reason, event.reason)
            seen.printed = event.printed

    def _lean(self, exc: Exc) -> Exc:
        """Return an equal exception that shares its frames with those seen before."""
        keep = self._kept.setdefault
        frames = tuple(keep(frame, frame) for frame in exc.frames)
        cause = self._lean(exc.cause) if exc.cause is not None else None
        lean = msgspec.structs.replace(exc, frames=keep(frames, frames), cause=cause)
        shared: Exc = keep(lean, lean)
        return shared

    def _share(self, event: Warned) -> None:
        """Let a warning share what it says with those before it, but for its message."""
        keep = self._kept.setdefault
        stack = tuple(keep(row, row) for row in event.stack)
        event.stack, event.mro = keep(stack, stack), keep(event.mro, event.mro)
        for name in ("category", "category_module", "file", "when", "id"):
            word = getattr(event, name)
            setattr(event, name, keep(word, word))

    def _other(self, event: Event) -> None:
        events = self.events
        match event:
            case Warned():
                self._warning(event)
            case Collected():
                events.collected.update(dict.fromkeys(event.ids))
            case Sharded():
                events.sharded = event
            case CollectError():
                events.collect_errors.setdefault(event.id, event.exc)
            case ClassError():
                events.class_errors.setdefault(event.id, (event.exc, event.when))
            case Canary(ok=True):
                events.canary_ok = True
            case Canary():
                events.canary_failed.add(event.id or "")
            case Raised():
                events.raised.add(event.id or "")
            case Counting() | Queries():
                self._queries(event)
            case Words():
                self._notes[event.text] = None
            case Ended():
                self._ended(event)
            case Begin() | Refused() | Fatal() | End():
                self._process(event)

    def _queries(self, event: Counting | Queries) -> None:
        if isinstance(event, Counting):
            self.events.counting = True
        else:
            self.events.queries[event.id] = event.n

    def _begin(self, event: Begin) -> None:
        """A process begins; one more with another pid goes on where the one before it ended."""
        events = self.events
        if event.pid != self._pid or not events.began:
            self._pid, events.starts = event.pid, events.starts + 1
            events.ended, events.code = False, None
            for test_id in events.running:
                # It did not end the process, and is run again.
                events.tests[test_id] = Seen()
                self._again.add(test_id)
        events.began = True

    def _ended(self, event: Ended) -> None:
        """Whatever was said of the test, the process ended in it."""
        seen = self.events.tests.setdefault(event.id, Seen(pid=event.pid))
        seen.open, seen.outcome, seen.when, seen.exc = False, "crashed", "call", event.exc
        self.events.ends[event.id] = event.why

    def _process(self, event: Begin | Refused | Fatal | End) -> None:
        events = self.events
        match event:
            case Begin():
                self._begin(event)
                events.python, events.django = event.python, event.django or ""
                events.framework, events.mode = event.framework, event.mode
            case Refused():
                events.refused = (event.expected or "?", event.found or "none")
            case Fatal():
                # The first: what follows is its consequence.
                events.fatal = events.fatal or event.exc or Exc()
            case End():
                events.ended, events.code = True, event.code

    def _warning(self, event: Warned) -> None:
        key = event.key
        known = self._warnings.get(key)
        if known is None and not event.stack:
            # The probe stops repeating the stack of a place after a while.
            known = self._places.get(event.place)
        if known is None:
            if len(self._warnings) >= WARNING_LIMIT:
                self.events.dropped_warnings += 1
                return
            self._share(event)
            known = self._warnings[event.key] = SeenWarning(event=event, tests={})
            self._places.setdefault(event.place, known)
        if event.id is None and known.count and self.events.starts > 1:
            return  # modules are loaded again
        known.count += 1
        if event.id is None:
            self.events.warned_outside |= event.is_deprecation
            return
        if len(known.tests) < TESTS_LIMIT:
            known.tests[self._kept.setdefault(event.id, event.id)] = None
        if event.is_deprecation:
            self.events.warned.add(self._kept.setdefault(event.id, event.id))

    def result(self) -> PassEvents:
        """Return everything seen."""
        return msgspec.structs.replace(
            self.events,
            warnings=tuple(self._warnings.values()),
            notes=tuple(self._notes),
        )


def _outcome_of(event: Report) -> str:
    if event.sub is not None:
        return "failed" if event.outcome in ("failed", "error") else ""
    if event.when in _PHASES:
        # A phase that went well says nothing about the test.
        return _OF_PHASE.get(event.outcome, event.outcome)
    return event.outcome
