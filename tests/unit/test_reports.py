"""Reports: golden pictures of three runs, equal numbers in every format, and hostile text.

To accept a change of the pictures: DJHOP_ACCEPT=1 python -m pytest tests/unit/test_reports.py
"""

from __future__ import annotations

import datetime
import itertools
import json
import os
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djhop import releases
from djhop.compare.compare import compare
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.reports import json as json_report
from djhop.reports import markdown, screen, text
from djhop.reports.clean import spelled
from djhop.reports.summary import one_line, summarise
from djhop.resolve.blockers import Blocker
from djhop.results.results import CellResult, Counts, Deprecation, Failure, Owner, Pass
from djhop.results.results import Test as Case
from djhop.store import record
from djhop.store.blame import Blamed
from djhop.store.record import Run
from djhop.target.target import Suite, Target

ACCEPTING = bool(os.environ.get("DJHOP_ACCEPT"))  # now: tests run in a clean environment
GOLDEN = Path(__file__).parent / "golden"
ACCEPT = "DJHOP_ACCEPT=1 python -m pytest tests/unit/test_reports.py"
STARTED = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
PROJECT, DJANGO = Owner("project"), Owner("django")

URL = Failure(
    exception="ImportError",
    message="cannot import name 'url' from 'django.conf.urls' (/x/django/conf/urls/__init__.py)",
    owner=PROJECT,
    place="tests/urls.py:3",
    raised_at="tests/urls.py:3",
    when="import",
)
URL_WARNS = Failure(
    exception="django.utils.deprecation.RemovedInDjango40Warning",
    message="django.conf.urls.url() is deprecated in favor of django.urls.re_path().",
    owner=PROJECT,
    place="tests/urls.py:7",
    raised_at="django/conf/urls/__init__.py:16",
    warning="RemovedInDjango40Warning",
    when="import",
)
INDEX = Failure(
    exception="TypeError",
    message="'class Meta' got invalid attribute(s): index_together",
    owner=PROJECT,
    place="taggit/migrations/0002_auto_20150616_2121.py:13",
    raised_at="django/db/models/options.py:190",
    when="import",
)


def result(cell: Cell, status: str, tests: tuple[Case, ...] = (), **more: object) -> CellResult:
    """A cell's result with its counts, as `results.build` would count them."""
    counts = {}
    for mode in ("strict", "plain"):
        outcomes = [outcome for test in tests if (outcome := getattr(test, mode)) is not None]
        counts[mode] = Counts(**{kind: outcomes.count(kind) for kind in set(outcomes)})
    return msgspec.convert(
        {
            "id": cell.id,
            "django": cell.django,
            "python": cell.python,
            "status": status,
            "counts": counts,
            "tests": tests,
            **more,
        },
        CellResult,
        from_attributes=True,
    )


def hops(*pairs: tuple[Cell, Cell], on_path: bool = True) -> tuple[Hop, ...]:
    return tuple(
        Hop(before=b, after=a, axis="django" if b.python == a.python else "python", on_path=on_path)
        for b, a in pairs
    )


def finished(name: str, plan: Plan, results: list[CellResult], **changes: object) -> Run:
    target = Target(
        root="/home/me/" + name,
        name=name,
        sources=(),
        django=plan.path[0].django,
        suite=Suite(kind="django", argv=("manage.py", "test")),
        notes=("The settings module is tests.settings, as tox.ini says.",),
    )
    run = record.begin("20261121-014452-lts", target, Matrix(name="lts"), plan, started=STARTED)
    found = {one.id: one for one in results}
    compared = compare(
        plan, found, reproduce=lambda cell, test: f"djhop run . --cells {cell} -- {test}"
    )
    run = record.finish(run, found, compared, seconds=32.4)
    return msgspec.structs.replace(run, djhop="0.1.0", **changes)


def taggit() -> Run:
    """What djhop sees of django-taggit 1.2.0: green, deprecated, dead, dead for another reason."""
    path = tuple(
        Cell(django=django, python=python)
        for django, python in (
            ("2.2", "3.8"),
            ("3.2", "3.8"),
            ("4.2", "3.8"),
            ("4.2", "3.10"),
            ("5.2", "3.10"),
        )
    )
    away = Cell(django="5.2", python="3.14")
    ids = [f"tests.tests.TaggableManagerTestCase.test_{n:03}" for n in range(314)]
    green = tuple(Case(id=name, strict="passed", plain="passed") for name in ids)
    packages = {"django": "2.2.28", "pytz": "2019.3", "sqlparse": "0.3.0"}
    later = {"django": "3.2.25", "asgiref": "3.8.1", "pytz": "2024.1", "sqlparse": "0.3.0"}
    newest = {"django": "4.2.30", "asgiref": "3.8.1", "sqlparse": "0.5.1"}
    warned = Deprecation(
        category="RemovedInDjango40Warning",
        message=URL_WARNS.message,
        place="tests/urls.py:7",
        owner=PROJECT,
        removed_in="4.0",
        when="import",
        count=4,
        in_target=True,
    )
    theirs = Deprecation(
        category="RemovedInDjango41Warning",
        fatal=False,
        message="'jsonfield' defines default_app_config. You can remove it.",
        place="jsonfield/__init__.py:1",
        owner=Owner("package", "jsonfield"),
        removed_in="4.1",
        when="import",
    )
    results = [
        result(
            path[0], "passed", green, coverage=91.24, packages=packages, seconds={"strict": 3.1}
        ),
        result(
            path[1],
            "deprecated",
            green,
            reason="strict died outside the tests",
            coverage=90.5,
            failures=(("strict", URL_WARNS),),
            passes=(Pass(mode="strict", died="import"), Pass(mode="plain", ran=314)),
            deprecations=(warned, theirs),
            packages=later,
            moves_why={"asgiref": "Django 3.2 needs it"},
        ),
        result(path[2], "uncollectable", failures=(("plain", URL),), packages=newest),
        result(path[3], "uncollectable", failures=(("plain", URL),), packages=newest),
        result(path[4], "uncollectable", failures=(("plain", INDEX),), packages=newest),
        result(away, "no-python", hint="uv python install 3.14"),
    ]
    plan = Plan(
        cells=(*path, away),
        path=path,
        hops=(
            *hops(*itertools.pairwise(path)),
            *hops((path[4], away), on_path=False),
        ),
        notes=("Django 2.2 is in use, as requirements.txt says.",),
    )
    return finished("django-taggit", plan, results)


def framework() -> Run:
    """A suite that mostly survives: several causes with several owners, skips, flaky tests."""
    path = tuple(Cell(django=django, python="3.12") for django in ("4.2", "5.0", "5.1", "5.2"))
    beside = Cell(django="5.2", python="3.13")
    ids = [f"tests/test_{m}.py::Test{m.title()}::test_{n}" for m in MODULES for n in range(60)]
    base = {name: Case(id=name, strict="passed", plain="passed") for name in ids}
    bad = Case(id="tests/test_old.py::test_red", strict="failed", plain="failed", failure=ASSERTS)
    base[bad.id] = bad
    five = base | {
        name: Case(id=name, strict="failed", plain="failed", failure=FORM) for name in ids[:41]
    }
    five |= {name: Case(id=name, strict="error", plain="error", failure=ORM) for name in ids[60:69]}
    five |= {
        name: Case(id=name, strict="skipped", plain="skipped", skip_reason="coreapi is not there")
        for name in ids[120:132]
    }
    five |= {ids[200]: Case(id=ids[200], strict="failed", plain="passed", flaky=True)}
    lost = {name: test for name, test in five.items() if "test_views" not in name}
    lost |= {VIEWS: Case(id=VIEWS, strict="error", plain="error", failure=NO_MODULE)}
    results = [
        result(path[0], "failed", tuple(base.values()), coverage=88.0, packages={"pytz": "2024.1"}),
        result(
            path[1], "failed", tuple(five.values()), coverage=84.3, packages={"tzdata": "2024.1"}
        ),
        result(path[2], "failed", tuple(five.values()), coverage=84.3),
        result(
            path[3],
            "failed",
            tuple(lost.values()),
            coverage=70.0,
            failures=((VIEWS, NO_MODULE),),
            forced=False,
        ),
        result(
            beside,
            "unresolvable",
            reason="2 packages do not allow it: django-oscar, django-tables2",
            blockers=BLOCKERS,
        ),
    ]
    plan = Plan(
        cells=(*path, beside),
        path=path,
        hops=(*hops(*itertools.pairwise(path)), *hops((path[3], beside), on_path=False)),
    )
    return finished("rest-framework", plan, results, coverage=91.4)


def alone() -> Run:
    """What a reported command runs again: one test in one cell; and a cell that crashes."""
    cells = (Cell(django="5.0", python="3.12"), Cell(django="5.2", python="3.12"))
    red = Case(id="tests/test_forms.py::test_0", plain="failed", strict="failed", failure=FORM)
    plan = Plan(cells=cells, path=(cells[0],), hops=())
    dead = result(cells[1], "crashed", reason="the process ended with SIGSEGV before any test")
    return finished("shop", plan, [result(cells[0], "failed", (red,)), dead])


BLOCKERS = (
    Blocker(
        package="django-oscar",
        version="3.2.4",
        constraint="django>=3.2,<4.3",
        chain=("django-oscar==3.2.4", "django>=3.2,<4.3"),
        first_allowing="4.0",
    ),
    Blocker(
        package="django-tables2",
        version="2.3.4",
        constraint="django<4.2",
        chain=("django-oscar==3.2.4", "django-tables2==2.3.4", "django<4.2"),
        first_allowing="",
    ),
)
MODULES = ("forms", "orm", "schemas", "routers", "views")
VIEWS = "tests/test_views.py"
ASSERTS = Failure(
    exception="AssertionError",
    message="assert 404 == 200",
    owner=PROJECT,
    place="tests/test_old.py:9",
)
FORM = Failure(
    exception="TypeError",
    message="SimpleTestCase.assertFormError() got an unexpected keyword argument 'response'",
    owner=PROJECT,
    place="tests/test_forms.py:31",
    raised_at="tests/test_forms.py:31",
)
ORM = Failure(
    exception="django.core.exceptions.FieldError",
    message="Cannot resolve keyword 'slug' into field. Choices are: id, name",
    owner=Owner("package", "django-guardian"),
    place="tests/test_orm.py:12",
    raised_at="django/db/models/sql/query.py:1724",
)
NO_MODULE = Failure(
    exception="ModuleNotFoundError",
    message="No module named 'pytz'",
    owner=PROJECT,
    place="tests/test_views.py:3",
    raised_at="tests/test_views.py:3",
    when="collect",
)


@pytest.mark.parametrize("name", ["taggit", "framework", "alone"])
@pytest.mark.parametrize("form", ["txt", "wide.txt", "screen.txt", "md"])
def test_golden(name: str, form: str) -> None:
    """The reports look as they did when a person last looked at them."""
    run = {"taggit": taggit, "framework": framework, "alone": alone}[name]()
    made = {
        "txt": lambda: text.render(run, width=80),
        "wide.txt": lambda: text.render(run, width=120),
        "screen.txt": lambda: screen.render(run),
        "md": lambda: markdown.render(run),
    }[form]()
    picture = GOLDEN / f"{name}.{form}"
    if ACCEPTING:
        GOLDEN.mkdir(exist_ok=True)
        picture.write_text(made, encoding="utf-8")
    assert made == picture.read_text(encoding="utf-8"), f"to accept: {ACCEPT}"


# One summary, many faces.


def test_every_format_says_the_same_numbers() -> None:
    for run in (taggit(), framework(), alone()):
        summary = summarise(run, releases.load())
        faces = (text.render(run), markdown.render(run))
        for face in faces:
            flat = " ".join(face.replace("\\", "").split())
            for hop in summary.path:
                assert hop.title in flat
                assert hop.sentence in flat
            shown = [c for hop in summary.path for c in (*hop.causes, *hop.deprecated)]
            for cause in (*shown, *(c for red in summary.standing for c in red.causes)):
                assert cause.count in flat
                assert cause.headline in flat
            for square in summary.grid.values():
                assert f"{square.sign} {square.count}".strip() in flat
        data = json.loads(json_report.render(run))
        for hop, view in zip(data["hops"], (*summary.path, *summary.beside), strict=True):
            names = ("broke", "broke_differently", "vanished", "newly_skipped", "new_failures")
            assert sum(len(hop[name]) for name in names) == view.breaking


def test_answer_is_one_sentence_that_needs_nothing_else() -> None:
    summary = summarise(taggit(), releases.load())
    assert summary.answer == (
        "3.2 → 4.2 breaks 314 tests for 1 reason, in your code; Python 3.8 → 3.10 and 4.2 → 5.2 "
        "cannot be judged; 2.2 → 3.2 breaks nothing, with deprecations."
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    for run in (taggit(), framework()):
        for face in (text.render(run, width=width), screen.render(run, width=width)):
            for line in face.splitlines():
                assert len(line) <= width or line.lstrip().startswith(("$ ", "https://")), line


def test_colour_adds_escapes_and_nothing_else() -> None:
    for run in (taggit(), framework()):
        for render in (text.render, screen.render):
            colored = render(run, color=True)
            assert "\x1b[" in colored
            bare = re.sub(r"\x1b\[\d+m", "", colored)
            assert "".join(bare.split()) == "".join(render(run).split())


def test_the_path_is_seen_without_colour() -> None:
    grid = text.render(taggit()).split("▸ the path")[0]
    assert grid.count("▸") == 5


def test_lists_are_cut_and_say_so() -> None:
    report = text.render(framework())
    assert "… and 7 more" in report
    assert "run.json" in report.splitlines()[-1]


def test_what_a_bisect_found_is_said_under_its_cause() -> None:
    run = framework()
    hop = next(hop for hop in run.hops if hop.groups)
    found = Blamed(
        cause=hop.groups[0].cause,
        hop=hop.id,
        outcome="found",
        said="Django 5.0.3 is the last good.",
        links=("https://docs.djangoproject.com/en/stable/releases/5.0.4/",),
        file="bisect/1.json",
    )
    blamed = msgspec.structs.replace(run, blames=(found,))
    for made in (text.render(blamed), markdown.render(blamed)):
        (line,) = (line for line in made.splitlines() if "bisect:" in line)
        assert line.strip().removeprefix("- ").startswith("bisect: Django 5.0.3 is the last good.")
        assert found.links[0] in made
    # Of another hop, the same cause has nothing to do with it.
    elsewhere = msgspec.structs.replace(found, hop="py3.10-django2.2..py3.10-django3.2")
    assert "bisect:" not in text.render(msgspec.structs.replace(run, blames=(elsewhere,)))


def test_quiet_series_and_lost_filters_are_told() -> None:
    cells = (Cell(django="4.0", python="3.10"), Cell(django="4.1", python="3.10"))
    plan = Plan(cells=cells, path=cells, hops=hops(cells))
    weak = (Pass(mode="strict", canary=False),)
    one = Case(id="a", plain="passed")
    run = finished(
        "shop",
        plan,
        [result(cells[0], "passed", (one,), passes=weak), result(cells[1], "passed", (one,))],
        complete=False,
    )
    report = " ".join(text.render(run).split())
    assert "Django 4.1 itself raises no DeprecationWarning" in report
    assert "py3.10-django4.0: the strict filter was not in force" in report
    assert "py3.10-django4.0 and py3.10-django4.1: 1 test without strict outcome" in report
    assert "The run was cut short" in report


def test_what_a_cell_lacks_comes_with_what_to_type() -> None:
    cells = (Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12"))
    plan = Plan(cells=cells, path=cells, hops=hops(cells))
    unset = Failure(exception="KeyError", message="'DATABASE_URL'", owner=Owner("environment"))
    dead = [result(cell, "uncollectable", failures=(("plain", unset),)) for cell in cells]
    run = finished("shop", plan, dead)
    assert '→ djhop.toml: pass-env = ["DATABASE_URL"]' in " ".join(text.render(run).split())
    assert r'djhop.toml: pass-env = \["DATABASE\_URL"\]' in markdown.render(run)


def test_a_failed_system_check_is_named() -> None:
    cells = (Cell(django="2.0", python="3.6"), Cell(django="2.2", python="3.6"))
    plan = Plan(cells=cells, path=cells, hops=hops(cells))
    said = "System check identified some issues:\n\nERRORS:\n?: (admin.E406) add it.\n"
    for message in (said, f"SystemCheckError: {said}"):
        checked = Failure(exception="SystemCheckError", message=message, owner=PROJECT)
        dead = [result(cell, "uncollectable", failures=(("plain", checked),)) for cell in cells]
        report = text.render(finished("shop", plan, dead))
        assert "SystemCheckError: ?: (admin.E406) add it." in report


def test_removals_are_told_from_the_table_not_from_digits() -> None:
    cells = (Cell(django="6.0", python="3.13"), Cell(django="6.1", python="3.13"))
    plan = Plan(cells=cells, path=cells, hops=hops(cells))
    use = Deprecation(
        category="RemovedInDjango70Warning",
        message="old",
        place="app/a.py:1",
        owner=PROJECT,
        removed_in="2028",
    )
    seen = [
        result(cell, "passed", (Case(id="a", plain="passed"),), deprecations=(use,))
        for cell in cells
    ]
    (removal,) = summarise(finished("shop", plan, seen), releases.load()).removals
    assert removal.title == "removed in Django 2028"
    assert "7.0" not in removal.relation


def test_one_line_for_the_board() -> None:
    cell = Cell(django="4.2", python="3.12")
    tests = (Case(id="a", strict="passed", plain="passed"),)
    done = result(cell, "passed", tests, coverage=91.24, seconds={"strict": 2.0, "plain": 1.2})
    assert one_line(done) == "✓ passed  1, 91.2 % covered, 3.2 s"
    assert one_line(result(cell, "no-python", reason="no 3.12")) == "? no-python  no 3.12"


# Hostile text.

NASTY = (
    "\x1b[2J\x9b31m\x07\r\n\u202egnp.exe\u2066 \ud800 <script>alert(1)</script> | @admin #12 `x` "
    "``` [a](http://evil) www.evil.org --> **b** \\ &amp; \u200b\ufeff\x00"
)


def hostile(nasty: str) -> Run:
    cells = (Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12"))
    plan = Plan(cells=cells, path=cells, hops=hops(cells), notes=(nasty,))
    why = Failure(exception=nasty, message=nasty, owner=Owner("package", nasty), place=nasty)
    use = Deprecation(category=nasty, message=nasty, place=nasty, owner=PROJECT, when=nasty)
    names = [f"{n}{nasty}" for n in range(4)]
    green = tuple(Case(id=name, strict="passed", plain="passed") for name in names)
    red = (
        Case(id=names[0], plain="failed", failure=why),
        Case(id=names[1], plain="skipped", skip_reason=nasty),
        Case(id=names[2], plain="passed", flaky=True),
    )
    after = result(cells[1], "failed", red, reason=nasty, deprecations=(use,), notes=(nasty,))
    run = finished("x" + nasty, plan, [result(cells[0], "passed", green, packages={}), after])
    return msgspec.structs.replace(run, name=nasty)


UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@settings(max_examples=50)
@given(st.one_of(st.just(NASTY), st.text(st.characters(), max_size=60)))
def test_nothing_from_a_target_steers_a_terminal_or_a_page(nasty: str) -> None:
    run = hostile(nasty)
    faces = (text.render(run), screen.render(run), markdown.render(run))
    for face in (*faces, json_report.render(run)):
        assert not UNSAFE.search(face)
        face.encode("utf-8")
    json.loads(json_report.render(run))


def test_markdown_means_nothing_but_itself() -> None:
    report = markdown.render(hostile(NASTY))
    code = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
    outside = code.sub("", re.sub(r"\\`", "", report))
    assert "<script" not in outside
    assert not re.search(r"@\w", outside)
    assert not re.search(r"(?<!\\)\[a(?<!\\)\]\(", outside)
    assert "www.evil" not in outside
    for line in report.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 4 or "covered" in line or "---" in line


@given(st.text(st.characters(), max_size=80))
def test_spelled_text_is_printable(raw: str) -> None:
    made = spelled(raw)
    assert not UNSAFE.search(made)
    assert spelled(made) == made


def test_json_can_hold_every_test_of_every_cell() -> None:
    cell = Cell(django="4.2", python="3.12")
    one = result(cell, "passed", (Case(id="a", plain="passed"),))
    data = json.loads(json_report.render(taggit(), cells=[one]))
    assert data["results"][cell.id]["tests"][0]["id"] == "a"
    assert "results" not in json.loads(json_report.render(taggit()))
