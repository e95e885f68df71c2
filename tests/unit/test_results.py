"""From the passes of a cell to its result: outcomes, further passes, status, deprecations."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from djhop import releases
from djhop.matrix.plan import Cell
from djhop.processes.process import Completed
from djhop.results import deprecations, junit, passes, results
from djhop.results.eventlog import Exc, Seen, Warned
from djhop.results.events import PassEvents, SeenWarning
from djhop.results.outcomes import END, Counts
from djhop.results.passes import Ran
from djhop.results.paths import PROJECT, Paths
from djhop.results.results import CellResult
from djhop.results.statuses import Facts, decide

CELL = Cell(django="5.2", python="3.12")
WARNS = Exc(
    type="django.utils.deprecation.RemovedInDjango60Warning",
    name="RemovedInDjango60Warning",
    mro=("django.utils.deprecation.RemovedInDjango60Warning", "DeprecationWarning", "Warning"),
    message="old",
)
BREAKS = Exc(type="TypeError", name="TypeError", mro=("TypeError",), message="new")
REFUSED = Exc(
    type="django.db.utils.OperationalError",
    name="OperationalError",
    mro=("OperationalError",),
    message="connection refused\n\tIs the server running?",
)
OTHER = Exc(type="KeyError", name="KeyError", mro=("KeyError",), message="other")

#: Short for what happens to a test: an outcome, or an exception that failed it.
What = str | Exc


def seen(what: What) -> Seen:
    if isinstance(what, Exc):
        return Seen(outcome="failed", exc=what, when="call")
    if what == "running":
        return Seen(open=True)
    return Seen(outcome=what, when="call", reason="why" if what == "skipped" else "")


def ran(
    mode: passes.Mode,
    tests: Mapping[str, What],
    *,
    collected: Sequence[str] = (),
    xml: int | None = None,
    timed_out: bool = False,
    interrupted: bool = False,
    code: int | None = None,
    **events: Any,
) -> Ran:
    """A finished pass; it ended by itself unless told otherwise, its canary fine."""
    running = "running" in tests.values()
    defaults = {
        "began": True,
        "ended": not (running or timed_out or interrupted),
        "code": code or 0,
        "framework": "pytest 9",
        "canary_ok": mode != "plain",
        "python": "3.12.1",
        "django": "5.2.1",
    }
    found = PassEvents(
        **{**defaults, **events},
        collected=dict.fromkeys([*tests, *collected]),
        tests={name: seen(what) for name, what in tests.items()},
    )
    status = code if code is not None else 0
    completed = Completed(
        argv=("python",),
        returncode=status,
        seconds=1.5,
        timed_out=timed_out,
        interrupted=interrupted,
    )
    return passes.finish(mode, completed, found, xml_tests=xml)


def build(*runs: Ran) -> CellResult:
    paths = Paths(root="/tree", site_packages=("/site",), stdlib=("/lib",))
    return results.build(CELL, runs, paths=paths, releases=releases.load())


def outcomes(result: CellResult) -> dict[str, tuple[str | None, str | None]]:
    return {test.id: (test.strict, test.plain) for test in result.tests}


# Which pass is needed


def test_a_strict_pass_with_all_fine_needs_no_other() -> None:
    tests = {"a": "passed", "b": "skipped", "c": "xfailed", "d": "xpassed"}
    assert passes.next_pass([ran("strict", tests)]) is None


def test_where_one_did_not_pass_the_whole_suite_runs_plainly() -> None:
    strict = ran("strict", {"a": "passed", "b": WARNS, "c": "skipped"})
    needed = passes.next_pass([strict])
    assert needed is not None and needed.mode == "plain"
    plain = ran("plain", {"a": "passed", "b": "passed", "c": "skipped"})
    assert passes.next_pass([strict, plain]) is None


def test_a_suite_that_ends_badly_though_all_is_fine_runs_plainly() -> None:
    strict = ran("strict", {"a": "passed"}, code=1)
    needed = passes.next_pass([strict])
    assert needed is not None and needed.mode == "plain"
    result = build(strict, ran("plain", {"a": "passed"}, code=1))
    assert (result.status, outcomes(result)[END]) == ("failed", ("error", "error"))
    assert [name for name, _ in result.failures] == [END]
    # Only the filter made it end badly: nothing is wrong without it.
    assert build(strict, ran("plain", {"a": "passed"})).status == "deprecated"


@pytest.mark.parametrize("where", ["a", ""])
def test_a_deprecation_that_was_raised_and_hurt_nobody_is_looked_into(where: str) -> None:
    needed = passes.next_pass([ran("strict", {"a": "passed", "b": "passed"}, raised={where})])
    assert needed is not None and needed.mode == "plain"


def test_what_skips_only_because_a_deprecation_was_raised_is_deprecated() -> None:
    strict = ran("strict", {"a": "passed", "b": "skipped", "c": "skipped"}, raised={"b"})
    result = build(strict, ran("plain", {"a": "passed", "b": "passed", "c": "skipped"}))
    assert outcomes(result)["b"] == ("skipped", "passed")
    assert (result.status, result.reason) == ("deprecated", "1 test did not pass strictly")
    failures = [test.failure and test.failure.message for test in result.tests]
    assert failures == [None, "why", None]


def test_what_passes_only_because_a_deprecation_was_raised_fails() -> None:
    strict = ran("strict", {"a": "passed", "b": "passed"}, raised={"b"})
    result = build(strict, ran("plain", {"a": "passed", "b": BREAKS}))
    assert outcomes(result)["b"] == ("passed", "failed")
    assert (result.status, [test.flaky for test in result.tests]) == ("failed", [False, False])


def test_what_was_raised_in_the_strict_run_does_not_explain_the_scoped_one() -> None:
    runs = [
        ran("strict", {}, fatal=WARNS, code=1, raised={""}),
        ran("plain", {"a": BREAKS, "b": BREAKS}),
        ran("scoped", {"a": "passed", "b": "passed"}, raised={"b"}),
    ]
    assert [test.flaky for test in build(*runs).tests] == [True, False]


@pytest.mark.parametrize(
    "strict",
    [
        ran("strict", {}, fatal=WARNS, code=1),
        ran("strict", {}, collect_errors={"m": WARNS}),
        ran("strict", {"a": "passed"}, collect_errors={"m": WARNS}),
        ran("strict", {"a": "passed"}, ended=False, code=-11),
        ran("strict", {"a": "passed"}, ended=False),
        ran("strict", {"a": "passed"}, collected=["b"], code=2),
    ],
    ids=["import", "collection", "one module", "signal", "os._exit", "stopped"],
)
def test_where_strict_died_outside_the_tests_everything_runs_plainly_then_scoped(
    strict: Ran,
) -> None:
    needed = passes.next_pass([strict])
    assert needed is not None and needed.mode == "plain"
    plain = ran("plain", {"a": "passed", "b": "passed"})
    scoped = passes.next_pass([strict, plain])
    assert scoped is not None and scoped.mode == "scoped"
    assert passes.next_pass([strict, plain, ran("scoped", {"a": "passed", "b": WARNS})]) is None


def test_scoped_is_pointless_where_no_test_runs_plainly() -> None:
    dead: dict[str, Any] = {"collect_errors": {"m": BREAKS}}
    assert passes.next_pass([ran("strict", {}, **dead), ran("plain", {}, **dead)]) is None


def test_a_crash_in_a_test_runs_the_rest_plainly() -> None:
    strict = ran("strict", {"a": "passed", "b": "running"}, collected=["c"], code=-11)
    needed = passes.next_pass([strict])
    assert needed is not None and needed.mode == "plain"
    plain = ran("plain", {"a": "passed", "b": "running"}, collected=["c"], code=-11)
    assert passes.next_pass([strict, plain]) is None


@pytest.mark.parametrize("how", ["timed_out", "interrupted", "refused"])
def test_nothing_follows_a_pass_that_was_ended(how: str) -> None:
    ended: dict[str, Any] = {"refused": ("4.2", "5.2")} if how == "refused" else {how: True}
    assert passes.next_pass([ran("strict", {"a": WARNS}, **ended)]) is None


# Outcomes of tests


def test_the_plain_outcome_of_what_passed_strictly_is_the_same() -> None:
    result = build(
        ran("strict", {"a": "passed", "b": WARNS, "c": BREAKS}),
        ran("plain", {"a": "passed", "b": "passed", "c": BREAKS}),
    )
    assert outcomes(result) == {
        "a": ("passed", "passed"),
        "b": ("failed", "passed"),
        "c": ("failed", "failed"),
    }
    assert result.status == "failed"
    by_id = {test.id: test for test in result.tests}
    assert by_id["b"].failure is not None
    assert by_id["b"].failure.warning == "RemovedInDjango60Warning"
    assert by_id["a"].failure is None
    assert result.counts["plain"] == Counts(passed=2, failed=1)


def test_scoped_gives_what_strict_could_not() -> None:
    result = build(
        ran("strict", {"a": WARNS}, collect_errors={"m": WARNS}),
        ran("plain", {"a": "passed", "m::b": "passed", "m::c": "passed"}),
        ran("scoped", {"a": "passed", "m::b": WARNS, "m::c": "passed"}),
    )
    assert outcomes(result) == {
        "a": ("failed", "passed"),
        "m::b": ("failed", "passed"),
        "m::c": ("passed", "passed"),
    }
    assert result.status == "deprecated"
    assert [(name, failure.when) for name, failure in result.failures] == [("m", "collect")]


def test_a_module_that_cannot_be_collected_plainly_is_a_test_of_its_own() -> None:
    errors: dict[str, Any] = {"collect_errors": {"tests/test_b.py": BREAKS}}
    result = build(
        ran("strict", {"a": "passed"}, **errors), ran("plain", {"a": "passed"}, **errors)
    )
    assert outcomes(result)["tests/test_b.py"] == ("error", "error")
    assert (result.status, result.reason) == ("failed", "1 module cannot be collected")


@pytest.mark.parametrize("name", ["pkg.mod.A", "pkg.mod"])
def test_a_failed_set_up_of_a_class_is_an_error_of_its_tests(name: str) -> None:
    dead: dict[str, Any] = {"class_errors": {name: (BREAKS, "setUpClass")}, "framework": "django"}
    result = build(
        ran(
            "strict", {"pkg.other.B.x": "passed"}, collected=["pkg.mod.A.x", "pkg.mod.A.y"], **dead
        ),
        ran("plain", {"pkg.other.B.x": "passed"}, collected=["pkg.mod.A.x", "pkg.mod.A.y"], **dead),
    )
    assert outcomes(result)["pkg.mod.A.x"] == ("error", "error")
    assert outcomes(result)["pkg.mod.A.y"] == ("error", "error")
    assert result.status == "failed"


def test_a_failed_tear_down_of_a_class_stands_for_itself() -> None:
    dead: dict[str, Any] = {"class_errors": {"pkg.mod.A": (BREAKS, "tearDownClass")}}
    tests = {"pkg.mod.A.x": "passed"}
    result = build(ran("strict", tests, **dead), ran("plain", tests, **dead))
    assert outcomes(result)["pkg.mod.A"] == ("error", "error")
    assert outcomes(result)["pkg.mod.A.x"] == ("passed", "passed")
    assert result.status == "failed"


def test_a_crash_names_its_test_and_the_rest_was_not_run() -> None:
    events: dict[str, Any] = {"collected": ["c"], "code": -11}
    result = build(
        ran("strict", {"a": "passed", "b": "running"}, **events),
        ran("plain", {"a": "passed", "b": "running"}, **events),
    )
    assert outcomes(result) == {
        "a": ("passed", "passed"),
        "b": ("crashed", "crashed"),
        "c": ("not-run", "not-run"),
    }
    assert (result.status, result.reason) == ("crashed", "the process died in b, 1 test not run")
    assert result.passes[0].running == "b"
    assert result.passes[0].died == "crash"


def test_a_worker_that_dies_is_a_crash_though_the_run_goes_on() -> None:
    strict = ran("strict", {"a": "passed", "b": "failed"})
    strict.events.tests["b"] = Seen(outcome="failed", when="???", open=True)
    assert outcomes(build(strict))["b"][0] == "crashed"


@pytest.mark.parametrize("unproven", ["failed", "never sung"])
def test_passing_is_not_believed_where_the_filter_was_not_in_force(unproven: str) -> None:
    canary: dict[str, Any] = (
        {"canary_failed": {"a"}} if unproven == "failed" else {"canary_ok": False}
    )
    result = build(ran("strict", {"a": "passed"}, **canary))
    assert outcomes(result) == {"a": (None, "passed")}
    assert result.status == "deprecated"
    assert "not in force" in result.reason
    assert not result.passes[0].canary
    assert any("not believed" in note for note in result.notes)


@pytest.mark.parametrize(
    ("strict", "plain", "warned", "raised", "flaky"),
    [
        (BREAKS, "passed", set(), set(), True),
        (BREAKS, "passed", {"b"}, set(), False),
        # The project's own filter hides it from the plain run.
        (BREAKS, "passed", set(), {"b"}, False),
        (BREAKS, "passed", set(), {""}, False),
        (BREAKS, "passed", set(), {"a"}, True),
        (BREAKS, BREAKS, set(), set(), False),
        (BREAKS, OTHER, set(), set(), False),
        (WARNS, "passed", set(), set(), False),
        ("passed", BREAKS, set(), set(), True),
        ("passed", BREAKS, {"b"}, set(), True),
        ("passed", BREAKS, set(), {"b"}, False),
        # What was raised outside the tests has made none pass.
        ("passed", BREAKS, set(), {""}, True),
        ("passed", "passed", set(), set(), False),
        ("passed", "xfailed", set(), set(), False),
        ("skipped", "passed", set(), set(), True),
        ("skipped", "passed", set(), {""}, False),
        ("passed", "skipped", set(), set(), True),
    ],
)
def test_flaky_is_what_no_warning_explains(
    strict: What, plain: What, warned: set[str], raised: set[str], flaky: bool
) -> None:
    runs = [
        ran("strict", {"a": "passed", "b": strict}, raised=raised),
        ran("plain", {"a": "passed", "b": plain}, warned=warned),
    ]
    assert [test.flaky for test in build(*runs).tests] == [False, flaky]


# Status


def test_a_flaky_test_is_no_deprecation() -> None:
    result = build(
        ran("strict", {"a": "passed", "b": BREAKS}),
        ran("plain", {"a": "passed", "b": "passed"}),
    )
    assert result.status == "passed"
    assert any("flaky" in note for note in result.notes)


def oracle(facts: Facts) -> str:
    """The table of the design, written down a second time, as one row per status."""
    counts = msgspec.to_builtins(facts.plain)
    begun = {name: n for name, n in counts.items() if n and name != "not-run"}
    real = sum(begun.values()) - facts.modules
    bad = {"failed", "error"}
    rows = {
        "infra": facts.refused,
        "interrupted": facts.died == "interrupted",
        "timed-out": facts.died in ("timeout", "silence"),
        "infra ": facts.unseen > 0,
        "uncollectable": not real and (facts.modules or facts.died in ("import", "collection")),
        "crashed": not real and facts.died != "",
        "no-tests": not real,
        "timed-out ": facts.died == "hang",
        "crashed ": "crashed" in begun or facts.died not in ("", "collection"),
        "failed": bool(bad & set(begun)),
        "no-tests ": not {"passed", "xpassed"} & set(begun),
        "deprecated": facts.not_strict or facts.unknown_strict or facts.strict_died,
        "passed": True,
    }
    return next(status for status, holds in rows.items() if holds).strip()


DIED = (
    *("", "import", "collection", "crash", "hang", "no-end", "stopped"),
    *("timeout", "silence", "interrupted"),
)
KINDS = ("passed", "failed", "error", "skipped", "xpassed", "crashed", "not_run")
COUNTS = [
    Counts(**dict(zip(KINDS, numbers, strict=True)))
    for numbers in itertools.product((0, 2), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (0, 3))
]


@pytest.mark.parametrize("died", DIED)
def test_every_row_of_the_status_table(died: str) -> None:
    found = set()
    flags = list(itertools.product((0, 1), repeat=5))
    for plain, (refused, unseen, modules, not_strict, strict_died) in itertools.product(
        COUNTS, flags
    ):
        if modules > plain.error:
            continue
        for unknown in (0, 1):
            facts = Facts(
                died=died,
                refused=bool(refused),
                unseen=unseen,
                plain=plain,
                modules=modules,
                not_strict=not_strict,
                unknown_strict=unknown,
                strict_died=bool(strict_died),
            )
            status, reason = decide(facts)
            assert status == oracle(facts), facts
            assert bool(reason) == (status != "passed"), facts
            found.add(status)
    if not died:
        red = {"infra", "uncollectable", "no-tests", "crashed", "failed"}
        assert found == red | {"deprecated", "passed"}


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        ([ran("strict", {"a": "passed"})], "passed"),
        ([ran("strict", {})], "no-tests"),
        ([ran("strict", {}, code=5, ended=True)], "no-tests"),
        ([ran("strict", {"a": "skipped"})], "no-tests"),
        ([ran("strict", {"a": "xpassed"})], "passed"),
        ([ran("strict", {"a": "passed", "b": "xpassed"}, framework="django")], "failed"),
        ([ran("strict", {}, fatal=BREAKS), ran("plain", {}, fatal=BREAKS)], "uncollectable"),
        ([ran("strict", {}, ended=False), ran("plain", {}, ended=False)], "crashed"),
        ([ran("strict", {"a": "running"}, timed_out=True)], "timed-out"),
        ([ran("strict", {"a": "running"}, interrupted=True)], "interrupted"),
        ([ran("strict", {}, refused=("4.2", "5.2"))], "infra"),
        ([ran("strict", {"a": "passed"}, xml=3)], "infra"),
        ([ran("strict", {"a": "passed"}, xml=0)], "passed"),
        (
            [ran("strict", {"a": "passed"}, ended=False), ran("plain", {"a": "passed"})],
            "deprecated",
        ),
        ([], "not-run"),
    ],
)
def test_the_status_of_passes(runs: list[Ran], status: str) -> None:
    assert build(*runs).status == status


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        ([ran("strict", {}, fatal=REFUSED), ran("plain", {}, fatal=REFUSED)], "infra"),
        ([ran("strict", {}, fatal=BREAKS), ran("plain", {}, fatal=REFUSED)], "infra"),
        ([ran("strict", {}, fatal=REFUSED), ran("plain", {}, fatal=BREAKS)], "uncollectable"),
        ([ran(mode, {"a": REFUSED, "b": "skipped"}) for mode in ("strict", "plain")], "infra"),
        # One that passed, or failed for a reason of its own, is a finding.
        ([ran(mode, {"a": REFUSED, "b": "passed"}) for mode in ("strict", "plain")], "failed"),
        ([ran(mode, {"a": REFUSED, "b": BREAKS}) for mode in ("strict", "plain")], "failed"),
        ([ran("strict", {"a": REFUSED}), ran("plain", {"a": "passed"})], "passed"),
        ([ran("strict", {"a": "skipped"})], "no-tests"),
    ],
)  # fmt: skip
def test_a_service_that_does_not_answer_is_no_verdict(runs: list[Ran], status: str) -> None:
    result = build(*runs)
    assert result.status == status
    if status == "infra":
        said = "django.db.utils.OperationalError: connection refused"
        assert result.reason == f"no test passed, for want of a service: {said}"
    assert ("[service.NAME]" in result.hint) == (status == "infra")


def test_an_interrupted_test_is_not_a_crash() -> None:
    result = build(ran("strict", {"a": "passed", "b": "running"}, interrupted=True))
    assert outcomes(result)["b"][0] == "not-run"


def test_notes_say_what_cannot_be_known() -> None:
    result = build(
        ran(
            "strict",
            {"a": "passed"},
            xml=0,
            unreadable=2,
            dropped_warnings=1,
            notes=("from the probe",),
        )
    )
    assert [note.split(":")[-1].strip() for note in result.notes] == [
        "from the probe",
        "pytest's XML has 0 tests, events 1",
        "2 lines of the event log could not be read",
        "1 warnings beyond the limit were dropped",
    ]


# Deprecations


def warning(category: str, message: str, count: int, *tests: str, **more: Any) -> SeenWarning:
    module = more.pop("module", "django.utils.deprecation")
    base = more.pop("base", "DeprecationWarning")
    stack = (("/tree/app/models.py", 12, "f"), ("/site/django/db/models.py", 3, "g"))
    event = Warned(
        category=category,
        category_module=module,
        mro=(category, base, "Warning"),
        message=message,
        file="/site/django/db/models.py",
        line=3,
        stack=stack,
        **more,
    )
    return SeenWarning(event=event, count=count, tests=dict.fromkeys(tests))


def collect(*passes_: Sequence[SeenWarning]) -> tuple[results.Deprecation, ...]:
    paths = Paths(root="/tree", site_packages=("/site",))
    events = [PassEvents(warnings=tuple(seen)) for seen in passes_]
    return deprecations.collect(events, paths, releases.load())


def test_passes_that_repeat_one_another_do_not_add_up() -> None:
    found = collect(
        [warning("RemovedInDjango60Warning", "old", 2, "a")],
        [warning("RemovedInDjango60Warning", "old", 5, "a", "b")],
    )
    assert [(d.count, d.tests, d.place, d.owner) for d in found] == [
        (5, ("a", "b"), "app/models.py:12", PROJECT)
    ]


@pytest.mark.parametrize(
    ("category", "module", "removed_in"),
    [
        ("RemovedInDjango60Warning", "django.utils.deprecation", "6.0"),
        ("RemovedInDjango70Warning", "django.utils.deprecation", "2028"),
        ("RemovedInDjango60Warning", "somebody.else", None),
        ("DeprecationWarning", "builtins", None),
    ],
)
def test_only_djangos_own_classes_say_when_it_is_removed(
    category: str, module: str, removed_in: str | None
) -> None:
    (found,) = collect([warning(category, "old", 1, module=module)])
    assert found.removed_in == removed_in


@pytest.mark.parametrize(
    ("message", "python"),
    [
        ("the imp module is deprecated in favour of importlib and slated for removal in Python "
         "3.12; see the module's documentation for alternative uses", "3.12"),
        ("'cgi' is deprecated and slated for removal in Python 3.13", "3.13"),
        ("unittest.makeSuite() is deprecated and will be removed in Python 3.13.", "3.13"),
        ("Using or importing the ABCs from 'collections' instead of from 'collections.abc' is "
         "deprecated since Python 3.3, and in 3.10 it will stop working", "3.10"),
        ("x is scheduled for removal in a future version. It came in Python 3.9", None),
        ("deprecated since Python 3.8", None),
        ("it will be removed in 3.0", None),
    ],
)  # fmt: skip
def test_python_itself_may_say_which_python_removes_it(message: str, python: str | None) -> None:
    (found,) = collect([warning("DeprecationWarning", message, 1, module="builtins")])
    assert (found.removed_in, found.removed_in_python) == (None, python)


def test_pending_is_not_fatal_and_other_warnings_are_none() -> None:
    found = collect(
        [
            warning("RemovedInDjango61Warning", "later", 1, base="PendingDeprecationWarning"),
            warning("SyntaxWarning", "escape", 1, base="SyntaxWarning", module="builtins"),
            warning("FutureWarning", "future", 1, base="FutureWarning", module="builtins"),
        ]
    )
    assert [(d.category, d.fatal) for d in found] == [("RemovedInDjango61Warning", False)]


def test_what_varies_in_a_message_does_not_multiply_it() -> None:
    texts = ["<A object at 0x7f1234abcd> id 12345", "<A object at 0x7fdeadbeef> id 99999"]
    found = collect([warning("RemovedInDjango60Warning", text, 1) for text in texts])
    assert [d.message for d in found] == ["<A object at …> id …"]
    assert deprecations.template("in /tree/app/a.py", "/tree") == "in app/a.py"
    assert deprecations.template("Django 5.2 and 4.2.30", "/tree") == "Django 5.2 and 4.2.30"


def test_where_it_was_seen_outside_tests() -> None:
    found = collect([warning("RemovedInDjango60Warning", "old", 1, when="import")])
    assert [d.when for d in found] == ["import"]


# JUnit XML


HOSTILE = "t/a.py::A::test_x[\x00\ud800\x1b[31m<&>]"


def test_the_xml_of_a_cell_survives_hostile_names(tmp_path: Path) -> None:
    exc = msgspec.structs.replace(BREAKS, message="bad \x07 \udcff ]]> end")
    result = build(
        ran("strict", {HOSTILE: exc, "t.A.ok": "passed", "t.A.skip": "skipped", "t.A.w": WARNS}),
        ran("plain", {HOSTILE: exc, "t.A.skip": "skipped", "t.A.w": "passed"}),
    )
    path = tmp_path / "junit.xml"
    junit.to_junit(result).write(str(path))
    assert junit.count(path) == 4
    text = path.read_text("utf-8")
    assert "\\x00" in text and "\\ud800" in text and "\\x07" in text
    assert 'tests="4"' in text and 'failures="1"' in text and 'skipped="1"' in text


def test_pytests_own_xml_is_counted_by_test(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(
        '<testsuites><testsuite name="pytest">'
        '<testcase classname="a" name="x"><failure>f</failure></testcase>'
        '<testcase classname="a" name="x"><error>teardown</error></testcase>'
        '<testcase classname="a" name="y"/>'
        '<testcase classname="" name="tests.test_b"><error>collection</error></testcase>'
        "</testsuite></testsuites>"
    )
    assert junit.count(path) == 2
    path.write_text("<testsuites><testsuite")
    assert junit.count(path) is None
    assert junit.count(tmp_path / "none") is None


def test_a_result_survives_being_written_and_read() -> None:
    result = build(ran("strict", {"a": WARNS}), ran("plain", {"a": "passed"}))
    text = msgspec.json.encode(result)
    assert msgspec.json.decode(text, type=CellResult) == result


def test_a_process_that_never_began_is_no_verdict() -> None:
    silent = ran("strict", {}, began=False, ended=False, code=1)
    assert build(silent).status == "infra"
