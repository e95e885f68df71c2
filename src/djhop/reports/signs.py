"""Statuses, verdicts and owners → the sign, tone and words every report uses for them."""

from __future__ import annotations

from typing import Literal, assert_never

from djhop.compare.verdicts import Verdict
from djhop.reports.clean import one_line
from djhop.results.results import Owner, Status

#: What a colour means; a sign always says the same, for those who see no colour.
Tone = Literal["good", "warn", "bad", "blocked", "unknown"]

SIGNS: dict[Tone, str] = {"good": "✓", "warn": "!", "bad": "✗", "blocked": "■", "unknown": "?"}


def tone_of_status(status: Status) -> Tone:
    """The tone of a cell."""
    match status:
        case "passed":
            return "good"
        case "deprecated":
            return "warn"
        case "failed" | "uncollectable" | "crashed" | "timed-out" | "no-tests":
            return "bad"
        case "unresolvable" | "uninstallable":
            return "blocked"
        case "no-python" | "unsupported" | "infra" | "interrupted" | "not-run":
            return "unknown"
    assert_never(status)


def tone_of_verdict(verdict: Verdict) -> Tone:
    """The tone of a hop."""
    match verdict:
        case "clean":
            return "good"
        case "deprecated":
            return "warn"
        case "breaks":
            return "bad"
        case "blocked":
            return "blocked"
        case "unknown":
            return "unknown"
    assert_never(verdict)


def owner(who: Owner) -> str:
    """Say whose code it is: "your code", "django-filter", "Django"."""
    match who.kind:
        case "project":
            return "your code"
        case "package":
            return one_line(who.name, 60) or "a package"
        case "django":
            return "Django"
        case "python":
            return "Python"
        case "environment":
            return "the environment"
    assert_never(who.kind)


def number(count: int, one: str, many: str = "") -> str:
    """Say how many of what: "1 test", "1,530 tests"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(items: list[str]) -> str:
    """Join words as a sentence does: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""
