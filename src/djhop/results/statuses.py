"""One cell's status: the decision table, and the words that go with it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from djhop.results.outcomes import Counts

Status: TypeAlias = Literal[
    "passed",
    "deprecated",
    "failed",
    "uncollectable",
    "crashed",
    "timed-out",
    "no-tests",
    "unresolvable",
    "uninstallable",
    "no-python",
    "unsupported",
    "infra",
    "interrupted",
    "not-run",
]
#: What to type where a service does not answer.
SERVE = "djhop.toml: [service.NAME] starts what the suite needs beside it"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell's passes came to."""

    #: How the last plain pass died, or strict where there was no plain one.
    died: str = ""
    #: The test in which the process ended, if it ended in one; the first of several.
    running: str = ""
    #: How often the process was started: after it has ended in a test, for the rest.
    starts: int = 1
    #: Whether any pass was of another Django than the cell names.
    refused: bool = False
    #: A pass ended before the probe could say that it had begun.
    silent: bool = False
    #: Tests in pytest's own XML that no event tells of.
    unseen: int = 0
    #: What a service said that did not answer, where that is all that came of the suite.
    unserved: str = ""
    #: What the suite exited with, where that is bad though every test is fine.
    exit: int | None = None
    #: Outcomes without the filter, modules and classes that stand for themselves included.
    plain: Counts
    #: Those of `plain` that are modules.
    modules: int = 0
    #: Tests that are fine plainly and not strictly.
    not_strict: int = 0
    #: Tests that are fine plainly and of which nothing is known strictly.
    unknown_strict: int = 0
    #: The suite is a command that only its files tell of.
    foreign: bool = False
    #: Strict died outside the tests, or lost modules.
    strict_died: bool = False


def decide(facts: Facts) -> tuple[Status, str]:
    """Return the status and the reason, in words; "" for a cell that passed.

    What says least about the target comes first: a run that was cut short, or of which events are
    missing, has no verdict. Zero tests, or none that passed, is never green.
    """
    if early := _cut_short(facts):
        return early
    plain, died = facts.plain, facts.died
    bad = plain.failed + plain.error
    if plain.total - facts.modules - plain.not_run == 0:
        return _nothing_ran(facts)
    if plain.crashed or (died and died != "collection"):
        return ("timed-out" if died == "hang" else "crashed"), _crash(facts)
    if facts.exit or bad:
        return "failed", _failed(bad, facts)
    if plain.passed + plain.xpassed == 0:
        return "no-tests", _all_skipped(plain)
    reason = _not_strict(facts)
    return ("deprecated" if reason else "passed"), reason


def _not_strict(facts: Facts) -> str:
    if facts.not_strict:
        return f"{_number(facts.not_strict, 'test')} did not pass strictly"
    if facts.unknown_strict and not facts.foreign:
        few = _number(facts.unknown_strict, "test")
        return f"the strict filter was not in force, or not proven so, in {few}"
    return "strict died outside the tests" if facts.strict_died else ""


def _failed(bad: int, facts: Facts) -> str:
    if facts.exit:
        return f"every test is fine, and the suite exited with {facts.exit}"
    modules = facts.modules
    tests = f"{_number(bad - modules, 'test')} did not pass" if bad > modules else ""
    lost = f"{_number(modules, 'module')} cannot be collected" if modules else ""
    return ", ".join(filter(None, (tests, lost)))


def _cut_short(facts: Facts) -> tuple[Status, str] | None:
    if facts.refused:
        return "infra", "the environment holds another Django than the cell names"
    if facts.died == "interrupted":
        return "interrupted", "djhop was asked to stop"
    if facts.died == "timeout":
        where = f", in {facts.running}" if facts.running else ""
        return "timed-out", f"the suite took longer than its limit{where}"
    if facts.died == "silence":
        where = f", in {facts.running}" if facts.running else ""
        return "timed-out", f"nothing was heard of the suite for too long{where}"
    unknown = _nothing_known(facts)
    return ("infra", unknown) if unknown else None


def _nothing_known(facts: Facts) -> str:
    if facts.unserved:
        return f"no test passed, for want of a service: {facts.unserved}"
    if facts.silent:
        return "the test process did not start; the end of its log says why"
    if facts.unseen:
        return f"pytest's XML has {_number(facts.unseen, 'test')} that no event tells of"
    return ""


def _nothing_ran(facts: Facts) -> tuple[Status, str]:
    if facts.modules or facts.died in ("import", "collection"):
        return "uncollectable", "no test ran: the suite cannot be loaded"
    if facts.died:
        return "crashed", "the process ended before any test"
    if facts.foreign:
        return "no-tests", "the command ended well, and no file that `junit` names has a test"
    return "no-tests", "the suite has no tests"


def _crash(facts: Facts) -> str:
    plain, died = facts.plain, facts.died
    rest = f", {_number(plain.not_run, 'test')} not run" * bool(plain.not_run)
    if plain.crashed:
        test = facts.running or "a test"
        how = f"{test} took too long" if died == "hang" else f"the process died in {test}"
        if plain.crashed > 1:
            how += f" ({plain.crashed} tests in all died or took too long)"
        again = "; the rest ran after a new start" * (facts.starts > 1 and not rest)
        return f"{how}{rest}{again}"
    how = "stopped itself" if died == "stopped" else "ended without saying so"
    return f"the run {how}{rest}"


def _all_skipped(plain: Counts) -> str:
    words = {"skipped": plain.skipped, "expected to fail": plain.xfailed, "not run": plain.not_run}
    return "no test passed: " + ", ".join(f"{n} {word}" for word, n in words.items() if n)


def _number(n: int, what: str) -> str:
    return f"{n} {what}" + "s" * (n != 1)
