"""The HTML report in a real browser: every view and panel, keys, filters, axe, hostile texts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import big_run
import msgspec
import pytest

from djhop.compare.compare import judge
from djhop.matrix.plan import Hop
from djhop.reports.html import page as report
from djhop.results.eventlog import Printed
from djhop.results.owners import NO_SERVICE
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store.record import Run
from djhop.store.store import RunFolder

VIEWS = ("overview", "tests", "compare", "deprecations", "coverage", "times", "cells", "notes")
NASTY = (
    "<script>pwned()</script></script><img src=x onerror=alert(1)>{{7*7}}\x1b[2J\x00\u202egnp\ud800"
)
SPELLED = "</script><img src=x onerror=alert(1)>{{7*7}}\\x1b[2J\\x00\\u202egnp\\ud800"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of eight cells."""
    return big_run.make(tmp_path_factory.mktemp("run"), tests=400, failing=120, cells=9)


@pytest.fixture(scope="module")
def run(folder: RunFolder) -> Run:
    return folder.load()


@pytest.fixture(scope="module")
def path(run: Run, folder: RunFolder) -> Path:
    """The page of the run, with coverage."""
    ran = {
        one.id: {"/home/me/shop/shop/a.py": frozenset(range(at, 20))}
        for at, one in enumerate(run.plan.cells)
    }
    made = folder.path / "report.html"
    made.write_text(report.compose(run, folder.results(), lambda cell: ran[cell]), "utf-8")
    return made


def routes(run: Run) -> list[str]:
    """An address of every kind, all of them where there are few."""
    test = failing_test(run)
    return [
        *VIEWS,
        *(f"cell/{cell.id}" for cell in run.plan.cells),
        *(f"hop/{hop.id}" for hop in run.hops),
        *(f"cause/{cause.id}" for cause in run.causes[:3]),
        f"test/{quote(test, safe='')}",
    ]


def failing_test(run: Run) -> str:
    """A test that fails, and printed something."""
    return next(t for cause in run.causes for t in cause.tests if t.endswith("0"))


def go(page: Any, where: str) -> None:
    page.evaluate("where => { location.hash = where; }", f"#{where}")
    page.wait_for_function("where => location.hash === where", arg=f"#{where}")
    page.wait_for_timeout(30)


def test_every_view_and_panel_opens(opened: Open, path: Path, run: Run, shot: Any) -> None:
    page = opened(path)
    shot(page, "overview")
    for where in routes(run):
        go(page, where)
        kind, _, name = where.partition("/")
        if name:
            heading = page.inner_text("#panel h2")
            assert page.inner_text("#panel .kind").lower() == kind
            assert heading and "Not in this run" not in heading
            assert len(page.inner_text("#panel")) > len(heading) + 60
        else:
            shown = page.locator(".view:visible")
            assert shown.count() == 1
            assert shown.get_attribute("id") == where
        assert "[object" not in page.inner_text("body")
        assert "undefined" not in page.inner_text("body")
        if (
            where == kind
            or where.endswith((run.hops[0].id, run.plan.cells[0].id))
            or kind in ("test", "cause")
        ):
            shot(page, where.replace("/", "-").replace("%", "")[:60])
    go(page, f"test/{quote(failing_test(run), safe='')}")
    number = int(failing_test(run)[-5:])
    last = run.plan.path[-1].id
    assert f"order {number} in {last}" in page.locator("#panel .printed").last.inner_text()
    go(page, "cause/nothing")
    assert "This run has no cause nothing" in page.inner_text("#panel")


@pytest.mark.parametrize(
    ("scheme", "wide"),
    [
        ("light", 1280),
        pytest.param("dark", 390, marks=pytest.mark.slow),
        pytest.param("dark", 1280, marks=pytest.mark.slow),
        pytest.param("light", 390, marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_to_blame(
    opened: Open, path: Path, run: Run, scheme: str, wide: int, shot: Any
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="no axe: nox -s browser")
    code = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
    page = opened(path, wide=wide, color_scheme=scheme)
    page.evaluate(code)
    assert page.evaluate("typeof axe.run") == "function"
    ask = """async () => (await axe.run(document, RULES)).violations.map(
      (one) => [one.id, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))])"""
    kinds = {where.partition("/")[0]: where for where in routes(run)}
    # Every link here is a permalink: axe takes those that are scrolled out of sight for skip links.
    ask = ask.replace("RULES", "{rules: {'skip-link': {enabled: false}}}")
    blamed = {}
    for where in kinds.values():
        go(page, where)
        if found := page.evaluate(ask):
            blamed[where] = found
    assert blamed == {}
    go(page, "overview")
    shot(page, f"overview-{scheme}-{wide}")
    page.keyboard.press("?")
    assert page.evaluate(ask) == []


def test_everything_goes_by_keyboard(opened: Open, path: Path) -> None:
    page = opened(path)
    focused = (
        "(document.activeElement.closest('li') ? 'in a list: ' : '') + document.activeElement.hash"
    )
    page.keyboard.press("/")
    page.wait_for_timeout(50)
    page.keyboard.type("orders0")
    assert "of 400 tests" in page.inner_text("#tests-list .heads")
    page.keyboard.press("ArrowDown")
    first = page.evaluate(focused)
    page.keyboard.press("j")
    second = page.evaluate(focused)
    assert first.startswith("in a list: #test/")
    assert second.startswith("in a list: #test/")
    assert first != second
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert page.evaluate(focused) == first
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")
    assert page.evaluate(focused) == first
    page.keyboard.press("1")
    page.keyboard.press("n")
    page.wait_for_selector("#panel:not([hidden])")
    one = page.inner_text("#panel h2")
    page.keyboard.press("n")
    page.wait_for_timeout(50)
    assert page.inner_text("#panel h2") != one
    page.keyboard.press("p")
    page.wait_for_timeout(50)
    assert page.inner_text("#panel h2") == one
    page.keyboard.press("Escape")
    for theme in ("light", "dark", None):
        page.keyboard.press("t")
        assert page.get_attribute("html", "data-theme") == theme
    page.keyboard.press("?")
    assert "search tests" in page.inner_text("dialog")
    page.keyboard.press("Escape")
    assert page.is_hidden("dialog")


def test_a_command_is_copied_with_one_click(opened: Open, path: Path, run: Run) -> None:
    page = opened(path)
    group = next(group for hop in run.hops for group in hop.groups if group.reproduce)
    page.locator(f'[data-copy="{group.reproduce}"]').first.click()
    page.wait_for_selector("#said.shown")
    test = next(cause.tests[0] for cause in run.causes if cause.hops)
    go(page, f"test/{quote(test, safe='')}")
    cells = {run.reproduce(cell.id, test) for cell in run.plan.cells}
    assert page.locator("#panel .command [data-copy]").first.get_attribute("data-copy") in cells


def listed(page: Any, list_: str = "#tests-list") -> dict[str, list[str]]:
    """Scroll through a list of tests; return the tests under the head of each group."""
    rows = page.evaluate(
        """async (place) => {
          const box = document.querySelector(place + ' .box'), rows = new Map();
          if (!box) return [];
          for (let top = 0; top <= box.scrollHeight; top += 450) {
            box.scrollTop = top;
            await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
            for (const li of box.querySelectorAll('li')) {
              const link = li.querySelector('a');
              const row = link ? decodeURIComponent(link.hash.slice(6))
                : '\\n' + li.querySelector('bdi').textContent;
              rows.set(Number(li.dataset.at), row);
            }
          }
          return [...rows].sort((a, b) => a[0] - b[0]).map(([, row]) => row); }""",
        list_,
    )
    found: dict[str, list[str]] = {}
    name = ""
    for row in rows:
        if row.startswith("\n"):
            name = row[1:]
        else:
            found.setdefault(name, []).append(row)
    return found


def test_filters_find_what_the_cells_say(
    opened: Open, path: Path, run: Run, folder: RunFolder
) -> None:
    page = opened(path, "#tests")
    cells = {cell: folder.read_cell(cell) for cell in folder.results()}
    last = run.plan.path[-1].id

    def found(where: str) -> set[str]:
        go(page, where)
        return {test for tests in listed(page).values() for test in tests}

    failing = {t.id for c in cells.values() for t in c.tests if t.plain == "failed"}
    assert found("tests?outcome=bad") == failing
    assert found(f"tests?outcome=s&cell={last}") == {
        t.id for t in cells[last].tests if t.plain == "skipped"
    }
    assert found("tests?outcome=flaky") == {
        t.id for c in cells.values() for t in c.tests if t.flaky
    }
    mine = {
        t.id
        for c in cells.values()
        for t in c.tests
        if t.failure and t.failure.owner.kind == "project"
    }
    assert found(f"tests?owner={quote('your code')}") == mine
    cause = next(cause for cause in run.causes if cause.hops)
    assert found(f"tests?cause={cause.id}") == set(cause.tests)
    broken = {test for hop in run.hops if hop.verdict == "breaks" for test in hop.breaking}
    assert broken
    assert found("tests?change=breaks&hop=breaks") == broken
    assert found("tests?q=module_001+orders3") == {
        t.id for t in cells[last].tests if "module_001" in t.id and "Orders3" in t.id
    }
    go(page, "tests?group=module&outcome=bad")
    assert all(test.startswith(name) for name, tests in listed(page).items() for test in tests)
    go(page, "tests?group=series&change=breaks")
    by_series = listed(page)
    assert {re.sub(r".* ", "", name) for name in by_series} == {
        hop.after.partition("django")[2] for hop in run.hops if hop.on_path and hop.breaking
    }


#: What the page calls each list of a comparison.
NAMES = {
    "broke": "broke",
    "broke_differently": "fails for another reason",
    "vanished": "vanished",
    "newly_skipped": "newly skipped",
    "new_failures": "new, and fails",
    "newly_deprecated": "newly deprecated",
    "fixed": "fixed",
    "appeared": "new",
    "gone": "gone, did not pass before",
    "flaky": "flaky",
    "unserved": "not judged: a service did not answer",
}


def every_pair(run: Run, folder: RunFolder) -> dict[str, CellResult]:
    """Two cells between which every kind of test becomes every other, for one reason or two."""
    outcomes = ("passed", "failed", "error", "skipped", "xfailed", "not-run", None)
    kinds = [
        (plain, strict, flaky)
        for plain in outcomes
        for strict in ("passed", "failed", None)
        for flaky in (False, True)
        if (plain, strict) != (None, None)
    ]
    one, two = run.plan.path[0].id, run.plan.path[-1].id
    sides: dict[str, list[Case]] = {one: [], two: []}
    for n, (was, now) in enumerate(itertools.product([*kinds, None], repeat=2)):
        for side, seen, reason in ((one, was, n % 5), (two, now, n // 5 % 5)):
            if seen is not None:
                failing = n % 7 > 0  # else nobody knows why it fails
                name = f"t.py::test_{n}"
                sides[side].append(
                    _case(name, *seen, reason=reason if failing else None, side=side)
                )
    return {
        cell: msgspec.structs.replace(
            folder.read_cell(cell), tests=tuple(tests), failures=(), status="failed"
        )
        for cell, tests in sides.items()
    }


def _case(
    name: str, plain: Any, strict: Any, flaky: bool, *, reason: int | None, side: str
) -> Case:
    reasons = (
        ("E", "same", "a.py:1"),
        ("E", f"other on {side}", "a.py:1"),
        ("AssertionError", f"{side} != 200", "a.py:1"),
        ("AssertionError", f"{side} != 200", f"a.py:{len(side)}"),
        ("OperationalError", "could not connect", "a.py:1"),
    )
    if reason is None or not ("failed" in (plain, strict) or plain == "error"):
        return Case(id=name, plain=plain, strict=strict, flaky=flaky)
    exception, message, place = reasons[reason]
    failure = Failure(
        exception=exception,
        message=message,
        place=place,
        owner=Owner("project"),
        why=NO_SERVICE if exception == "OperationalError" else "",
    )
    return Case(id=name, plain=plain, strict=strict, flaky=flaky, failure=failure)


@pytest.mark.slow
def test_any_two_cells_are_compared_as_djhop_does(
    opened: Open, run: Run, folder: RunFolder, tmp_path: Path
) -> None:
    results = every_pair(run, folder)
    before, after = (results[run.plan.path[at].id] for at in (0, -1))
    made = tmp_path / "report.html"
    made.write_text(report.compose(run, results), "utf-8")
    page = opened(made, f"#compare/{before.id}..{after.id}")
    expected = judge(
        before, after, Hop(before=run.plan.path[0], after=run.plan.path[-1], axis="django")
    )
    shown = listed(page, "#compare-result")
    assert shown
    for name, title in NAMES.items():
        assert sorted(shown.get(title, [])) == sorted(getattr(expected, name)), name


def test_hostile_texts_do_nothing(
    opened: Open, run: Run, folder: RunFolder, tmp_path: Path, shot: Any
) -> None:
    why = Failure(
        exception=NASTY, message=NASTY * 3, owner=Owner("package", NASTY), place=f"{NASTY}:1",
        raised_at=NASTY, frames=((NASTY, 1, NASTY, NASTY),), why=NASTY,
    )  # fmt: skip
    cells = {}
    for cell in run.plan.cells:
        result = folder.read_cell(cell.id)
        bad = Case(id=f"t.py::{NASTY}", plain="failed", failure=why, subtests=(NASTY,),
                   printed=Printed(head=NASTY, tail=NASTY, left_out=3))  # fmt: skip
        cells[cell.id] = msgspec.structs.replace(
            result, tests=(bad, *result.tests[:40]), failures=((NASTY, why),), notes=(NASTY,),
            packages={NASTY: NASTY}, reason=NASTY,
        )  # fmt: skip
    causes = tuple(
        msgspec.structs.replace(cause, message=NASTY, place=NASTY) for cause in run.causes
    )
    named = msgspec.structs.replace(run, name=NASTY, causes=causes, notes=(NASTY,))
    made = tmp_path / "report.html"
    made.write_text(report.compose(named, cells), "utf-8")
    page = opened(made)
    for where in (
        *routes(run),
        f"test/{quote('t.py::<script>pwned()</script>' + SPELLED, safe='')}",
    ):
        go(page, where)
        for field in ("cell", "owner", "group"):
            if where == "tests":
                page.select_option(f"select[name={field}]", index=1)
    assert SPELLED in page.inner_text("#panel")
    shot(page, "hostile")
    assert page.evaluate("document.querySelectorAll('img, script:not(#data)').length") == 1
    assert "\u202e" not in page.content()


def test_it_prints_and_needs_no_script_to_be_read(
    browser: Any, path: Path, run: Run, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    text = page.inner_text("main")
    for hop in run.hops:
        assert hop.reason in text
    assert "Coverage" in text and "What is not known" in text
    assert page.locator("#filters").is_hidden()
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF")
    context.close()


def test_the_address_keeps_what_was_asked(opened: Open, path: Path) -> None:
    page = opened(path, "#tests?outcome=bad&group=owner&q=orders1")
    assert page.input_value("select[name=outcome]") == "bad"
    assert page.input_value("#filters input") == "orders1"
    page.select_option("select[name=group]", "cause")
    page.wait_for_function("location.hash.includes('group=cause')")
    assert "q=orders1" in page.evaluate("location.hash")
