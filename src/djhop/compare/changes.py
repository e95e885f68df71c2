"""One test on both sides of a hop → what changed; the decision table for a single test."""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec

from djhop.compare.fingerprints import same_root
from djhop.results.owners import NO_SERVICE
from djhop.results.results import CellResult, Outcome, Test

#: An outcome, as far as a comparison needs it. "excused": expected to fail.
Kind = Literal["passed", "excused", "failed", "skipped", "absent"]

#: "gone": it did not pass before, and now it is not there, skipped or excused. Listed, no break.
Change = Literal[
    "same",
    "broke",
    "broke-differently",
    "fixed",
    "newly-deprecated",
    "vanished",
    "appeared",
    "newly-skipped",
    "flaky",
    "gone",
]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One test in one cell: how it went plainly and strictly."""

    plain: Kind = "absent"
    strict: Kind = "absent"
    flaky: bool = False


def kind(outcome: Outcome | None) -> Kind:
    """Sort an outcome into the few kinds a comparison needs."""
    match outcome:
        case None | "not-run":
            return "absent"
        case "passed" | "skipped":
            return outcome
        case "xfailed" | "xpassed":
            return "excused"
        case "failed" | "error" | "crashed":
            return "failed"


def plainly(test: Test) -> Outcome | None:
    """Return a test's plain outcome; what did not fail strictly is not run again plainly."""
    if test.plain is not None:
        return test.plain
    return test.strict if kind(test.strict) != "failed" else None


def suite(result: CellResult) -> tuple[Test, ...]:
    """Return the tests of a cell without the modules and classes that stand for themselves.

    What cannot be loaded is an error under its own name beside the tests (`outcomes.merge`).
    """
    outside = {name for name, _ in result.failures}
    return tuple(test for test in result.tests if test.id not in outside)


def dead_modules(result: CellResult) -> tuple[str, ...]:
    """Return the modules and classes that cannot be loaded, strictness aside."""
    outside = {name for name, _ in result.failures}
    found = (test for test in result.tests if test.id in outside)
    return tuple(test.id for test in found if kind(plainly(test)) == "failed")


def seen(test: Test | None) -> Seen:
    """What was seen of `test` in a cell; None: it is not there."""
    if test is None:
        return Seen()
    return Seen(plain=kind(plainly(test)), strict=kind(test.strict), flaky=test.flaky)


def change(  # noqa: PLR0911, PLR0912 - a table: one row, one answer
    before: Seen, after: Seen, *, same_reason: bool
) -> Change:
    """Decide what a hop did to one test; `same_reason` counts where it fails on both sides.

    Plain outcomes decide; strict ones only tell `newly-deprecated` from `same`. A flaky test that
    is still there is neither broken nor clean, unless it fails every time after.
    """
    if "absent" not in (before.plain, after.plain):
        if after.flaky or (before.flaky and after.plain != "failed"):
            return "flaky"
        if before.flaky:
            return "broke"
    match before.plain:
        case "absent":
            return "same" if after.plain == "absent" else "appeared"
        case "passed":
            return _from_passed(before, after)
        case "excused":
            match after.plain:
                case "passed":
                    return "fixed"
                case "excused" | "skipped":
                    return "same"
                case "failed":
                    return "broke-differently"
                case "absent":
                    return "gone"
        case "failed":
            match after.plain:
                case "passed":
                    return "fixed"
                case "failed":
                    return "same" if same_reason else "broke-differently"
                case "excused" | "skipped" | "absent":
                    return "gone"
        case "skipped":
            match after.plain:
                case "passed" | "excused" | "failed":
                    return "appeared"
                case "skipped":
                    return "same"
                case "absent":
                    return "gone"
    assert_never(before.plain)


def _from_passed(before: Seen, after: Seen) -> Change:
    match after.plain:
        case "passed":
            newly = before.strict == "passed" and after.strict not in ("passed", "absent")
            return "newly-deprecated" if newly else "same"
        case "excused" | "skipped":
            return "newly-skipped"
        case "failed":
            return "broke"
        case "absent":
            return "vanished"


def unserved(*sides: Test | None) -> bool:
    """Whether a test fails on any of the sides only because a service does not answer."""
    failing = [test for test in sides if test is not None and kind(plainly(test)) == "failed"]
    return any(test.failure is not None and test.failure.why == NO_SERVICE for test in failing)


def same_reason(before: Test | None, after: Test | None) -> bool:
    """Whether a test that fails on both sides fails for one reason, as far as was recorded."""
    if before is None or after is None:
        return False
    if before.failure is None or after.failure is None:
        return plainly(before) == plainly(after)
    return same_root(before.failure, after.failure)
