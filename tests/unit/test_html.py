"""The HTML report: what it holds, that nothing in it runs or is fetched, and its pictures."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import big_run
import msgspec
import pytest

from djhop import releases
from djhop.compare.changes import kind, plainly
from djhop.matrix.plan import Cell
from djhop.reports import durations, picture, screen, text
from djhop.reports.hops import CauseView
from djhop.reports.html import page, texts
from djhop.reports.html.columns import CODES
from djhop.reports.html.extras import NAMED, extras
from djhop.reports.html.lost import lost, ranges
from djhop.reports.html.texts import FIRST, LONG, SHORT, Texts
from djhop.reports.shown import Shown
from djhop.reports.summary import summarise
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store.record import Run
from djhop.store.store import RunFolder

NASTY = (
    "<script>window.pwned=1</script></script><!--<img src=x onerror=pwned()>{{7*7}}'\"&amp;"
    "\x1b[2J\x00\u202egnp.exe\u2066\ud800 ]]>"
)
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Parsed(HTMLParser):
    """The elements of a page, and the text of its scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open][-1] += data
        else:
            self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of seven cells."""
    return big_run.make(tmp_path_factory.mktemp("run"), tests=120, failing=40, cells=8)


@pytest.fixture(scope="module")
def run(folder: RunFolder) -> Run:
    return folder.load()


@pytest.fixture(scope="module")
def html(run: Run, folder: RunFolder) -> str:
    return page.render(run, folder)


def unpacked(html: str) -> dict[str, Any]:
    """The data of a page, as its own code reads it."""
    packed = re.search(r'<script type="text/plain" id="data">([A-Za-z0-9+/=]*)</script>', html)
    assert packed
    return json.loads(gzip.decompress(base64.b64decode(packed[1])))


def test_the_first_screen_says_what_the_text_says_first(run: Run, html: str) -> None:
    parsed = Parsed(html)
    flat = " ".join(parsed.text.replace("\xa0", " ").split())
    title, _, *answer = text.render(run, width=120).split("\n")[:8]
    assert title in flat
    assert " ".join(" ".join(answer).split("  ")[0].split()) in flat
    summary = summarise(run, releases.load())
    assert summary.answer in flat
    assert summary.answer in " ".join(screen.render(run).split())
    for hop in summary.path:
        assert f"{hop.title} {hop.verdict}" in flat
        assert hop.sentence in flat
        assert all(cause.headline in flat and cause.count in flat for cause in hop.causes)


def test_every_test_of_every_cell_is_there(folder: RunFolder, html: str) -> None:
    data = unpacked(html)
    number = {test: at for at, test in enumerate(data["ids"])}
    for cell in data["cells"]:
        result = folder.read_cell(cell["id"])
        outside = {name for name, _ in result.failures}
        for test in result.tests:
            if test.id in outside:
                continue
            at = number[test.id]
            assert cell["plain"][at] == CODES[plainly(test)]
            assert cell["strict"][at] == CODES[test.strict]
            assert cell["ms"][at] == round(test.seconds * 1000)
            failure = dict(cell["fail"]).get(at)
            assert (failure is None) == (test.failure is None)
            if test.failure is not None:
                assert data["failures"][failure]["message"] == test.failure.message
                assert data["failures"][failure]["cause"] == test.cause
        assert {name for name, _ in cell["outside"]} == outside


def test_the_numbers_are_those_of_the_run(run: Run, html: str) -> None:
    data = unpacked(html)
    for made, hop in zip(data["hops"], run.hops, strict=True):
        for name, tests in made["changes"].items():
            assert [data["ids"][test] for test in tests] == list(getattr(hop, name))
        assert [(one["id"], one["tests"]) for one in made["causes"]] == [
            (group.cause, group.tests) for group in hop.groups
        ]
    assert [len(made["tests"]) for made in data["causes"]] == [len(c.tests) for c in run.causes]


def test_a_traceback_knows_the_frames_of_the_project(html: str) -> None:
    data = unpacked(html)
    files = {data["frames"][number][0] for number in data["own"]}
    assert files
    assert all(file.startswith("tests/") for file in files)
    assert any(file.startswith("django/") for file, *_ in data["frames"])


def test_the_page_asks_nobody_for_anything(html: str) -> None:
    parsed = Parsed(html)
    for tag, attributes in parsed.elements:
        assert not {"style", "srcset", "onclick", "onload", "onerror"} & set(attributes)
        for name in ("src", "href", "action", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,")), (tag, attributes)
    assert not re.search(r"@import|url\(", "".join(parsed.inside["style"]))
    policy = next(a["content"] for t, a in parsed.elements if a.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'; ")
    for kind_, texts_ in parsed.inside.items():
        for inside in texts_[-1:]:
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{kind_}-src 'sha256-{digest}'" in policy


def test_the_same_run_gives_the_same_page(run: Run, folder: RunFolder, html: str) -> None:
    assert page.render(run, folder) == html


def hostile(folder: RunFolder, run: Run, nasty: str, message: str = "") -> str:
    """A page whose every text from the target is `nasty`, its messages perhaps another."""
    why = Failure(
        exception=nasty,
        message=message or nasty,
        owner=Owner("package", nasty),
        place=f"{nasty}:3",
        raised_at=nasty,
        frames=((nasty, 3, nasty, nasty),),
        why=nasty,
        when=nasty,
    )
    cells = {}
    for cell in run.plan.cells:
        result = folder.read_cell(cell.id)
        bad = Case(id=f"{nasty}::{nasty}", plain="failed", failure=why, subtests=(nasty,))
        odd = Case(id=f"b{nasty}", plain="skipped", skip_reason=nasty)
        changes: dict[str, Any] = {
            "tests": (bad, odd, *result.tests[:5]),
            "failures": ((nasty, why),),
            "reason": nasty,
            "notes": (nasty,),
            "packages": {nasty: nasty},
        }
        cells[cell.id] = msgspec.structs.replace(result, **changes)
    shown = msgspec.structs.replace(
        run,
        name=nasty,
        target=msgspec.structs.replace(run.target, name=nasty),
        notes=(nasty,),
        causes=tuple(
            msgspec.structs.replace(cause, message=message or nasty, exception=nasty, place=nasty)
            for cause in run.causes
        ),
    )
    return page.compose(shown, cells, lambda _: {nasty: frozenset({1, 2})})


def test_nothing_from_a_target_becomes_markup(folder: RunFolder, run: Run, html: str) -> None:
    made = hostile(folder, run, NASTY)
    made.encode("utf-8")
    tags = lambda one: {tag for tag, _ in Parsed(one).elements}  # noqa: E731
    assert tags(made) <= tags(html) | {"noscript"}
    assert len(Parsed(made).inside["script"]) == 2
    body = made.replace("\n", "")
    assert not UNSAFE.search(body)
    said = json.dumps(unpacked(made), ensure_ascii=False)
    assert not UNSAFE.search(said.replace("\\n", ""))
    assert "<script>window.pwned" in said  # it is data, and whole


def test_what_was_run_again_is_told_as_a_sentence(folder: RunFolder, run: Run) -> None:
    hop, *others = run.hops
    done = Reruns(before=hop.before, after=hop.after, asked=4, tests=3)
    told = msgspec.structs.replace(run, hops=(msgspec.structs.replace(hop, reruns=done), *others))
    assert ">3 of 4 tests that newly fail were run again in both cells<" in page.render(
        told, folder
    )


def test_endless_messages_are_cut_and_counted(folder: RunFolder, run: Run) -> None:
    made = hostile(folder, run, "x", message="x" * 10_000_000)
    assert len(made) < 1_000_000
    assert any("the ends of" in said for said in unpacked(made)["left_out"])
    assert "the ends of" in Parsed(made).text


def test_messages_are_shorter_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Texts()
    lengths = [len(made.message("y" * 9_000, "cause")) for _ in range(FIRST + 1)]
    assert lengths == [LONG + 1] * FIRST + [SHORT + 1]
    assert len(made.message("y" * 9_000, "another cause")) == LONG + 1
    assert made.cut == FIRST + 2
    monkeypatch.setattr(texts, "ROOM", 0)
    assert len(made.message("y" * 9_000, "a third")) == texts.SHORTEST + 1
    assert made.message("two\r\nlines\tand \u202e", "c") == "two\nlines   and \\u202e"


def test_coverage_that_is_lost_is_told_by_file_and_line() -> None:
    before = {
        "/p/a.py": frozenset({1, 2, 3, 7}),
        "/p/b.py": frozenset({1}),
        "/p/c.py": frozenset({9}),
    }
    after = {"/p/a.py": frozenset({1, 8}), "/p/b.py": frozenset({1})}
    found = lost(before, after, "/p")
    assert found == {
        "lines": 4,
        "total": 2,
        "files": [
            {"file": "a.py", "lost": 3, "ran": 4, "lines": "2–3, 7"},
            {"file": "c.py", "lost": 1, "ran": 1, "lines": "9"},
        ],
    }
    assert lost(before, {}, "/p") is None
    assert ranges(range(0, 200, 2)).endswith("118 and 40 more")


def test_a_page_shows_what_the_coverage_says(folder: RunFolder, run: Run) -> None:
    ran = {
        cell.id: {"/home/me/shop/shop/a.py": frozenset(range(at, 9))}
        for at, cell in enumerate(run.plan.cells)
    }
    made = page.compose(run, folder.results(), lambda cell: ran[cell])
    assert unpacked(made)["hops"][0]["lost"]["files"][0]["file"] == "shop/a.py"
    assert "1 line in 1 file" in " ".join(Parsed(made).text.split())


class Told(CauseView, frozen=True, kw_only=True):
    """A cause with facts that other rooms may find."""

    known: str = ""
    bisect: Shown | None = None
    fixes: tuple[str, ...] = ()


def test_further_facts_of_a_cause_are_shown_whatever_they_are() -> None:
    base = {"id": "a", "count": "1 test", "headline": "E", "where": "your code"}
    assert extras(CauseView(**base)) == []
    assert set(CauseView.__struct_fields__) >= NAMED
    told = Told(
        **base,
        known="removed in Django 4.0",
        bisect=Shown(label="first bad", items=("5.0.3",), total=3),
        fixes=("fix one", "fix two"),
    )
    assert extras(told) == [
        *("removed in Django 4.0", "first bad", "5.0.3", "… and 2 more", "fix one", "fix two")
    ]


# Pictures.


def test_the_matrix_is_a_picture_of_its_own(run: Run) -> None:
    drawn = ET.fromstring(picture.render(run))
    inside = "".join(drawn.itertext())
    summary = summarise(run, releases.load())
    assert summary.answer in inside
    boxes = [node for node in drawn.iter() if "box" in (node.get("class") or "").split()]
    assert len(boxes) == len(run.plan.cells)
    signs = [node.text for node in drawn.iter() if node.get("class") == "sign"]
    assert signs == [square.sign for square in summary.grid.values()]
    assert "href" not in picture.render(run)


@pytest.mark.parametrize("render", [picture.render, picture.badge, durations.render])
def test_a_picture_of_its_own_needs_no_variables(run: Run, render: Callable[[Run], str]) -> None:
    made = render(run)
    ET.fromstring(made)
    assert "var(" not in made and "NaN" not in made


def test_a_bar_is_as_long_as_its_cell_took(run: Run) -> None:
    drawn = durations.draw(run)
    took = {cell.id: sum(cell.seconds.values()) for cell in run.cells}
    assert [bar.cell for bar in drawn.bars] == [name for name, seconds in took.items() if seconds]
    for bar in drawn.bars:
        wide = sum(part.wide for part in bar.parts)
        assert wide == pytest.approx(durations.LONGEST * took[bar.cell] / max(took.values()), abs=1)
        assert bar.total == f"{took[bar.cell]:.1f} s"
    assert durations._kinds(msgspec.structs.replace(
        run.cells[0], seconds={"lock": 1.0, "strict": 2.0, "checks": 3.0, "settings": 1.0}
    )) == {"making": 1.0, "strict": 2.0, "upgrade": 4.0}  # fmt: skip


def test_no_two_cells_of_the_picture_overlap(run: Run) -> None:
    drawn = picture.draw(summarise(run, releases.load()))
    places = [(box.x, box.y) for box in drawn.boxes]
    assert len(set(places)) == len(places)
    for x, y in places:
        assert 0 < x <= drawn.width - drawn.size.wide
        assert 0 < y <= drawn.height - drawn.size.high
    for one in drawn.lines:
        inside = [
            p
            for p in places
            if p[0] < one.x < p[0] + drawn.size.wide and p[1] < one.y < p[1] + drawn.size.high
        ]
        assert inside == []  # the sign of a hop is seen


@pytest.mark.parametrize(("failing", "words"), [(30, "✗ 1 hop breaks"), (0, "✓ every hop clean")])
def test_a_badge_says_the_worst(tmp_path: Path, failing: int, words: str) -> None:
    run = big_run.make(tmp_path / "run", tests=60, failing=failing, cells=6).load()
    made = picture.badge(run)
    assert ET.fromstring(made).get("aria-label") == f"Django 2.2 → 4.1: {words}"


def test_the_columns_tell_kinds_apart() -> None:
    assert len(set(CODES.values())) == len(CODES)
    assert {kind(outcome) for outcome in CODES} == {
        "passed",
        "failed",
        "skipped",
        "excused",
        "absent",
    }


def test_a_cell_without_a_result_is_on_the_page(run: Run, folder: RunFolder) -> None:
    results = {cell: folder.read_cell(cell) for cell in list(folder.results())[:-1]}
    missing = next(cell.id for cell in run.plan.cells if cell.id not in results)
    made: CellResult | None = results.get(missing)
    assert made is None
    data = unpacked(page.compose(run, results))
    (cell,) = [one for one in data["cells"] if one["id"] == missing]
    assert cell["plain"] == ""
    assert Cell(django=cell["django"], python=cell["python"]).id == missing
