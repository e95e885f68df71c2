"""The list of deprecated uses: text, JSON and lines, from a run's folder alone.

To accept a change of the schema: DJHOP_ACCEPT=1 python -m pytest tests/unit/test_uses.py
"""

from __future__ import annotations

import datetime
import itertools
import json
import os
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest

from djhop import cli
from djhop.compare.compare import compare
from djhop.errors import UsageError
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.releases import load as releases
from djhop.reports import foretold, uses
from djhop.reports.summary import summarise
from djhop.results.results import CellResult, Deprecation, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store import record, schemas, store
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target.target import Target

ACCEPTING = bool(os.environ.get("DJHOP_ACCEPT"))
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "deprecations.schema.json"
NOW = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
PATH = tuple(Cell(django=series, python="3.8") for series in ("3.2", "4.2", "5.2"))
PLAN = Plan(
    cells=PATH,
    path=PATH,
    hops=tuple(Hop(before=a, after=b, axis="django") for a, b in itertools.pairwise(PATH)),
)
PROJECT = Owner("project")
URL = Deprecation(
    category="RemovedInDjango40Warning",
    message="django.conf.urls.url() is deprecated in favor of django.urls.re_path().",
    place="shop/urls.py:12",
    owner=PROJECT,
    removed_in="4.0",
    when="import",
    in_target=True,
)
LATER = msgspec.structs.replace(URL, place="shop/urls.py:7", fatal=False)
TIME = Deprecation(
    category="RemovedInDjango60Warning",
    message="old_time() is deprecated.",
    place="shop/a\x1b[31m.py:3",
    owner=PROJECT,
    removed_in="6.0",
    tests=("t1",),
    when="import",
    in_target=True,
)
THEIRS = Deprecation(
    category="RemovedInDjango51Warning",
    message="'index_together' is deprecated. Use 'Meta.indexes' instead.",
    place="django_filters/models.py:9",
    owner=Owner("package", "django-filter"),
    removed_in="5.1",
)
PYTHON = Deprecation(
    category="DeprecationWarning",
    message="the imp module is deprecated and slated for removal in Python 3.12",
    place="shop/load.py:2",
    owner=PROJECT,
    removed_in_python="3.12",
    in_target=True,
)
GONE = Failure(
    exception="ImportError",
    message="cannot import name 'url' from 'django.conf.urls' (/x/__init__.py)",
    owner=PROJECT,
    place="shop/urls.py:1",
)
CRASH = Failure(exception="RuntimeError", message="unforeseen", owner=Owner("package", "else"))


def results() -> list[CellResult]:
    passed = (Case(id="t1", strict="passed", plain="passed"),)
    failed = (Case(id="t1", strict="failed", plain="failed", failure=GONE),)
    worse = (Case(id="t1", strict="failed", plain="failed", failure=CRASH),)
    seen = ((URL, LATER, THEIRS, TIME, PYTHON), (TIME,), ())
    made = zip(PATH, ("deprecated", "failed", "failed"), (passed, failed, worse), seen, strict=True)
    return [
        CellResult(
            id=cell.id, django=cell.django, python=cell.python, status=status,  # type: ignore[arg-type]
            tests=tests, deprecations=found,
        )
        for cell, status, tests, found in made
    ]  # fmt: skip


def begun() -> Run:
    target = Target(root="/home/me/shop", name="shop", sources=(), django="3.2")
    return record.begin("20261121-014452-lts", target, Matrix(name="lts"), PLAN, started=NOW)


@pytest.fixture
def run() -> Run:
    found = {one.id: one for one in results()}
    return record.finish(begun(), found, compare(PLAN, found), seconds=1.0)


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> RunFolder:
    made = store.create(tmp_path / "reports", "lts", now=NOW)
    made.write_run(run)
    return made


def test_what_run_json_says_of_each_use(run: Run) -> None:
    by_place = {use.place: use for use in run.deprecations}
    assert {place: use.hop for place, use in by_place.items()} == {
        "shop/urls.py:12": "py3.8-django3.2..py3.8-django4.2",
        "shop/urls.py:7": "py3.8-django3.2..py3.8-django4.2",
        "django_filters/models.py:9": "py3.8-django4.2..py3.8-django5.2",
        TIME.place: "",
        "shop/load.py:2": "",
    }
    assert by_place[TIME.place].cells == (PATH[0].id, PATH[1].id)
    assert (by_place[TIME.place].when, by_place[TIME.place].tests) == ("", 1)
    assert len({use.id for use in run.deprecations}) == 5


def test_the_rate_is_of_the_whole_path(run: Run) -> None:
    """Both uses of url broke; django-filter's was hidden by nothing, and nothing named it."""
    first, second = (hop.foretold for hop in run.hops)
    assert first is not None
    assert second is not None
    assert [one.outcome for one in first.predictions] == ["broke", "broke"]
    assert [one.outcome for one in second.predictions] == ["did-not-break"]
    assert len(second.without_warning) == 1
    assert run.foretold.hit_rate == 66.7
    assert (run.foretold.broke, run.foretold.without_warning) == (2, 1)


def test_every_report_says_it(run: Run) -> None:
    summary = summarise(run, releases())
    assert summary.foretold == (
        "2 of 3 deprecated uses that could be checked broke (66.7 %); "
        "1 cause broke without warning.",
        "3.2 → 4.2: 2 predicted and broke",
        "4.2 → 5.2: 1 predicted and did not break; 1 cause broke without warning",
        "without warning on 4.2 → 5.2: RuntimeError: unforeseen",
    )
    seen = [use.seen for removal in summary.removals for use in removal.uses]
    assert seen == [
        "at import, broke on 3.2 → 4.2",
        "at import, pending, broke on 3.2 → 4.2",
        "outside tests, did not break on 4.2 → 5.2",
        "1 test",
        "outside tests",
    ]
    relations = [removal.relation for removal in summary.removals]
    assert [("hop 3.2 → 4.2" in one, "after the goal" in one) for one in relations] == [
        (True, False), (False, False), (False, True), (False, True),
    ]  # fmt: skip
    assert "gone on the hop 4.2 → 5.2" in relations[1]


def test_no_hop_says_nothing_where_nothing_is_known() -> None:
    found = {one.id: msgspec.structs.replace(one, deprecations=()) for one in results()[:1]}
    alone = record.finish(begun(), found, compare(PLAN, found))
    assert foretold.checked(alone, 8) == ()


def test_text_lists_all_and_nothing_steers_the_terminal(run: Run) -> None:
    text = uses.text(run)
    for use in run.deprecations:
        assert use.place.replace("\x1b", "\\x1b") in text
    assert "\x1b" not in text
    assert "2 of 3 deprecated uses" in text
    assert "cut short" not in text
    assert "cut short" in uses.text(msgspec.structs.replace(run, complete=False))
    assert max(map(len, text.splitlines())) <= 80


def test_lines_are_of_the_targets_files_in_order(run: Run) -> None:
    told: list[str] = []
    lines = uses.lines(run, told.append).splitlines()
    places = ["shop/a\\x1b[31m.py:3", "shop/load.py:2", "shop/urls.py:7", "shop/urls.py:12"]
    assert [line.split(":1: ")[0] for line in lines] == places
    assert lines[3] == (
        "shop/urls.py:12:1: RemovedInDjango40Warning: django.conf.urls.url() is deprecated in favor"
        " of django.urls.re_path(). (removed in Django 4.0, gone on the hop 3.2 → 4.2, your code)"
    )
    assert all(re.fullmatch(r"[^:]+:[1-9]\d*:1: \w+: .+", line) for line in lines)
    assert told == ["1 use in no file of the target: djhop deprecations lists them"]


@pytest.mark.parametrize(
    ("chosen", "places"),
    [
        ({"owners": ("project",)}, 4),
        ({"owners": ("django-filter",)}, 1),
        ({"owners": ("django-filter", "project")}, 5),
        ({"removed_in": ("4.0",)}, 2),
        ({"removed_in": ("4.0", "5.1")}, 3),
        ({"removed_in": ("python3.12", "5.1")}, 2),
        ({"removed_in": ("python3.11",)}, 0),
        ({"removed_in": ("5.1",), "owners": ("project",)}, 0),
        ({"owners": ("django",)}, 0),
        ({"removed_in": ("6.1",)}, 0),
    ],
)
def test_filters(run: Run, chosen: dict[str, tuple[str, ...]], places: int) -> None:
    kept = uses.choose(run, **chosen)
    assert len(kept.deprecations) == places
    assert kept.foretold == run.foretold
    assert f"{places or 'no'} deprecated use" in uses.text(kept).replace("0 dep", "no dep")


def test_filters_that_name_nothing_are_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="'django-filters'") as refused:
        uses.choose(run, owners=("django-filters",))
    assert "did you mean 'django-filter'?" in refused.value.hint
    with pytest.raises(UsageError, match=r"unknown Django series '4\.3'"):
        uses.choose(run, removed_in=("4.3",))


def test_json_fits_the_schema_and_says_what_became_of_each(run: Run) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    data = json.loads(uses.as_json(run))
    jsonschema.validate(data, schema)
    assert msgspec.convert(data, uses.Deprecations).uses[0].outcome == "broke"
    outcomes = {use["place"]: (use["outcome"], len(use["causes"])) for use in data["uses"]}
    assert outcomes["shop/urls.py:7"] == ("broke", 1)
    assert outcomes["django_filters/models.py:9"] == ("did-not-break", 0)
    assert outcomes["shop/load.py:2"] == (None, 0)


def test_published_schema_is_that_of_the_types() -> None:
    made = schemas.text(uses.Deprecations)
    if ACCEPTING:
        SCHEMA.write_bytes(made)
    assert SCHEMA.read_bytes() == made, "to accept: DJHOP_ACCEPT=1 … pytest tests/unit/test_uses.py"


# The command.


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["deprecations", *words])
    streams = capsys.readouterr()
    return int(str(ended.value.code)), streams.out, streams.err


def test_a_run_is_named_in_any_way(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path.parent.parent)
    told = {said(capsys, *words)
            for words in ((), ("latest",), (folder.name,), (str(folder.path),))}  # fmt: skip
    ((code, out, err),) = told
    assert (code, err) == (0, "")
    assert "5 deprecated uses" in out
    assert said(capsys, "--json")[1] == said(capsys, "--format", "json")[1]
    code, out, err = said(capsys, "--format", "lines", "--owner", "django-filter")
    assert (code, out) == (0, "")
    assert "1 use in no file of the target" in err


def test_an_interrupted_run_is_told_by_its_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store.create(tmp_path, "lts", now=NOW)
    folder.write_run(begun())
    for one in results()[:2]:
        folder.write_cell(one)
    code, out, _ = said(capsys, "--json", str(folder.path))
    data = json.loads(out)
    assert (code, data["complete"], len(data["uses"])) == (0, False, 5)
    assert data["foretold"]["broke"] == 2


def test_what_cannot_be_read_is_named(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = said(capsys, "--out", str(tmp_path / "none"))
    assert (code, "no run in" in err) == (2, True)
    code, _, err = said(capsys, "nosuch", "--out", str(folder.path.parent))
    assert (code, "no run 'nosuch'" in err) == (2, True)
    folder.run.write_text('{"format": 99}')
    code, _, err = said(capsys, str(folder.path))
    assert (code, "newer djhop" in err) == (2, True)
    folder.run.write_text('{"format": 1, ')
    code, _, err = said(capsys, str(folder.path))
    assert (code, "run.json is damaged" in err) == (2, True)
