"""Ready or not: two decision tables against an oracle, and what each gate makes of a run."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema
import many
import msgspec
import pytest

from djhop import cli, paired, releases
from djhop.compare.compare import compare
from djhop.errors import ExitCode, UsageError
from djhop.fixes.proof import CauseFixed, Fix
from djhop.matrix.plan import Cell
from djhop.matrix.ready import Ready, Weight
from djhop.paired import Paired, Ratio
from djhop.readiness import written
from djhop.readiness.judge import Asked, Readiness, judge
from djhop.readiness.verdict import Gate, Measure, State, Verdict, exit_code, state, verdict
from djhop.readiness.way import find
from djhop.results.results import CellResult, Deprecation, Pass
from djhop.results.results import Test as Case
from djhop.results.steps import Crossing, Finding, Step
from djhop.store import record, schemas
from djhop.store.record import Run

ACCEPTING = bool(os.environ.get("DJHOP_ACCEPT"))  # now: tests run in a clean environment
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "ready.schema.json"
ACCEPT = "DJHOP_ACCEPT=1 python -m pytest tests/unit/test_readiness.py -k schema"
OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = "py3.12-django4.2..py3.12-django5.2"
DAY = datetime.date(2026, 11, 21)
FINE = {name: Step(status="ok") for name in ("checks", "migrations", "database", "settings")}
CROSSED = Crossing(before=OLD.id, after=NEW.id, steps={"upgrade": Step(status="ok")})
FAST = Paired(hop=HOP, pairs=((1.0, 1.0),) * 8,
              ratio=Ratio(estimate=1.0, low=0.99, high=1.01, confidence=0.96))  # fmt: skip
STRICT = Pass(mode="strict", canary=True)


def case(name: str, outcome: str = "passed") -> Case:
    failure = many.failure(1) if outcome == "failed" else None
    return msgspec.convert(
        {"id": name, "strict": outcome, "plain": outcome, "failure": failure},
        Case,
        from_attributes=True,
    )


def cell(at: Cell, tests: tuple[Case, ...] = (case("a"), case("b")), **more: Any) -> CellResult:
    red = any(test.plain == "failed" for test in tests)
    status = more.pop("status", "failed" if red else "passed")
    given = {"coverage": 95.0, "steps": FINE, "passes": (STRICT,), "counts_queries": True, **more}
    return many.result(at, status, tests, **given)


def test_a_run_with_another_revision_before_the_hop_is_never_ready() -> None:
    """What the code of today warns of was not seen in any cell."""
    run = ready_run()
    asked = Asked(goal="5.2", day=DAY)
    assert judge(run, releases.load(), asked).verdict == "ready"
    matrix = msgspec.structs.replace(run.matrix, settings={"before-rev": "main"})
    branch = msgspec.structs.replace(run, matrix=matrix, command=("djhop", "hop", "4.2", "5.2"))
    found = judge(branch, releases.load(), asked)
    assert found.verdict == "unknown" and "code of main" in found.gates[0].said
    run = msgspec.structs.replace(branch, command=("djhop", "run"))  # there, of databases alone
    assert judge(run, releases.load(), asked).verdict == "ready"


def ready_run(
    before: CellResult | None = None,
    after: CellResult | None = None,
    *,
    crossing: Crossing | None = CROSSED,
    **changes: Any,
) -> Run:
    """A run that is ready for 5.2 in every way, but for what is given."""
    results = {OLD.id: before or cell(OLD), NEW.id: after or cell(NEW)}
    plan = many.plan_of((OLD, NEW))
    run = many.finished(plan, results)
    crossings = {HOP: crossing} if crossing else {}
    compared = compare(plan, results, reproduce=run.reproduce, crossings=crossings)
    run = record.finish(run, results, compared)
    return msgspec.structs.replace(run, performance=(FAST,), **changes)


def judged(run: Run, goal: str = "5.2", day: datetime.date = DAY, **ready: Any) -> Readiness:
    asked = Asked(goal=goal, day=day, ready=msgspec.convert(ready, Ready))
    return judge(run, releases.load(), asked)


def gate(found: Readiness, name: str) -> Gate:
    return next(one for one in found.gates if one.name == name)


# The tables.


def oracle(weight: Weight, measures: tuple[Measure, ...]) -> State:
    """What the documentation says, written otherwise: from the worst to the best."""
    if weight == "told":
        return "told"
    if "broken" in measures or (weight == "must" and "open" in measures):
        return "unmet"
    if "unseen" in measures or not measures:
        return "unknown"
    return "condition" if "open" in measures else "met"


@pytest.mark.parametrize("weight", get_args(Weight))
def test_each_gate_is_decided_as_documented(weight: Weight) -> None:
    kinds = get_args(Measure)
    for count in range(4):
        for measures in itertools.product(kinds, repeat=count):
            assert state(weight, measures) == oracle(weight, measures), measures


def test_the_verdict_is_decided_as_documented() -> None:
    codes = {}
    for count in range(1, 5):
        for states in itertools.product(get_args(State), repeat=count):
            gates = tuple(Gate(name="suite", state=one, said="") for one in states)
            decided: Verdict = verdict(gates)
            if any(one == "unmet" for one in states):
                assert decided == "not ready"
            elif any(one == "unknown" for one in states):
                assert decided == "unknown"
            elif all(one == "told" for one in states):
                assert decided == "unknown", "nothing was asked"
            elif any(one == "condition" for one in states):
                assert decided == "ready with conditions"
            else:
                assert decided == "ready"
            codes[decided] = exit_code(decided)
    assert codes == {
        "ready": ExitCode.OK,
        "ready with conditions": ExitCode.CONDITIONS,
        "not ready": ExitCode.BREAKS,
        "unknown": ExitCode.INCOMPLETE,
    }
    assert verdict(()) == "unknown"


# What each gate makes of a run.


def test_a_run_without_anything_in_the_way_is_ready() -> None:
    found = judged(ready_run())
    assert found.verdict == "ready", found.said
    assert {one.state for one in found.gates} == {"met"}
    assert found.said == "shop is ready for Django 5.2."


USE = Deprecation(
    category="RemovedInDjango50Warning", message="utc is old", place="app/a.py:1",
    owner=many.PROJECT, removed_in="5.0",
)  # fmt: skip
NEW_CHECK = Step(status="found", findings=(Finding(id="models.W042", level="warning"),))
BAD_CHECK = Step(status="found", findings=(Finding(id="fields.E001", level="error"),))
UPGRADED = Step(status="ok", findings=(Finding(id="upgrade.changed", about="t", level="info"),))
GONE = Step(status="not-available", reason="no manage.py")
STILL = (case("a"), case("b", "failed"))


def crossed(order: str = "", **steps: Step) -> Crossing:
    return Crossing(before=OLD.id, after=NEW.id, order=order, steps=steps or {"upgrade": UPGRADED})  # type: ignore[arg-type]


#: What is otherwise than in the run that is ready → the one gate that is not met, and how.
CHANGES: dict[str, tuple[Run, str, State]] = {
    "a test breaks": (ready_run(after=cell(NEW, STILL)), "suite", "unmet"),
    "it may fail": (ready_run(after=cell(NEW, STILL, allow_failure=True)), "suite", "condition"),
    "red before and after": (
        ready_run(cell(OLD, STILL), cell(NEW, STILL)), "failing", "condition"),
    "nothing was run": (ready_run(after=cell(NEW, (), status="not-run")), "suite", "unknown"),
    "blocked": (ready_run(after=cell(NEW, (), status="unresolvable")), "suite", "unmet"),
    "packages": (ready_run(after=cell(NEW, (), status="unresolvable")), "packages", "unmet"),
    "no such Python": (ready_run(after=cell(NEW, (), status="no-python")), "suite", "unknown"),
    "cut short": (ready_run(complete=False), "way", "unknown"),
    "a part of the suite": (ready_run(whole=False), "way", "unknown"),
    "a use that no test shows to work": (
        ready_run(cell(OLD, STILL, deprecations=(msgspec.structs.replace(USE, tests=("b",)),)),
                  cell(NEW, STILL)), "deprecations", "condition"),
    "a use that a test shows to work": (
        ready_run(cell(OLD, deprecations=(msgspec.structs.replace(USE, tests=("a",)),))),
        "deprecations", "met"),
    "of another hop": (
        ready_run(cell(OLD, deprecations=(msgspec.structs.replace(USE, removed_in="6.0"),))),
        "deprecations", "met"),
    "warnings are silenced": (
        ready_run(cell(OLD, passes=(Pass(mode="strict", canary=False),))),
        "deprecations", "unknown"),
    "the process ended early": (
        ready_run(cell(OLD, status="crashed")), "deprecations", "unknown"),
    "a new warning of checks": (
        ready_run(after=cell(NEW, steps={**FINE, "checks": NEW_CHECK})), "checks", "condition"),
    "a new error of checks": (
        ready_run(after=cell(NEW, steps={**FINE, "checks": BAD_CHECK})), "checks", "unmet"),
    "the same error on both sides": (
        ready_run(cell(OLD, steps={**FINE, "checks": BAD_CHECK}),
                  cell(NEW, steps={**FINE, "checks": BAD_CHECK})), "checks", "condition"),
    "no checks": (ready_run(cell(OLD, steps={}), cell(NEW, steps={})), "checks", "unknown"),
    "checks cannot be done": (
        ready_run(cell(OLD, steps={**FINE, "settings": GONE}),
                  cell(NEW, steps={**FINE, "settings": GONE})), "checks", "unknown"),
    "no migrations": (ready_run(cell(OLD, steps={}), cell(NEW, steps={})), "migrations", "unknown"),
    "migrate fails on both sides": (
        ready_run(cell(OLD, steps={**FINE, "database": Step(status="failed", reason="no")}),
                  cell(NEW, steps={**FINE, "database": Step(status="failed", reason="no")})),
        "migrations", "condition"),
    "no database crossed": (ready_run(crossing=None), "migrations", "unknown"),
    "the upgrade of a database fails": (
        ready_run(crossing=crossed(upgrade=Step(status="failed", reason="boom"))),
        "migrations", "unmet"),
    "deployed in any order": (
        ready_run(crossing=crossed("in any order: both versions work on both schemas")),
        "deploy", "met"),
    "deployed in one order": (
        ready_run(crossing=crossed("migrate first, then the new code")), "deploy", "condition"),
    "deployed in an order nobody knows": (ready_run(crossing=crossed()), "deploy", "unknown"),
    "a test asks more often": (
        ready_run(after=cell(NEW, (msgspec.structs.replace(case("a"), queries={"default": 3}),
                                   case("b")))), "queries", "condition"),
    "queries were not counted": (
        ready_run(after=cell(NEW, counts_queries=False)), "queries", "unknown"),
    "too little is covered": (ready_run(after=cell(NEW, coverage=89.9)), "coverage", "unmet"),
    "coverage was not measured": (ready_run(after=cell(NEW, coverage=None)), "coverage", "unknown"),
    "a part covers too little": (
        msgspec.structs.replace(ready_run(after=cell(NEW, coverage=40.0)), whole=False),
        "coverage", "unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_gate_says_what_a_run_shows(name: str) -> None:
    run, which, expected = CHANGES[name]
    found = judged(run)
    assert gate(found, which).state == expected, gate(found, which)
    assert (found.verdict == "ready") == (expected == "met"), found.said


def test_of_a_command_that_nobody_looks_into_no_deprecation_is_known() -> None:
    run = ready_run()
    run = msgspec.structs.replace(run, target=msgspec.structs.replace(run.target, suite="command"))
    assert gate(judged(run), "deprecations").state == "unknown"


def test_what_is_the_same_on_each_hop_is_said_once() -> None:
    run, _ = many.every_kind()
    found = gate(judged(run, goal="6.0"), "deploy")
    assert found.said == "each hop: in which order to deploy is not known"
    assert found.more == ()


def test_what_was_not_measured_is_never_ready() -> None:
    run = msgspec.structs.replace(ready_run(), performance=())
    found = judged(run)
    assert (found.verdict, gate(found, "performance").state) == ("unknown", "unknown")
    assert gate(found, "performance").hint == "djhop ready --measure"
    assert judged(run, performance=0).verdict == "ready", "it was not asked"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.9, 1.05, "met"), (1.06, 1.2, "unmet"), (0.9, 1.2, "unknown")],
)
def test_performance_is_decided_by_the_interval(low: float, high: float, expected: State) -> None:
    ratio = Ratio(estimate=1.0, low=low, high=high, confidence=0.96)
    one = msgspec.structs.replace(FAST, ratio=ratio)
    found = judged(msgspec.structs.replace(ready_run(), performance=(one,)))
    assert gate(found, "performance").state == expected
    other = msgspec.structs.replace(one, hop="py3.12-django3.2..py3.12-django4.2")
    found = judged(msgspec.structs.replace(ready_run(), performance=(other,)))
    assert gate(found, "performance").state == "unknown", "another hop tells nothing"


def test_a_gate_counts_as_the_matrix_says() -> None:
    run, *_ = CHANGES["a new warning of checks"]
    assert judged(run).verdict == "ready with conditions"
    assert judged(run, checks="must").verdict == "not ready"
    assert judged(run, checks="told").verdict == "ready"
    low = ready_run(after=cell(NEW, coverage=50.0))
    assert judged(low, coverage=50).verdict == "ready"
    assert judged(low, coverage=51).verdict == "not ready"
    assert judged(ready_run(after=cell(NEW, coverage=None)), coverage=0).verdict == "ready"


@pytest.mark.parametrize(("day", "expected"), [("2028-04-30", "met"), ("2028-05-01", "condition")])
def test_support_is_that_of_the_day_that_is_asked_for(day: str, expected: State) -> None:
    """Django 5.2 gets security fixes until April 2028."""
    found = judged(ready_run(), day=datetime.date.fromisoformat(day))
    one = gate(found, "support")
    assert (one.state, found.by) == (expected, day)
    assert "Django 4.2 has had no security fixes since 2026-04-07" in one.said


# The way.


def test_a_run_that_does_not_reach_the_goal_says_nothing_of_it() -> None:
    found = judged(ready_run(), goal="6.0")
    assert found.verdict == "unknown"
    assert "ends at Django 5.2: djhop run --to 6.0" in gate(found, "way").said


def test_a_run_that_begins_after_today_says_nothing_of_the_way_to_it() -> None:
    run = ready_run()
    run = msgspec.structs.replace(run, target=msgspec.structs.replace(run.target, django="3.2"))
    found = judged(run)
    assert found.verdict == "unknown"
    assert "the project is on Django 3.2, and the run begins at 4.2" in gate(found, "way").said
    run = broken_run()
    run = msgspec.structs.replace(run, target=msgspec.structs.replace(run.target, django="2.2"))
    work = shown(judged(run, goal="4.2"), "The order of work")
    assert work and not [line for line in work if "today: Django" in line], "nobody knows of today"


def test_a_hop_that_was_left_out_is_named() -> None:
    run = ready_run()
    later = Cell(django="6.0", python="3.12")
    laid = (*run.plan.path, later)
    run = msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, laid=laid))
    assert judged(run, goal="5.2").verdict == "ready", "what comes after the goal does not matter"
    found = judged(run, goal="6.0")
    assert "py3.12-django5.2..py3.12-django6.0 was not run" in gate(found, "way").said
    assert found.verdict == "unknown"


def test_only_what_is_on_the_way_to_the_goal_counts() -> None:
    run, _ = many.every_kind()
    way = find(run, "4.0")
    assert [hop.after for hop in way.hops] == ["py3.10-django4.0"]
    assert way.last and way.last.id == "py3.10-django4.0"
    assert find(run, "3.2").hops == ()


def test_a_goal_behind_the_project_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"on Django 4\.2, and 3\.2 is older"):
        judged(ready_run(), goal="3.2")


# What stands between, and in which order.


def broken_run(**changes: Any) -> Run:
    gone = many.failure(
        3, "cannot import name 'url' from 'django.conf.urls' (/x.py)",
        exception="ImportError", place="shop/urls.py:3",
    )  # fmt: skip
    red = msgspec.structs.replace(case("a", "failed"), failure=gone)
    series = Cell(django="3.2", python="3.8"), Cell(django="4.2", python="3.8")
    results = {
        series[0].id: many.result(series[0], "passed", (case("a"), case("b"))),
        series[1].id: many.result(series[1], "failed", (red, case("b"))),
    }
    return msgspec.structs.replace(many.finished(many.plan_of(series), results), **changes)


def shown(found: Readiness, title: str) -> list[str]:
    section = next((one for one in found.sections if one.title == title), None)
    lists = section.lists if section else ()
    return [text for one in lists for text in (one.label, *one.items)]


def test_what_breaks_is_told_by_owner_and_cause_with_counts() -> None:
    found = judged(broken_run(), goal="4.2")
    assert found.verdict == "not ready"
    assert shown(found, "Who it is up to") == ["your code: 1 cause, 1 test behind"]
    (hop, cause) = shown(found, "What breaks")
    assert hop.startswith("✗ 3.2 → 4.2 breaks")
    assert cause.startswith("1 test: ImportError: cannot import name 'url'")


def test_what_todays_django_has_the_replacement_of_can_be_done_today() -> None:
    work = shown(judged(broken_run(), goal="4.2"), "The order of work")
    assert work[0].startswith("can be written otherwise today: Django 3.2")
    assert work[1].startswith("1 test behind; django.conf.urls.url was removed in Django 4.0")
    assert "shop/urls.py:3" in work[1]
    assert "3.2 → 4.2: breaks 1 test" in work
    assert any("djhop fix --try" in line for line in work)


def test_a_replacement_that_comes_later_is_nothing_for_today() -> None:
    run = broken_run()
    known = run.causes[0].known
    assert known is not None
    later = msgspec.structs.replace(known, since="4.0")
    causes = (msgspec.structs.replace(run.causes[0], known=later),)
    work = shown(judged(msgspec.structs.replace(run, causes=causes), goal="4.2"),
                 "The order of work")  # fmt: skip
    assert not [line for line in work if "today: Django" in line]


@pytest.mark.parametrize(
    ("kept", "words"),
    [(True, "proven, and Django 3.2 on Python 3.8 passes with it as before"),
     (False, "proven for a hop, to be applied with it")],
)  # fmt: skip
def test_a_fix_that_is_proven_is_offered_where_it_belongs(kept: bool, words: str) -> None:
    run = broken_run()
    hop = run.hops[0]
    fix = Fix(
        id=hop.id, hop=hop.id, before=hop.before, after=hop.after, fixer="django-upgrade 1.33",
        causes=(CauseFixed(cause=hop.causes[0], behind=1, repaired=1),), behind=1, repaired=1,
        kept=kept, verdict="clean", broke_before=() if kept else ("b",),
    )  # fmt: skip
    run = msgspec.structs.replace(run, fixes=(fix,))
    found = judged(run, goal="4.2")
    work = shown(found, "The order of work")
    at = work.index(words)
    assert len([line for line in work if "djhop fix --write" in line]) == 1
    assert "repairs 1 of 1 test" in work[at + 1] and f"--hop {hop.id}" in work[at + 1]
    assert found.verdict == "not ready", "a fix that nobody has applied repairs nothing"


# In every format the same, and the command.


def test_the_published_schema_is_that_of_the_types() -> None:
    made = schemas.text(Readiness)
    if ACCEPTING:
        SCHEMA.write_bytes(made)
    assert SCHEMA.read_bytes() == made, f"the types changed; to accept: {ACCEPT}"


def test_what_is_printed_fits_the_schema() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for run in (ready_run(), broken_run(), many.every_kind()[0]):
        found = judged(run, goal=run.plan.path[-1].django)
        jsonschema.validate(json.loads(written.as_json(found)), schema)


def test_every_format_says_the_verdict_and_each_gate() -> None:
    for run in (ready_run(), broken_run(), many.every_kind()[0]):
        goal = run.plan.path[-1].django
        found = judged(run, goal=goal)
        for made in (written.text(found, width=400), written.markdown(found), written.html(found)):
            plain = re.sub(r"&#8204;|\\|<[^>]+>", "", made)
            assert found.verdict in plain or "is not known" in plain
            for one in found.gates:
                assert one.name in plain
        assert json.loads(written.as_json(found))["verdict"] == found.verdict


def test_text_is_as_wide_as_the_terminal() -> None:
    text = written.text(judged(broken_run(), goal="4.2"), width=60)
    assert max(len(line) for line in text.splitlines() if " " in line.strip()) <= 60


def test_the_command_writes_and_ends_as_the_verdict_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many.write(tmp_path / "one", broken_run(), {})
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ended:
        cli.main(["ready", str(tmp_path / "one"), "--format", "html", "-o", str(out)])
    assert ended.value.code == ExitCode.BREAKS
    assert "not ready for Django 4.2" in out.read_text("utf-8")
    many.write(tmp_path / "two", ready_run(), {})
    with pytest.raises(SystemExit) as ended:
        cli.main(["ready", str(tmp_path / "two"), "--to", "5.2", "--by", "2027-01-01", "--json"])
    assert ended.value.code == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["by"] == "2027-01-01"
    gates = tmp_path / "gates.toml"
    gates.write_text("[ready]\ncoverage = 99\n")
    with pytest.raises(SystemExit) as ended:
        cli.main(["ready", str(tmp_path / "two"), "--gates", str(gates)])
    assert ended.value.code == ExitCode.BREAKS


WRONG = [
    (["--to", "5.3"], "unknown Django series '5.3'"),
    (["--by", "soon"], "--by: 'soon' is not a day"),
    (["--gates", "none.toml"], "none.toml"),
    (["--hop", "a..b"], "are for --measure"),
    (["--measure", "--hop", "a..b"], "no hop 'a..b' on the way"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=lambda value: str(value)[:20])
def test_what_cannot_be_asked_is_said(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many.write(tmp_path / "one", ready_run(), {})
    with pytest.raises(SystemExit) as ended:
        cli.main(["ready", str(tmp_path / "one"), *words])
    assert ended.value.code == ExitCode.USAGE
    assert said in capsys.readouterr().err


def test_the_default_of_pairs_gives_an_interval() -> None:
    pairs = [(1.0, 1.0 + n / 1000) for n in range(Ready().pairs)]
    assert paired.ratio(pairs) is not None
