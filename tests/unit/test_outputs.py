"""Outputs for tools: one count everywhere, valid by published schemas, whatever tests say."""

from __future__ import annotations

import functools
import gzip
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import counting
import many
import msgspec
import pytest
import xmlschema
from counting import Made, said, suites
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from junitparser import xunit2

from djhop import releases
from djhop.arguments import options
from djhop.compare.changes import kind
from djhop.matrix.plan import Cell
from djhop.reports import (
    cases,
    clean,
    ctrf,
    github,
    issues,
    jsonl,
    junit,
    outputs,
    pairs,
    quality,
    sarif,
    workflow,
)
from djhop.reports.summary import summarise
from djhop.results.reruns import Again, Reruns
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.results.steps import Crossing, Step

SCHEMAS = Path(__file__).parents[1] / "schemas"
EVERY = many.every_kind()


@functools.cache
def schema(name: str) -> Any:
    """A published schema, ready to check with."""
    if name.endswith(".xsd"):
        return xmlschema.XMLSchema(SCHEMAS / name)
    found = json.loads((SCHEMAS / name).read_text("utf-8"))
    return validator_for(found)(found)


def made(form: str, run: Made = EVERY) -> str:
    return counting.made(form, run)


# One count everywhere.


@pytest.mark.parametrize("run", [EVERY, many.big(20, 10, 6)], ids=["every-kind", "big"])
def test_counts_are_equal_in_every_output(run: Made) -> None:
    counting.check(run)


def test_every_status_of_a_cell_is_told() -> None:
    found = suites(made("junit"))
    state = {
        name: [case.result[0]._tag for case in suite if case.name == cases.CELL]
        for name, suite in found.items()
    }
    assert state == {
        "py3.10-django3.2": [],
        "py3.10-django4.0": [],
        "py3.10-django4.1": ["error"],
        "py3.10-django4.2": ["error"],
        "py3.10-django5.0": ["error"],
        "py3.10-django5.1": ["skipped"],  # as asked: it has a result
        "py3.10-django5.2": ["error"],
        "py3.10-django6.0": ["error"],  # cut off: it has none
        "py3.8-django6.0": ["skipped"],
    }


def test_a_status_that_no_test_explains_is_an_error() -> None:
    cell = Cell(django="5.2", python="3.12")
    green = many.result(cell, "failed", (Case(id="a", strict="passed", plain="passed"),))
    run = many.finished(many.plan_of((cell,)), {cell.id: green})
    (suite,) = suites(made("junit", (run, {cell.id: green}))).values()
    assert (suite.tests, suite.errors) == (2, 1)


def test_strict_and_flaky_are_told_as_what_they_are() -> None:
    suite = suites(made("junit"))["py3.10-django4.0"]
    named = {case.name: case for case in suite}
    warned, wobbly, unsteady = (named[name] for name in ("warned", "wobbly", "unsteady"))
    assert warned.is_passed and not warned.interim_result
    assert "strict: fails" in warned.system_out and "url() is deprecated" in warned.system_out
    assert wobbly.is_passed and not wobbly.system_out
    (flaky,) = wobbly.interim_result
    assert type(flaky) is xunit2.FlakyFailure and "AssertionError" in flaky.stack_trace
    assert unsteady.is_failure and "flaky" in unsteady.system_out
    assert named["crashed"].is_error
    assert named["left"].is_skipped and named["unseen"].is_skipped
    assert named["xpassed"].is_passed and named["xfailed"].is_skipped
    tests = {test["name"]: test for test in json.loads(made("ctrf"))["results"]["tests"]
             if test["suite"][0] == "py3.10-django4.0"}  # fmt: skip
    assert tests["wobbly"]["flaky"] and tests["wobbly"]["retryAttempts"][0]["status"] == "failed"
    assert (
        "flaky" not in tests["warned"] and tests["warned"]["rawStatus"] == "passed, strict: failed"
    )
    assert [
        tests[name]["status"] for name in ("left", "unseen", "xfailed", "skipped", "crashed")
    ] == [*("pending", "pending", "other", "skipped", "failed")]


def test_reruns_are_told_as_surefire_tells_them() -> None:
    cells = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
    green = [Case(id=name, strict="passed", plain="passed") for name in ("a", "b")]
    red = (Case(id="a", strict="failed", plain="failed", failure=many.failure(1)), green[1])
    results = {
        cells[0].id: many.result(cells[0], "passed", tuple(green)),
        cells[1].id: many.result(cells[1], "failed", red),
    }
    run = many.finished(many.plan_of(cells), results)
    done = Reruns(
        before=cells[0].id,
        after=cells[1].id,
        runs=(
            Again(test="a", side="before", how="alone", outcome="error"),
            Again(test="a", side="after", how="alone", outcome="failed"),
            Again(test="a", side="after", how="module", outcome="passed"),
            Again(test="a", side="after", how="module"),
        ),
    )
    text = "".join(outputs.pieces("junit", run, results, {done.id: done}))
    schema("junit-10.xsd").validate(ET.ElementTree(ET.fromstring(text)))
    before, after = (next(iter(suite)) for suite in suites(text).values())
    assert before.is_passed and [type(r) for r in before.interim_result] == [xunit2.FlakyError]
    assert after.is_failure and [type(r) for r in after.interim_result] == [xunit2.RerunFailure]
    assert after.system_out == "run again, with its module: passed"
    assert suites(text)[cells[1].id].failures == run.cells[1].failing == 1
    hops = (msgspec.structs.replace(run.hops[0], flaky_red=("a",)),)
    flaky = msgspec.structs.replace(run, hops=hops)
    document = json.loads("".join(outputs.pieces("ctrf", flaky, results, {done.id: done})))
    schema("ctrf-0.0.json").validate(document)
    before, _, after, steady = document["results"]["tests"]
    assert (before["status"], before["flaky"], before["retries"]) == ("passed", True, 1)
    assert (after["status"], after["flaky"], after["tags"]) == ("failed", True, ["flaky"])
    assert [(a["attempt"], a["status"]) for a in after["retryAttempts"]] == [
        *((1, "failed"), (2, "passed"))
    ]
    assert document["results"]["summary"]["flaky"] == 2
    assert not steady.keys() & {"flaky", "retries", "tags"}
    lines = "".join(outputs.pieces("jsonl", flaky, results, {done.id: done})).splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("test") == "a"]
    told = [(row["flaky"], row["not_counted"], row["rerun"], row["rerun_failed"]) for row in rows]
    assert told == [(False, "", 1, 1), (True, "flaky", 2, 1)]


def test_the_upgrade_of_a_database_is_a_case_of_the_cell_after() -> None:
    cells = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
    green = (Case(id="a", strict="passed", plain="passed"),)
    results = {cell.id: many.result(cell, "passed", green) for cell in cells}
    run = many.finished(many.plan_of(cells), results)
    said = {"before": cells[0].id, "after": cells[1].id}
    failed = Step(status="failed", reason="IntegrityError: NOT NULL", seconds=2.0)
    for crossing, state in (
        (Crossing(**said, steps={"upgrade": failed}), "error"),
        (Crossing(**said, steps={"upgrade": Step(status="ok")}), "passed"),
        (Crossing(**said, reason="no server"), "skipped"),
    ):
        hops = (msgspec.structs.replace(run.hops[0], crossing=crossing),)
        crossed = msgspec.structs.replace(run, hops=hops), results
        counting.check(crossed)
        rows = [json.loads(line) for line in made("jsonl", crossed).splitlines()]
        (row,) = (row for row in rows if row["kind"] == "step")
        assert (row["cell"], row["name"]) == (cells[1].id, f"upgrade from {cells[0].id}")
        assert row["state"] == state
        issue = [issue for issue in issues.of(crossed[0]) if issue.kind == "step"]
        assert [i.level for i in issue] == ["error"] * (state == "error")
        assert all("NOT NULL" in i.text and "4.2 → 5.0" in i.text for i in issue)


def test_a_step_says_what_it_fails_for() -> None:
    suite = suites(made("junit"))["py3.10-django4.1"]
    named = {case.name: case for case in suite if case.classname.endswith("django-steps")}
    assert named["checks"].is_failure and named["database"].is_error
    assert named["settings"].is_skipped
    (failure,) = named["checks"].result
    assert failure.text == "models.E304 shop.Order [shop/models.py:7]: Reverse accessor"
    (placed,) = (issue for issue in issues.of(EVERY[0]) if issue.what == "models.E304")
    assert (placed.path, placed.line) == ("shop/models.py", 7)
    assert "Breaks Django's own steps on 3.2 → 4.0 (Python 3.10). add a related" in placed.text
    assert placed.reproduce.endswith("--only checks")


def test_no_two_cases_are_one_to_a_reader_that_goes_by_names() -> None:
    found = [(c.classname, c.name) for s in suites(made("gitlab-junit")).values() for c in s]
    assert len(set(found)) == len(found)
    prints = [row["fingerprint"] for row in json.loads(made("gitlab-quality"))]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(
    ("test_id", "parts"),
    [
        ("tests/test_a.py::TestB::test_c[1::2]",
         ("tests/test_a.py", "tests.test_a.TestB", "test_c[1::2]")),
        ("tests/test_a.py::test_c", ("tests/test_a.py", "tests.test_a", "test_c")),
        ("tests/test_a.py", ("tests/test_a.py", "", "tests/test_a.py")),
        ("shop.tests.TestB.test_c", ("", "shop.tests.TestB", "test_c")),
        ("setUpClass (shop.tests.TestB)", ("", "", "setUpClass (shop.tests.TestB)")),
        (cases.CELL, ("", "", cases.CELL)),
        ("", ("", "", "")),
    ],
)  # fmt: skip
def test_a_test_id_has_a_file_a_group_and_a_name(test_id: str, parts: tuple[str, ...]) -> None:
    assert cases.split(test_id) == parts


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("app/urls.py:3", ("app/urls.py", 3)),
        ("a b/ü:x.py:12", ("a b/ü:x.py", 12)),
        ("/usr/lib/x.py:3", ("", 0)),
        ("../other/x.py:3", ("", 0)),
        ("a/../../x.py:3", ("", 0)),
        ("django/conf/__init__.py:3", ("", 0)),
        ("<string>:1", ("", 0)),
        ("app/urls.py:0", ("", 0)),
        ("app/urls.py", ("", 0)),
        ("", ("", 0)),
    ],
)
def test_only_what_is_in_the_target_has_a_line(place: str, where: tuple[str, int]) -> None:
    assert issues.split(place) == where


# Valid by what others publish.


def validate(run: Made) -> None:
    """Every output of a run is what its readers take."""
    schema("junit-10.xsd").validate(ET.ElementTree(ET.fromstring(made("junit", run))))
    suites(made("gitlab-junit", run))
    schema("ctrf-0.0.json").validate(json.loads(made("ctrf", run)))
    schema("sarif-2.1.0.json").validate(json.loads(made("sarif", run)))
    for row in json.loads(made("gitlab-quality", run)):
        assert row["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert row["location"]["lines"]["begin"] > 0 and row["description"] and row["fingerprint"]
    rows = [json.loads(line) for line in made("jsonl", run).split("\n")[:-1]]
    assert {frozenset(row) for row in rows if row["kind"] != "cell"} <= {
        frozenset(row) for row in rows[1:2]
    } | {frozenset(row) for row in rows if row["kind"] == "test"}
    commands = made("github-annotations", run).split("\n")[:-1]
    assert all(re.match(r"::(error|warning|notice)( [a-z]+=[^:]*)?::", line) for line in commands)


def test_every_output_is_valid() -> None:
    validate(EVERY)


def test_an_empty_run_is_valid() -> None:
    cell = Cell(django="5.2", python="3.12")
    validate((many.finished(many.plan_of((cell,)), {}), {}))


HOSTILE = (
    "<script>alert(1)</script>", "]]>", "<![CDATA[", "&amp;", "\x00", "\x1b[31m", "\ud800",
    "\ufffe",
    "\u202eevil", "::set-output name=a::b", "\n::add-mask::x", "##[add-mask]x", "%0A::error::x",
    "| a | b |", "[x](javascript:x)", "<!-- -->", "`", "```\n", "@everyone #1", "{0}", "{{", "\\",
    "\r\n", "\x85", "\u2028", "a::b[c::d]", "'", '"', "../../etc/passwd:1", "\t", " ",
)  # fmt: skip
nasty = st.lists(
    st.sampled_from(HOSTILE)
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=5),
    max_size=4,
).map("".join)


def hostile(name: str, message: str, place: str) -> Made:
    """A run in which everything that comes from a target is hostile."""
    cells = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
    shot = many.failure(3, message, place=place, exception=name or "E", raised_at=place,
                        frames=((place, 3, name, message),))  # fmt: skip
    before = many.result(cells[0], "passed", (Case(id=name, strict="passed", plain="passed"),))
    use = msgspec.structs.replace(many.uses()[0], message=message, place=place, category=name,
                                  owner=many.PROJECT)  # fmt: skip
    tests = (
        Case(id=name, strict="failed", plain="failed", failure=shot, subtests=(message,)),
        Case(id=f"{name}2", strict="failed", plain="passed", flaky=True, failure=shot),
        Case(id=f"{name}3", strict="skipped", plain="skipped", skip_reason=message),
        Case(id=f"{name}4", strict="failed", plain="passed", failure=shot),
    )
    after = many.result(cells[1], "failed", tests, deprecations=(use,), reason=message)
    results = {cells[0].id: before, cells[1].id: after}
    return many.finished(many.plan_of(cells), results, name=name), results


@given(nasty, nasty, nasty)
@example("".join(HOSTILE), "\n".join(HOSTILE), "".join(HOSTILE))
@settings(max_examples=10)
def test_hostile_text_breaks_nothing(name: str, message: str, place: str) -> None:
    run = hostile(name, message, place)
    validate(run)
    for form in (*outputs.FORMS, *outputs.JUNIT):
        shown = made(form, run)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff\ufffe]", shown)
        assert "##[" not in shown
        commands = [line for line in shown.splitlines() if line.lstrip().startswith("::")]
        allowed = shown.splitlines() if form == "github-annotations" else []
        assert [line for line in commands if line not in allowed] == []
    assert len(made("github-annotations", run).splitlines()) <= 3 * workflow.EACH
    found = suites(made("junit", run))["py3.12-django5.0"]
    assert (found.tests, found.failures, found.skipped) == (4, 1, 1)


def test_what_a_log_would_obey_is_inert() -> None:
    said = clean.inert("a\n  ::add-mask::x\nb ::c\n::error::d\n\t::e")
    assert [line for line in said.splitlines() if line.lstrip().startswith("::")] == []
    assert "b ::c" in said
    assert clean.block("a\n\t::error::b\nc\x1b\td", 100) == "a\n\t\\x3a:error::b\nc\\x1b\td"
    assert workflow._command("error", {"title": "a:b,c\n"}, "x\n::error::y%") == (
        "::error title=a%3Ab%2Cc%0A::x%0A::error::y%25"
    )


def test_huge_messages_are_cut_and_said_to_be() -> None:
    run = hostile("tests/a.py::b", "x" * 5_000_000, "a.py:3")
    for form in (*outputs.FORMS, *outputs.JUNIT):
        if form != "json":  # run.json itself
            assert len(made(form, run)) < 300_000
    assert re.search(r"4,9\d\d,\d{3} more characters", made("junit", run))


# What the receiving side takes.


def test_sarif_keeps_to_what_github_takes() -> None:
    run, _ = many.big(3, 60, 40)
    whole = json.loads(sarif.render(run))["runs"][0]["results"]
    few = json.loads(sarif.render(run, results=3))["runs"][0]
    assert few["results"] == whole[:3]
    notes = few["invocations"][0]["toolExecutionNotifications"]
    assert said(note["message"]["text"] for note in notes) == len(issues.of(run)) - 3
    room = len(gzip.compress(sarif.render(run).encode(), 6)) - 1
    small = sarif.render(run, gzipped=room)
    assert len(gzip.compress(small.encode(), 6)) <= room
    assert len(whole) > len(json.loads(small)["runs"][0]["results"]) > 0


def test_annotations_are_as_many_as_github_shows() -> None:
    run, _ = many.big(8, 60, 50)
    lines = workflow.render(run, each=3).splitlines()
    for command in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{command} ") for line in lines) <= 3
    assert "more are not shown here" in lines[-1]


@pytest.mark.parametrize("room", [60_000, 20_000, 1_500])
def test_markdown_fits_and_says_what_is_left_out(room: int) -> None:
    run = many.big(8, 250, 240, causes=240)[0]
    whole = github.step_summary(run)
    for shown, size in (
        (github.step_summary(run, room), lambda text: len(text.encode())),
        (github.comment(run, room), len),
    ):
        assert size(shown) <= room
        assert summarise(run, releases.load()).title in shown
        assert "more" in shown
    assert len(whole) > len(github.step_summary(run, len(whole) - 1)) > 5_000
    assert "more lines are left out" in github.comment(run, 1_500)
    assert github.comment(run).startswith("<!-- djhop -->\n")


def test_gitlab_gets_what_failed_first() -> None:
    run, results = many.big(4, 300, 20)
    budget = junit.Budget(bytes=200_000, objects=100_000)
    shown = "".join(junit.lines(run, pairs.of(run, results), budget))
    assert len(shown.encode()) <= 200_000
    for cell in run.cells:
        suite = suites(shown)[cell.id]
        assert suite.failures + suite.errors == cell.failing + len(cell.dead_modules)
        left_out = next(p.value for p in suite.properties() if p.name == "djhop.left-out")
        cut = int(left_out.split()[0])
        assert cut + suite.tests == len(cases.of(cell, results[cell.id])) and cut > 0
    few = junit.Budget(bytes=10_000_000, objects=3_000)
    small = "".join(junit.lines(run, pairs.of(run, results), few))
    assert small.count("<testcase") < 400


def test_quality_says_what_it_leaves_out() -> None:
    rows = json.loads(quality.render(EVERY[0], entries=2))
    assert len([row for row in rows if row["check_name"] != "djhop/note"]) == 2
    assert said(row["description"] for row in rows) == len(issues.of(EVERY[0])) - 2


# What is shown first, and what is meant.


def test_the_projects_own_and_soonest_come_first() -> None:
    found = issues.of(EVERY[0])
    kinds = [issue.kind for issue in found]
    assert list(dict.fromkeys(kinds)) == ["break", "step", "deprecation"]
    assert [issue.level for issue in found if issue.kind == "step"] == ["error", "error", "warning"]
    places = [issue.path for issue in found if issue.kind == "deprecation"]
    assert places == ["tests/urls.py", "tests/urls.py", "", ""]


def test_a_hop_that_may_fail_is_no_error() -> None:
    cells = Cell(django="4.2", python="3.12"), Cell(django="5.0", python="3.12")
    red = (Case(id="a", strict="failed", plain="failed", failure=many.failure(1)),)
    results = {
        cells[0].id: many.result(
            cells[0], "passed", (Case(id="a", strict="passed", plain="passed"),)
        ),
        cells[1].id: many.result(cells[1], "failed", red, allow_failure=True),
    }
    (issue,) = issues.of(many.finished(many.plan_of(cells), results))
    assert (issue.kind, issue.level) == ("break", "warning")


def test_what_is_not_judged_is_never_silent() -> None:
    lines = issues.unjudged(EVERY[0])
    assert any("is blocked: " in line for line in lines)
    for form in ("sarif", "gitlab-quality", "github-annotations"):
        assert "is blocked: " in made(form)


@given(st.sampled_from(["passed", "failed", "error", "skipped", "xfailed", "xpassed", "crashed",
                        "not-run", None]))  # fmt: skip
def test_a_state_is_what_a_comparison_takes_it_for(outcome: Any) -> None:
    same = {"failed": {"failed", "error"}, "absent": {"absent"}, "skipped": {"skipped"}}
    assert cases.state(outcome) in same.get(kind(outcome), {"passed", "expected"})


def test_the_command_line_knows_every_form() -> None:
    assert set(options.FORMATS) == {
        *(*outputs.FORMS, *outputs.JUNIT, *outputs.COVERAGE, outputs.HTML)
    }


def test_cells_are_read_one_after_the_other() -> None:
    asked: list[str] = []

    class Watched(dict[str, CellResult]):
        def get(self, name: str, default: object = None) -> Any:
            asked.append(name)
            return super().get(name)

    run, results = EVERY
    for form in (jsonl, junit, ctrf):
        asked.clear()
        pieces = form.lines(run, pairs.of(run, Watched(results)))
        out = io.StringIO()
        while len(asked) < 2:
            out.write(next(pieces))
        assert run.cells[0].id in out.getvalue() and run.cells[2].id not in out.getvalue()
