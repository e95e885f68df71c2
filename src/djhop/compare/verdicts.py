"""The verdict of a hop: the whole decision table, on one screen."""

from __future__ import annotations

from typing import Literal, assert_never

from djhop.compare.changes import kind, plainly, suite
from djhop.compare.findings import Findings
from djhop.results.results import CellResult

Verdict = Literal["clean", "deprecated", "breaks", "blocked", "unknown"]

#: How far a cell came: tests ran, it died before any, its lock is blocked, it was not run.
Life = Literal["ran", "dead", "blocked", "absent"]


def life(result: CellResult) -> Life:
    """Say how far a cell came, whatever its tests said."""
    match result.status:
        case "passed" | "deprecated" | "failed" | "uncollectable" | "crashed" | "timed-out":
            ran = any(kind(plainly(test)) != "absent" for test in suite(result))
            return "ran" if ran else "dead"
        case "no-tests":
            return "dead"
        case "unresolvable" | "uninstallable":
            return "blocked"
        case "no-python" | "unsupported" | "infra" | "interrupted" | "not-run":
            return "absent"
    assert_never(result.status)


def verdict(  # noqa: PLR0911 - a table: one row, one answer
    before: CellResult, after: CellResult, found: Findings
) -> Verdict:
    """Decide a hop: the whole table. Plain outcomes decide what breaks, strict ones the rest."""
    was, now = life(before), life(after)
    match was:
        case "absent" | "blocked":
            return "unknown"
        case "dead":
            match now:
                case "blocked":
                    return "blocked"
                case "absent":
                    return "unknown"
                case "dead":
                    return "blocked" if after.forced else "unknown"
                case "ran":
                    doubtful = (found.new_failures or found.unserved) and not after.forced
                    return "unknown" if doubtful else _green(before, after, found)
        case "ran":
            match now:
                case "blocked":
                    return "blocked"
                case "absent":
                    return "unknown"
                case "dead":
                    return "blocked" if after.forced else "breaks"
                case "ran":
                    return _both_ran(before, after, found)
    assert_never(was)


def _both_ran(before: CellResult, after: CellResult, found: Findings) -> Verdict:
    if after.forced:
        return "blocked"
    if found.breaking or found.new_dead_modules:
        return "breaks"
    match cut_short(before), cut_short(after):
        case False, True:
            return "breaks"
        case True, _:
            return "unknown"
    doubt = found.still_dead_modules or found.flaky_red or found.order_dependent
    if doubt or found.unserved:
        return "unknown"
    return _green(before, after, found)


def _green(before: CellResult, after: CellResult, found: Findings) -> Verdict:
    if after.forced:
        return "blocked"
    newly = found.newly_deprecated or (strict_died(after) and not strict_died(before))
    return "deprecated" if newly else "clean"


def cut_short(result: CellResult) -> bool:
    """Whether the process ended before its suite did, so that tests may be missing."""
    return result.status in ("crashed", "timed-out")


def strict_died(result: CellResult) -> bool:
    """Whether the strict run ended outside the tests, though the plain one did not."""
    return result.status in ("deprecated", "failed") and any(
        run.mode == "strict" and run.died for run in result.passes
    )
