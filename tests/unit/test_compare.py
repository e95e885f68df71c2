"""The decision tables, by enumeration against oracles that were written on their own."""

from __future__ import annotations

import itertools
from typing import get_args

import msgspec
import pytest

from djhop.compare.changes import change, same_reason, seen
from djhop.compare.compare import Comparison, compare, exit_code, judge
from djhop.compare.findings import find
from djhop.compare.fingerprints import fingerprint
from djhop.errors import ExitCode
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import Move, moves
from djhop.results.owners import NO_SERVICE
from djhop.results.results import CellResult, Failure, Outcome, Owner, Pass, Status
from djhop.results.results import Test as Case

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = Hop(before=OLD, after=NEW, axis="django")
OUTCOMES: tuple[Outcome | None, ...] = (None, *get_args(Outcome))
STATUSES: tuple[Status, ...] = get_args(Status)


def failure(message: str = "boom", **more: object) -> Failure:
    return Failure(exception="ValueError", message=message, owner=Owner("project"), **more)


def before(*tests: Case, status: Status = "passed", **more: object) -> CellResult:
    return CellResult(id=OLD.id, django="4.2", python="3.12", status=status, tests=tests, **more)


def after(*tests: Case, status: Status = "passed", **more: object) -> CellResult:
    return CellResult(id=NEW.id, django="5.2", python="3.12", status=status, tests=tests, **more)


def good(name: str = "a") -> Case:
    return Case(id=name, strict="passed", plain="passed")


def bad(name: str = "a", message: str = "boom") -> Case:
    return Case(id=name, strict="failed", plain="failed", failure=failure(message))


def skip(name: str = "a", reason: str = "") -> Case:
    return Case(id=name, strict="skipped", plain="skipped", skip_reason=reason)


# One test.


def expected_change(was: Case, now: Case, same: bool) -> str:
    """The rules of design.md, one after the other, over plain sets."""
    ok, expected, red = {"passed"}, {"xfailed", "xpassed"}, {"failed", "error", "crashed"}
    b = was.plain or (was.strict if was.strict not in red else None)
    a = now.plain or (now.strict if now.strict not in red else None)
    there_before, there_after = b not in (None, "not-run"), a not in (None, "not-run")
    if not there_before and not there_after:
        return "same"
    if there_before and not there_after:
        return "vanished" if b in ok else "gone"
    if there_after and not there_before:
        return "appeared"
    if now.flaky or (was.flaky and a not in red):
        return "flaky"
    if a in red:
        if b in ok or was.flaky:
            return "broke"
        if b == "skipped":
            return "appeared"
        return "same" if b in red and same else "broke-differently"
    if a in ok:
        if b in ok:
            hidden = (None, "not-run", "passed")
            return (
                "newly-deprecated"
                if was.strict == "passed" and now.strict not in hidden
                else "same"
            )
        return "appeared" if b == "skipped" else "fixed"
    if b in ok:
        return "newly-skipped"
    if b in red:
        return "gone"
    return "appeared" if b == "skipped" and a in expected else "same"


def test_every_pair_of_outcomes() -> None:
    pairs = itertools.product(OUTCOMES, OUTCOMES, OUTCOMES, OUTCOMES, (False, True), (False, True))
    for strict_was, plain_was, strict_now, plain_now, flaky, same in pairs:
        was = Case(id="a", strict=strict_was, plain=plain_was, flaky=flaky)
        now = Case(id="a", strict=strict_now, plain=plain_now)
        found = change(seen(was), seen(now), same_reason=same)
        assert found == expected_change(was, now, same), (was, now, same)


def test_every_change_is_reachable() -> None:
    cases = {
        "same": (good(), good()),
        "broke": (good(), bad()),
        "broke-differently": (bad(), bad(message="bang")),
        "fixed": (bad(), good()),
        "newly-deprecated": (good(), Case(id="a", strict="failed", plain="passed")),
        "vanished": (good(), None),
        "appeared": (None, good()),
        "newly-skipped": (good(), skip()),
        "flaky": (good(), Case(id="a", strict="failed", plain="failed", flaky=True)),
        "gone": (skip(), None),
    }
    for expected, (was, now) in cases.items():
        reason = same_reason(was, now)
        assert change(seen(was), seen(now), same_reason=reason) == expected


# Two cells.


def shapes(status: Status) -> list[tuple[Case, ...]]:
    """The tests a cell of this status can have."""
    match status:
        case "passed":
            return [(good("a"), good("b"))]
        case "deprecated":
            return [(good("a"), Case(id="b", strict="failed", plain="passed"))]
        case "failed":
            return [(good("a"), bad("b")), (bad("a"), good("b"))]
        case "crashed" | "timed-out":
            return [(), (good("a"), Case(id="b", plain="not-run"))]
        case "uncollectable" | "no-tests":
            return [()]
        case _:
            return [()]


def expected_verdict(was: CellResult, now: CellResult) -> str:
    """The rules of the verdicts as sentences, over status and the ids that pass."""
    nothing = {"no-python", "unsupported", "infra", "interrupted", "not-run"}
    locked = {"unresolvable", "uninstallable"}
    if was.status in nothing | locked or now.status in nothing:
        return "unknown"
    if now.status in locked:
        return "blocked"
    passed_before = {t.id for t in was.tests if t.plain == "passed"}
    passed_after = {t.id for t in now.tests if t.plain == "passed"}
    failed_after = {t.id for t in now.tests if t.plain == "failed"}
    if now.forced:
        return "blocked"
    if not was.tests and not now.tests:
        return "unknown"
    if not was.tests:
        green = "deprecated" if strict_dead(now) else "clean"
        return "unknown" if failed_after else green
    if not now.tests or passed_before - passed_after:
        return "breaks"
    if now.status in ("crashed", "timed-out") and was.status not in ("crashed", "timed-out"):
        return "breaks"
    if failed_after - {t.id for t in was.tests if t.plain in ("passed", "failed")}:
        return "breaks"
    if was.status in ("crashed", "timed-out"):
        return "unknown"
    strict_before = {t.id for t in was.tests if t.strict == "passed"}
    newly = {t.id for t in now.tests if t.strict == "failed"} & strict_before & passed_after
    return "deprecated" if newly or (strict_dead(now) and not strict_dead(was)) else "clean"


def strict_dead(cell: CellResult) -> bool:
    return any(one.died for one in cell.passes)


def test_every_pair_of_statuses() -> None:
    reached = set()
    dead_strict = (Pass(mode="strict", died="import"),)
    for status_was, status_now in itertools.product(STATUSES, STATUSES):
        for tests_was, tests_now in itertools.product(shapes(status_was), shapes(status_now)):
            for forced, died in itertools.product((False, True), (False, True)):
                passes = dead_strict if died and status_now == "deprecated" else ()
                was = before(*tests_was, status=status_was)
                now = after(*tests_now, status=status_now, forced=forced, passes=passes)
                result = judge(was, now, HOP)
                assert result.verdict == expected_verdict(was, now), (was, now)
                assert result.reason, (was, now)
                reached.add(result.verdict)
    assert reached == {"clean", "deprecated", "breaks", "blocked", "unknown"}


def test_dead_run_is_one_break_with_one_cause() -> None:
    ids = [f"tests.TestA.test_{n}" for n in range(300)]
    dead = after(status="uncollectable", failures=(("plain", failure("no url")),))
    result = judge(before(*map(good, ids)), dead, HOP, reproduce=lambda c, t: f"run {c} {t}")
    assert result.verdict == "breaks"
    assert result.vanished == tuple(ids)
    assert len(result.causes) == 1
    group = result.groups[0]
    assert (group.tests, group.example, group.modules) == (300, ids[0], ())
    assert group.reproduce == f"run {NEW.id} {ids[0]}"
    assert "300 tests passed before" in result.reason


def test_red_tests_that_vanish_are_no_break() -> None:
    result = judge(before(good("a"), bad("b"), skip("c")), after(good("a")), HOP)
    assert result.verdict == "clean"
    assert result.gone == ("b", "c")
    assert result.vanished == ()


def test_passes_that_turn_into_skips_break() -> None:
    result = judge(before(good("a"), good("b")), after(good("a"), skip("b", "no lxml")), HOP)
    assert result.verdict == "breaks"
    assert result.newly_skipped == ("b",)
    assert result.skip_reasons == {"no lxml": 1}
    assert result.causes == ()


def test_modules_that_stand_for_themselves_are_no_tests() -> None:
    module = bad("tests/test_b.py")
    now = after(good("tests/test_a.py::a"), module, status="failed",
                failures=((module.id, failure()),))  # fmt: skip
    was = before(good("tests/test_a.py::a"), good("tests/test_b.py::b"), good("tests/test_b.py::c"))
    result = judge(was, now, HOP)
    assert result.vanished == ("tests/test_b.py::b", "tests/test_b.py::c")
    assert result.new_dead_modules == ("tests/test_b.py",)
    assert (result.broke, result.new_failures, result.appeared) == ((), (), ())
    assert [(g.tests, g.modules) for g in result.groups] == [(2, ("tests/test_b.py",))]
    # The same module dead on both sides: what is in it has not been seen, so nothing is clean.
    again = judge(msgspec.structs.replace(now, id=OLD.id), now, HOP)
    assert (again.verdict, again.still_dead_modules) == ("unknown", ("tests/test_b.py",))
    assert "tests/test_b.py loads on neither side" in again.reason
    # A cell of dead modules alone ran no test.
    dead = after(module, status="uncollectable", failures=((module.id, failure()),))
    assert judge(was, dead, HOP).vanished == tuple(test.id for test in was.tests)


def test_strict_run_that_newly_dies_is_deprecated() -> None:
    warned = failure("url() is deprecated", warning="RemovedInDjango40Warning")
    now = after(good("a"), status="deprecated", passes=(Pass(mode="strict", died="import"),),
                failures=(("strict", warned),))  # fmt: skip
    result = judge(before(good("a")), now, HOP)
    assert result.verdict == "deprecated"
    assert [group.tests for group in result.deprecation_groups] == [0]
    assert result.causes == ()
    assert judge(msgspec.structs.replace(now, id=OLD.id), now, HOP).verdict == "clean"


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        ((good("a"),), "; tests pass when forced"),
        ((bad("a"),), "; 1 test breaks when forced"),
        ((), "; no test runs when forced"),
    ],
)
def test_forced_lock_is_blocked_and_says_what_the_tests_do(
    tests: tuple[Case, ...], words: str
) -> None:
    status: Status = "failed" if tests else "uncollectable"
    oscar = Blocker(package="oscar", version="3.2", constraint="django<5", first_allowing="4.0")
    now = after(*tests, status=status, forced=True, blockers=(oscar,))
    result = judge(before(good("a")), now, HOP)
    assert result.verdict == "blocked"
    assert result.blockers == (oscar,)
    opening = "oscar 3.2 requires django<5"
    assert result.reason == opening + words


def test_a_blocker_that_stood_before_the_hop_is_still_there() -> None:
    """A hop to another Python is no second verdict about the same cap."""
    oscar, beat = (
        Blocker(package=n, version="3.2", constraint="django<4") for n in ("oscar", "beat")
    )
    now = after(good("a"), forced=True, blockers=(oscar,))
    for known, said in (((oscar,), "still: "), ((beat,), ""), ((oscar, beat), "still: ")):
        result = judge(before(good("a"), forced=True, blockers=known), now, HOP)
        words = f"{said}oscar 3.2 requires django<4; tests pass when forced"
        assert (result.verdict, result.reason) == ("blocked", words)
    both = msgspec.structs.replace(now, blockers=(oscar, beat))
    new = judge(before(good("a"), forced=True, blockers=(oscar,)), both, HOP)
    assert new.reason.startswith("2 packages do not allow it")


def test_a_forced_cell_that_was_cut_short_does_not_pass() -> None:
    now = after(good("a"), status="crashed", forced=True)
    reason = judge(before(good("a")), now, HOP).reason
    assert reason == "the metadata of a package was overruled; the run crashed when forced"


def test_of_several_blockers_the_names_are_said() -> None:
    two = tuple(Blocker(package=n, version="1", constraint="django<5") for n in ("oscar", "beat"))
    now = after(good("a"), forced=True, blockers=two)
    reason = judge(before(good("a")), now, HOP).reason
    assert reason == "2 packages do not allow it: oscar, beat; tests pass when forced"


def test_alive_after_dead_is_fixed() -> None:
    result = judge(before(status="uncollectable"), after(good("a"), skip("b")), HOP)
    assert (result.verdict, result.fixed) == ("clean", ("a",))


@pytest.mark.parametrize(("message", "words"), [("x", "the same reason"), ("y", "of its own")])
def test_both_sides_dead(message: str, words: str) -> None:
    was = before(status="uncollectable", failures=(("plain", failure("x")),))
    now = after(status="uncollectable", failures=(("plain", failure(message)),))
    result = judge(was, now, HOP)
    assert result.verdict == "unknown"
    assert words in result.reason
    assert len(result.causes) == 1


def test_ids_that_differ_in_an_address_alone_are_one_test() -> None:
    was = before(good("t.py::a[<X object at 0x7f01>]"), good("t.py::a[<X object at 0x7f02>]"))
    now = after(good("t.py::a[<X object at 0x7f11>]"), bad("t.py::a[<X object at 0x7f12>]"))
    result = judge(was, now, HOP)
    assert (result.vanished, result.appeared) == ((), ())
    assert result.broke == ("t.py::a[<X object at 0x7f02>]",)
    assert result.groups[0].tests == 1
    fewer = after(good("t.py::a[<X object at 0x7f11>]"))
    assert len(judge(was, fewer, HOP).vanished) == 2
    numbers = find(before(good("t.py::a[1]")), after(good("t.py::a[2]")))
    assert numbers.vanished == ("t.py::a[1]",)


def test_a_check_on_the_same_line_is_the_same_check() -> None:
    def red(message: str, place: str) -> Case:
        why = Failure(
            exception="AssertionError", message=message, owner=Owner("project"), place=place
        )
        return Case(id="a", plain="failed", strict="failed", failure=why)

    was = red("'<p>' != '<div>'", "tests.py:4")
    same = judge(before(was), after(red("'<p id>' != '<div>'", "tests.py:4")), HOP)
    other = judge(before(was), after(red("'<p id>' != '<div>'", "tests.py:9")), HOP)
    assert (same.verdict, same.still_failing) == ("clean", 1)
    assert same.reason.endswith("; 1 test fails before and after")
    assert other.broke_differently == ("a",)


def test_moves() -> None:
    old = {
        "Django": "4.2.1",
        "asgiref": "3.7",
        "pytz": "2024.1",
        "x": "git+https://a",
        "zope_a": "1.0",
    }
    new = {"django": "5.2", "asgiref": "3.6", "tzdata": "1", "x": "git+https://b", "zope.a": "1.0"}
    assert moves(old, new, {"Asgiref": "asked"}) == (
        Move(package="django", before="4.2.1", after="5.2", direction="upgraded", major=True),
        Move(package="asgiref", before="3.7", after="3.6", direction="downgraded", why="asked"),
        Move(package="pytz", before="2024.1", after=None, direction="removed"),
        Move(package="tzdata", before=None, after="1", direction="added"),
        Move(package="x", before="git+https://a", after="git+https://b", direction="changed"),
    )


# The whole matrix.

PLAN = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(HOP,))


def code(was: CellResult | None, now: CellResult | None) -> ExitCode:
    found = {cell.id: cell for cell in (was, now) if cell is not None}
    return exit_code(compare(PLAN, found))


def test_exit_codes() -> None:
    assert code(before(good()), after(good())) is ExitCode.OK
    assert code(before(bad(), status="failed"), after(bad(), status="failed")) is ExitCode.OK
    assert code(before(good()), after(bad(), status="failed")) is ExitCode.BREAKS
    allowed = after(bad(), status="failed", allow_failure=True)
    assert code(before(good()), allowed) is ExitCode.OK
    assert judge(before(good()), allowed, HOP).verdict == "breaks"
    assert code(before(good()), after(status="unresolvable")) is ExitCode.BLOCKED
    assert code(before(good()), after(good(), forced=True)) is ExitCode.BLOCKED
    assert code(before(good()), after(status="no-python")) is ExitCode.INCOMPLETE
    assert code(before(good()), None) is ExitCode.INCOMPLETE
    assert code(before(status="no-tests"), after(status="no-tests")) is ExitCode.NO_TESTS
    assert code(before(good()), after(status="no-tests")) is ExitCode.BREAKS
    dead = (before(status="uncollectable"), after(status="uncollectable"))
    assert code(*dead) is ExitCode.INCOMPLETE
    assert code(before(good()), after(status="interrupted")) is ExitCode.INTERRUPTED
    assert exit_code(Comparison()) is ExitCode.OK


def test_every_status_has_an_exit_code() -> None:
    for status in STATUSES:
        assert exit_code(Comparison(statuses={"a": status})) in ExitCode


def test_compare_counts_missing_cells_as_not_run_and_gathers_causes() -> None:
    result = compare(PLAN, {OLD.id: before(good("a"), bad("r"), status="failed")})
    assert result.statuses[NEW.id] == "not-run"
    assert result.hops[0].verdict == "unknown"
    assert [cause.tests for cause in result.causes] == [("r",)]
    both = compare(PLAN, {OLD.id: before(good("a")), NEW.id: after(bad("a"), status="failed")})
    assert both.causes[0].hops == (HOP.id,)
    assert both.hops[0].causes == (both.causes[0].id,)


# Red cells by themselves.


def test_red_cell_without_a_hop_says_why() -> None:
    plan = Plan(cells=(NEW,), path=(NEW,), hops=())
    cell = after(bad("a"), bad("b"), good("c"), bad("d", "bang"), status="failed")
    found = compare(plan, {NEW.id: cell}, reproduce=lambda cell, test: f"{cell} {test}")
    groups = found.standing[NEW.id]
    assert [(g.tests, g.example, g.reproduce) for g in groups] == [
        (2, "a", f"{NEW.id} a"),
        (1, "d", f"{NEW.id} d"),
    ]
    assert {g.cause for g in groups} <= {cause.id for cause in found.causes}


def test_dead_cell_without_a_hop_says_why() -> None:
    plan = Plan(cells=(NEW,), path=(NEW,), hops=())
    dead = after(status="no-tests", reason="no test was found")
    found = compare(plan, {NEW.id: dead})
    (group,) = found.standing[NEW.id]
    (cause,) = [cause for cause in found.causes if cause.id == group.cause]
    assert (group.tests, cause.exception, cause.message) == (0, "no-tests", "no test was found")


def test_what_a_hop_or_an_earlier_cell_says_is_not_said_again() -> None:
    plan = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(HOP,))
    old = before(good("a"), bad("b", "always"), status="failed")
    new = after(bad("a"), bad("b", "always"), status="failed")
    found = compare(plan, {OLD.id: old, NEW.id: new})
    assert list(found.standing) == [OLD.id]
    assert [group.example for group in found.standing[OLD.id]] == ["b"]
    assert [group.example for hop in found.hops for group in hop.groups] == ["a"]


def test_strict_failures_alone_make_no_cell_red() -> None:
    plan = Plan(cells=(NEW,), path=(NEW,), hops=())
    warned = Case(id="a", strict="failed", plain="passed", failure=failure(warning="W"))
    assert not compare(plan, {NEW.id: after(warned, status="deprecated")}).standing


def test_what_failed_now_and_then_and_fails_every_time_breaks() -> None:
    shaky = Case(id="a", strict="failed", plain="passed", flaky=True)
    assert judge(before(good("b"), shaky), after(good("b"), bad("a")), HOP).verdict == "breaks"


def test_a_hop_into_a_test_that_fails_now_and_then_is_not_called_clean() -> None:
    shaky = Case(id="a", strict="passed", plain="failed", flaky=True, failure=failure())
    result = judge(before(good("a"), good("b")), after(shaky, good("b")), HOP)
    assert (result.verdict, result.flaky_red) == ("unknown", ("a",))
    assert "flaky" in result.reason


def unserved(name: str = "a") -> Case:
    refused = failure("connection refused", why=NO_SERVICE)
    return Case(id=name, strict="error", plain="error", failure=refused)


@pytest.mark.parametrize(
    ("was", "now", "verdict", "named"),
    [
        (good(), unserved(), "unknown", ("a",)),
        (unserved(), bad(), "unknown", ("a",)),
        (skip(), unserved(), "unknown", ("a",)),
        # Red all along is red all along; and what passes, passes.
        (unserved(), unserved(), "clean", ()),
        (unserved(), good(), "clean", ()),
    ],
)
def test_a_service_that_does_not_answer_is_never_blamed_on_the_hop(
    was: Case, now: Case, verdict: str, named: tuple[str, ...]
) -> None:
    result = judge(before(was, good("b")), after(now, good("b")), HOP)
    assert (result.verdict, result.unserved, result.broke) == (verdict, named, ())
    assert ("for want of a service" in result.reason) == (verdict == "unknown")
    # What breaks beside it, breaks.
    result = judge(before(was, good("b")), after(now, bad("b")), HOP)
    assert (result.verdict, result.broke) == ("breaks", ("b",))


def test_nothing_is_green_for_want_of_a_service_after_a_dead_cell() -> None:
    dead = before(status="uncollectable")
    assert judge(dead, after(unserved(), good("b")), HOP).verdict == "unknown"


def test_what_fails_plainly_is_the_cause_of_a_module_that_fails_in_two_ways() -> None:
    """Strictness alone can fail with a SyntaxError, which is no warning."""
    gone, strictly = failure("no ugettext_noop"), failure("invalid escape sequence")
    module = Case(id="m", strict="error", plain="error", failure=gone)
    now = after(module, status="uncollectable", failures=(("m", gone), ("m", strictly)))
    hop = judge(before(good("m::a")), now, HOP)
    assert [group.tests for group in hop.groups] == [1]
    assert hop.causes == (fingerprint(gone),)
