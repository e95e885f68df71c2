"""A bisect in one paragraph, to be pasted into an issue; pure."""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from djhop.store.blame import Blame, Culprit, Way


def text(blame: Blame) -> str:
    """Say what broke, what did it, and on what evidence."""
    links = [one.link for way in blame.ways for one in way.culprits if one.link]
    parts = (_what(blame), answer(blame), *links, _evidence(blame), f"Again: {blame.reproduce}")
    return " ".join(parts)


def answer(blame: Blame) -> str:
    """Say what did it, or why nothing can be blamed."""
    match blame.outcome:
        case "found":
            several = " Each of these is enough by itself." if len(blame.ways) > 1 else ""
            return " ".join(_way(way) for way in blame.ways) + several
        case "same":
            return f"There is nothing to search for: {blame.reason}."
        case "flaky":
            return f"It is flaky, so nothing can be blamed: {blame.reason}."
        case "stopped":
            return f"The search was not finished: {blame.reason}."
    assert_never(blame.outcome)


def _what(blame: Blame) -> str:
    """The failure, where, and in which tests."""
    failure = ": ".join(filter(None, (blame.exception, blame.message)))
    where = f" at {blame.place}" if blame.place else ""
    strictly = ", under error::DeprecationWarning" if blame.mode == "strict" else ""
    tests = "" if not blame.behind else f" ({_number(blame.behind, 'test')}{_example(blame)})"
    return f"{failure}{where}{tests}{strictly}."


def _example(blame: Blame) -> str:
    return f"{': ' if blame.behind == 1 else ', e.g. '}{blame.tests[0]}" if blame.tests else ""


def _way(way: Way) -> str:
    if len(way.culprits) == 1:
        return _culprit(way.culprits[0])
    names = " and ".join(one.name for one in way.culprits)
    told = " ".join(_culprit(one) for one in way.culprits)
    return f"It takes {names} together; none of them is seen to be enough alone. {told}"


def _culprit(one: Culprit) -> str:
    return f"{_moved(one)}{_skipped(one)}{_along(one)}."


def _moved(one: Culprit) -> str:
    if not one.good:
        return f"It comes with {one.name} {one.bad}, which was not there before"
    if not one.bad:
        return f"It comes with the removal of {one.name} {one.good}"
    return f"{one.name} {one.good} is the last good release and {one.name} {one.bad} the first bad"


def _skipped(one: Culprit) -> str:
    """What lies between and could not be judged: the answer is a range."""
    if not one.skipped:
        return ""
    few = "; ".join(one.skipped[:3])
    more = f"; and {len(one.skipped) - 3} more" if len(one.skipped) > 3 else ""
    return f", as far as can be told: what is between could not be judged ({few}{more})"


def _along(one: Culprit) -> str:
    return f"; with it moved {', '.join(one.along)}" if one.along else ""


def _evidence(blame: Blame) -> str:
    """How many runs, and both boundaries."""
    runs = Counter(one.answer for one in blame.tried)
    of = ", ".join(f"{runs[answer]} {answer}" for answer in ("good", "bad", "skip") if runs[answer])
    told = f"Evidence: {_number(len(blame.tried), 'run')} of {_tests(blame)} ({of})"
    times = {one.times for way in blame.ways for one in way.culprits}
    if times and max(times) > 1:
        told += f", last good and first bad {max(times)} times each with one answer"
    return f"{told}."


def _tests(blame: Blame) -> str:
    return _number(len(blame.tests), "test") if blame.tests else "the suite"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + "s" * (count != 1)
