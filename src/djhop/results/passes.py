"""One process that ran the suite, and which further one is needed to know what each test does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from djhop.results.eventlog import Seen
from djhop.results.events import PassEvents

if TYPE_CHECKING:
    from djhop.processes.process import Completed

Mode = Literal["strict", "plain", "scoped"]

#: Outcomes with which nobody is unhappy. An unexpected success is one for pytest only: where it
#: is an error, pytest says "failed".
FINE = frozenset({"passed", "skipped", "xfailed"})
#: How a pass dies that must not be followed by another.
FINAL = frozenset({"interrupted", "timeout", "silence", "refused"})
#: pytest's exit code where nothing was collected: a status of its own says so.
NO_TESTS = 5
_OUTSIDE = frozenset({"import", "collection", "stopped"})


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the suite: a process, and where a test ended that, further ones for the rest."""

    mode: Mode
    argv: tuple[str, ...] = ()
    #: Of the process that ended in a test, the first such; else of the only one.
    returncode: int | None = None
    #: How many processes were started.
    starts: int = 1
    seconds: float = 0.0
    #: Tests finished.
    ran: int = 0
    #: "" | "collection" | "import" | "crash" | "timeout" | "no-end" | "stopped" (by the suite
    #: itself, before all tests ran) | "interrupted" | "refused": why it ended before its suite. Of
    #: a process that a test ended: "crash", or "hang" (the test took too long); with the suite at
    #: "silence", when nothing was heard of it for too long.
    died: str = ""
    #: False where the strict filter was not in force in at least one test.
    canary: bool = True
    #: The test that was running when the process ended; the first, of several.
    running: str = ""
    log: str = ""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A finished pass and what its log says."""

    info: Pass
    events: PassEvents
    #: Tests in the JUnit XML of pytest; None where there is none.
    xml_tests: int | None = None

    @property
    def ended_badly(self) -> bool:
        """Whether the suite's own exit code is bad though it ended with every test fine."""
        events = self.events
        found = outcomes(self)
        well = (0, None, NO_TESTS) if events.framework.startswith("pytest") else (0, None)
        bad = bool(found) and not self.info.died and events.code not in well
        explained = (s for s in found.values() if s.outcome != "not-run")
        return bad and all(fine(seen, events.framework) for seen in explained)

    @property
    def foreign(self) -> bool:
        """Whether it is a command that only its files tell of: see `results.foreign`."""
        return self.events.framework == "command"

    @property
    def outside(self) -> bool:
        """Whether it died, or lost modules, outside of any test."""
        died = self.info.died
        return (
            died in _OUTSIDE
            or (died in ("crash", "no-end") and not self.info.running)
            or bool(self.events.collect_errors)
        )


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """A pass to run."""

    mode: Mode
    why: str = ""


def finish(
    mode: Mode,
    completed: Completed,
    events: PassEvents,
    *,
    xml_tests: int | None = None,
    log: str = "",
    died: str = "",
) -> Ran:
    """Describe a pass that has ended; `died` is why, where that is known."""
    running = next(iter((*events.ends, *events.running)), "")
    passed = any(seen.outcome == "passed" for seen in events.tests.values())
    info = Pass(
        mode=mode,
        argv=completed.argv,
        returncode=completed.returncode,
        starts=max(events.starts, 1),
        seconds=completed.seconds,
        ran=events.ran,
        died=died or _in_a_test(completed, events) or _died(completed, events),
        canary=mode == "plain" or not (events.canary_failed or (passed and not events.canary_ok)),
        running=running,
        log=log,
    )
    return Ran(info=info, events=events, xml_tests=xml_tests)


def _in_a_test(completed: Completed, events: PassEvents) -> str:
    """ "crash" or "hang", where processes ended in tests and the pass went on; else ""."""
    if completed.interrupted or completed.timed_out or not events.ends:
        return ""
    return "crash" if "crash" in events.ends.values() else "hang"


def _died(completed: Completed, events: PassEvents) -> str:
    if completed.interrupted or completed.timed_out:
        return "interrupted" if completed.interrupted else "timeout"
    if events.refused:
        return "refused"
    if not events.tests and events.collect_errors:
        return "collection"
    if not events.tests and (events.fatal or (events.ended and events.code not in (0, 5, None))):
        return "import"
    if not events.ended:
        return "crash" if completed.returncode or events.running else "no-end"
    broken = tuple(events.class_errors)
    lost = (t for t in events.collected if t not in events.tests)
    return "stopped" if any(not any(_in(t, name) for name in broken) for t in lost) else ""


def outcomes(ran: Ran) -> dict[str, Seen]:
    """Return what happened to each test of a pass, in run order.

    A test that began and never ended has crashed the process, unless it is known which one of
    several has. The tests of a class whose setUpClass
    failed are errors, and so is, under its own name, a class whose tearDownClass failed and a
    module that could not be collected. What was collected and never began was not run.
    """
    events = ran.events
    found = {test_id: Seen(outcome="not-run") for test_id in events.collected}
    for test_id, seen in events.tests.items():
        # xdist reports for a worker that died, in a phase of that name.
        unfinished = seen.open and (not seen.outcome or ran.info.died or seen.when == "???")
        if unfinished:
            victim = bool(events.ends) and seen.when != "???"
            outcome = "not-run" if victim or ran.info.died == "interrupted" else "crashed"
            found[test_id] = msgspec.structs.replace(seen, outcome=outcome)
        else:
            found[test_id] = seen if seen.outcome else Seen(outcome="not-run")
    for name, (exc, when) in events.class_errors.items():
        below = [t for t, seen in found.items() if seen.outcome == "not-run" and _in(t, name)]
        # Nobody below to carry it: the class stands for itself.
        for test_id in below or [name]:
            found[test_id] = Seen(outcome="error", exc=exc, when=when)
    for name, exc in events.collect_errors.items():
        found[name] = Seen(outcome="error", exc=exc, when="collect")
    return found


def done(events: PassEvents) -> tuple[str, ...]:
    """Name the tests that are not to be run again when the process has ended in one of them."""
    broken = tuple(events.class_errors)
    running = frozenset(events.running)
    ended = {t for t, seen in events.tests.items() if seen.outcome and t not in running}
    return tuple(t for t in events.collected if t in ended or any(_in(t, n) for n in broken))


def _in(test_id: str, name: str) -> bool:
    return test_id.startswith((f"{name}.", f"{name}::"))


def fine(seen: Seen | None, framework: str = "pytest") -> bool:
    """Whether nobody is unhappy with what happened to a test."""
    if seen is None:
        return False
    return seen.outcome in FINE or (seen.outcome == "xpassed" and framework.startswith("pytest"))


def next_pass(runs: Sequence[Ran]) -> Next | None:
    """Say which pass is needed after those that have run, strict first; None when all is known.

    After a strict pass that ended well, with every test fine and no deprecation raised, nothing is:
    the filter made no difference. One that was raised and hurt no test may still have made it pass,
    or skip, or may have been expected: only a plain run tells.

    Else the whole suite runs plainly. Running only what did not pass would be quicker, and wrong
    both ways: tests depend on those before them, for better and for worse. Where strict died
    outside the tests, or lost modules there that load plainly, and any test ran plainly, it runs a
    third time, strictly inside each test's call ("scoped").
    """
    strict, last = runs[0], runs[-1]
    if last.info.died in FINAL:
        return None
    plain = [ran for ran in runs if ran.info.mode == "plain"]
    if not plain:
        return _first_plain(strict)
    scoped = any(ran.info.mode == "scoped" for ran in runs)
    lost = strict.outside and not strict.foreign and not _lost_alike(strict, plain[-1])
    if lost and plain[-1].info.ran and not scoped:
        return Next(mode="scoped", why="strict died outside the tests")
    return None


def _lost_alike(strict: Ran, plain: Ran) -> bool:
    """Whether all that strict lost outside the tests are modules that plain has lost as well."""
    lost = strict.events.collect_errors.keys()
    return not strict.info.died and lost <= plain.events.collect_errors.keys()


def _first_plain(strict: Ran) -> Next | None:
    if strict.outside:
        return Next(mode="plain", why="strict died outside the tests")
    if strict.foreign:
        return Next(mode="plain", why="what was raised and hurt no test is not known")
    found = outcomes(strict)
    bad = [test_id for test_id, seen in found.items() if not fine(seen, strict.events.framework)]
    if bad:
        return Next(mode="plain", why=f"{len(bad)} did not pass")
    if strict.ended_badly:
        return Next(mode="plain", why="strict ended badly though every test is fine")
    if strict.events.raised:
        return Next(mode="plain", why="a deprecation was raised though every test is fine")
    return None


def unproven(ran: Ran) -> frozenset[str] | None:
    """Name the tests in which the strict filter was not in force; None stands for every test."""
    if ran.info.canary:
        return frozenset()
    failed = ran.events.canary_failed
    return frozenset(failed) if failed and "" not in failed else None
