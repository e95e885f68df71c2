"""What a pass means that lost modules, failed subtests, workers or its good name on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from djhop import releases
from djhop.compare import causes
from djhop.matrix.plan import Cell
from djhop.processes.process import Completed
from djhop.results import events, passes, results
from djhop.results.eventlog import (
    Begin,
    Canary,
    Collected,
    CollectError,
    End,
    Ended,
    Event,
    Exc,
    Report,
    Start,
    Stop,
)
from djhop.results.passes import Ran
from djhop.results.paths import Paths
from djhop.results.results import CellResult

LOST = Exc(type="ImportError", name="ImportError", mro=("ImportError",), message="gone")


def ran(
    mode: passes.Mode,
    tests: Mapping[str, str],
    *more: Event,
    framework: str = "django",
    code: int = 0,
) -> Ran:
    """A pass that ended by itself: test → outcome, and what else its log has."""
    found: list[Event] = [
        Begin(python="3.12.1", django="5.2.1", framework=framework, mode=mode),
        Collected(ids=tuple(tests)),
        Canary(ok=True),
    ]
    for test, outcome in tests.items():
        report = Report(id=test, when="whole", outcome=outcome, exc=None)
        found += [Start(id=test), report, Stop(id=test)]
    done = Completed(argv=("python",), returncode=code, seconds=1.0)
    return passes.finish(mode, done, events.gather([*found, *more, End(code=code)]))


def built(*runs: Ran) -> CellResult:
    paths = Paths(root="/tree", site_packages=("/site",), stdlib=("/lib",))
    cell = Cell(django="5.2", python="3.12")
    return results.build(cell, runs, paths=paths, releases=releases.load())


def test_modules_that_plain_loses_as_well_need_no_scoped_run() -> None:
    strict = ran("strict", {"a": "passed"}, CollectError(id="m", exc=LOST), code=1)
    alike = ran("plain", {"a": "passed"}, CollectError(id="m", exc=LOST), code=1)
    assert passes.next_pass([strict, alike]) is None
    plain = ran("plain", {"a": "passed", "m.b": "passed"})
    scoped = passes.next_pass([strict, plain])
    assert scoped is not None
    assert scoped.mode == "scoped"


def test_failed_subtests_are_named_once_in_one_outcome() -> None:
    subtests = [
        Report(id="a", when="whole", outcome="failed", sub=name)
        for name in ["(i=1)", "(i=3)", "(i=3)", *(f"(j={n})" for n in range(50))]
    ]
    fine = Report(id="b", when="whole", outcome="passed", sub="(i=0)")
    tests = {"a": "failed", "b": "passed"}
    result = built(*(ran(mode, tests, *subtests, fine, code=1) for mode in ("strict", "plain")))
    told = {test.id: (test.plain, test.subtests) for test in result.tests}
    assert told["a"][0] == "failed"
    assert told["a"][1][:3] == ("(i=1)", "(i=3)", "(j=0)")
    assert len(told["a"][1]) <= 20
    assert told["b"] == ("passed", ())


def test_a_worker_that_dies_in_a_test_is_named() -> None:
    died = Report(id="b", when="???", outcome="failed")
    runs = [
        ran(mode, {"a": "passed"}, Start(id="b"), died, framework="pytest 9", code=1)
        for mode in ("strict", "plain")
    ]
    result = built(*runs)
    assert (result.status, result.reason) == ("crashed", "the process died in b")


@pytest.mark.parametrize(
    ("framework", "status"), [("pytest 9", "passed"), ("django", "failed"), ("command", "failed")]
)
def test_five_is_no_bad_end_for_pytest_alone(framework: str, status: str) -> None:
    runs = [ran(m, {"a": "passed"}, framework=framework, code=5) for m in ("strict", "plain")]
    assert built(*runs).status == status


def test_a_second_begin_says_which_framework_it_is() -> None:
    """A runner named in TEST_RUNNER may call pytest: an unexpected success is fine there."""
    second: dict[str, Any] = {"python": "3.12.1", "django": "5.2.1", "mode": "strict"}
    made = ran("strict", {"a": "passed", "b": "xpassed"}, Begin(framework="pytest 9", **second))
    assert built(made).status == "passed"
    assert built(ran("strict", {"a": "passed", "b": "xpassed"})).status == "failed"


def test_a_test_without_an_outcome_does_not_explain_a_bad_end() -> None:
    """A suite that exits with 1 is not green because what failed was not understood."""
    result = built(*(ran(m, {"a": "passed", "b": ""}, code=1) for m in ("strict", "plain")))
    assert result.status == "failed"
    assert result.reason == "every test is fine, and the suite exited with 1"


def test_the_test_of_a_worker_that_died_is_not_run_again() -> None:
    died = Report(id="b", when="???", outcome="failed")
    made = ran("plain", {"a": "passed"}, Start(id="b"), died, Collected(ids=("b", "c")))
    assert made.events.running == ()
    assert passes.done(made.events) == ("a", "b")


def test_a_cell_stays_as_its_test_ended_though_the_rest_ran() -> None:
    """What ran after a new start ran in another process than it would have."""
    for why, status, reason in (
        ("crash", "crashed", "the process died in b; the rest ran after a new start"),
        ("hang", "timed-out", "b took too long; the rest ran after a new start"),
    ):
        runs = [
            ran(
                mode,
                {"a": "passed"},
                Collected(ids=("b", "c")),
                Ended(id="b", why=why, exc=LOST),
                Begin(pid=9, framework="django"),
                Start(pid=9, id="c"),
                Report(pid=9, id="c", when="whole", outcome="passed"),
                Stop(id="c"),
            )
            for mode in ("strict", "plain")
        ]
        assert [made.info.died for made in runs] == [why, why]
        result = built(*runs)
        assert (result.status, result.reason) == (status, reason)
        assert [test.plain for test in result.tests] == ["passed", "crashed", "passed"]
        # What did not run after it has its cause.
        assert causes.ended(result) == result.tests[1].failure


def test_a_crash_that_only_strictness_causes_is_no_green() -> None:
    more = (Collected(ids=("b",)), Ended(id="b", why="crash", exc=LOST))
    strict = ran("strict", {"a": "passed"}, *more)
    following = passes.next_pass([strict])
    assert following is not None
    assert following.mode == "plain"
    result = built(strict, ran("plain", {"a": "passed", "b": "passed"}))
    assert (result.status, result.reason) == ("deprecated", "1 test did not pass strictly")
