"""Which fix is tried, kept, told and applied, and the run that it is held against."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import click.testing
import jsonschema
import msgspec
import pytest

from djhop import again, cli, durable, fixable, fixing
from djhop.compare.compare import compare
from djhop.errors import UsageError
from djhop.fixes.patches import Changed
from djhop.fixes.proof import CauseFixed, Fix, NextCause
from djhop.fixes.rewrite import Rewritten
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.reports import fixes as fixes_report
from djhop.reports import markdown, text
from djhop.resolve.locks import Lock, requirements_text
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store import record, schemas, store
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target.target import Suite, Target

NOW = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
A, B, C = (Cell(django=django, python="3.8") for django in ("2.2", "3.2", "4.0"))
SIDE = Cell(django="4.0", python="3.9")
PLAN = Plan(
    cells=(A, B, C, SIDE),
    path=(A, B, C),
    hops=(
        Hop(before=C, after=SIDE, axis="python", on_path=False),
        Hop(before=A, after=B, axis="django"),
        Hop(before=B, after=C, axis="django"),
    ),
)
TARGET = Target(root="/home/me/shop", name="shop", sources=(), suite=Suite(kind="pytest", argv=()))


def result(cell: Cell, *messages: str) -> CellResult:
    """A cell with two tests; a message is how one fails."""
    tests = []
    for name, message in zip("ab", messages, strict=True):
        outcome, failure = "passed", None
        if message:
            outcome = "failed"
            failure = Failure(exception="x.TypeError", message=message, owner=Owner("project"))
        tests.append(Case(id=name, strict=outcome, plain=outcome, failure=failure))  # type: ignore[arg-type]
    status: Any = "failed" if any(messages) else "passed"
    return CellResult(
        id=cell.id, django=cell.django, python=cell.python, status=status, tests=tuple(tests)
    )


def made(matrix: Matrix | None = None, **results: tuple[str, str]) -> Run:
    """A run: by a cell's letter (s: beside the path), how its two tests fail."""
    cells = {"a": A, "b": B, "c": C, "s": SIDE}
    said = dict.fromkeys(cells, ("", "")) | results
    found = {cells[letter].id: result(cells[letter], *how) for letter, how in said.items()}
    run = record.begin("run-1", TARGET, matrix or Matrix(name="lts"), PLAN, started=NOW)
    return record.finish(run, found, compare(PLAN, found))


def fix(run: Run, repaired: int = 1, **more: Any) -> Fix:
    hop = next(one for one in run.hops if one.verdict == "breaks")
    causes = (CauseFixed(cause=hop.causes[0], behind=2, repaired=repaired),)
    said = {"id": hop.id, "kept": True, "patch": f"{hop.id}.patch", **more}
    return Fix(
        hop=hop.id,
        before=hop.before,
        after=hop.after,
        fixer="django-upgrade 1.33.0",
        causes=causes,
        behind=2,
        repaired=repaired,
        changed=(Changed(path="shop/urls.py", added=3, removed=1),),
        **said,
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return store.create(tmp_path, "x", now=NOW)


# What is tried.


def test_every_hop_that_breaks_is_tried_the_path_first_and_no_cause_twice() -> None:
    run = made(b=("one", ""), c=("one", "two"), s=("one", "two"))
    assert [one.id for one in fixable.wanted(run)] == [f"{A.id}..{B.id}", f"{B.id}..{C.id}"]
    beside = made(s=("three", ""))
    assert [one.id for one in fixable.wanted(beside)] == [f"{C.id}..{SIDE.id}"]
    assert fixable.wanted(made()) == ()


def test_a_cause_or_a_hop_may_be_named() -> None:
    run = made(b=("one", "two"))
    (hop,) = (one for one in run.hops if one.verdict == "breaks")
    (one,) = fixable.wanted(run, cause=hop.causes[1][:6])
    assert (one.id, one.causes, one.hop) == (hop.causes[1], (hop.causes[1],), hop)
    (one,) = fixable.wanted(run, hop=hop.id)
    assert one.causes == hop.causes


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"cause": "zzzz"}, "no cause 'zzzz'"),
        ({"hop": "py3.8-django2.2..py3.8-django3.1"}, "no hop"),
        ({"hop": f"{B.id}..{C.id}"}, "does not break"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(named: dict[str, str], words: str) -> None:
    run = made(b=("one", ""), c=("one", ""))
    with pytest.raises(UsageError, match=words) as caught:
        fixable.wanted(run, **named)
    assert caught.value.hint


def test_a_cause_that_breaks_no_hop_cannot_be_tried() -> None:
    run = made(a=("one", ""), b=("one", ""), c=("one", ""), s=("one", ""))
    with pytest.raises(UsageError, match="breaks no hop"):
        fixable.wanted(run, cause=run.causes[0].id)


# What is kept, and applied.


def test_a_fix_is_kept_beside_the_run_and_in_it(folder: RunFolder) -> None:
    run = made(b=("one", ""))
    folder.write_run(run)
    first, second = fix(run, 0), fix(run, 1)
    rewritten = Rewritten(target_version="2.2", patch="the patch")
    for one in (first, second):  # the later one wins
        fixing.keep(folder, one, rewritten)
    assert folder.read_run().fixes == (second,)
    written = (folder.path / "fixes" / f"{second.id}.json").read_bytes()
    assert msgspec.json.decode(written, type=Fix) == second
    jsonschema.validate(json.loads(written), schemas.schema(Fix))
    assert (folder.path / "fixes" / second.patch).read_text() == "the patch"

    nothing = fix(run, 0, patch="", reason="there is nothing that it rewrites")
    fixing.keep(folder, nothing, Rewritten(target_version="2.2"))
    assert not list((folder.path / "fixes").glob("*.patch"))


def test_the_one_fix_that_repairs_something_is_applied() -> None:
    run = made(b=("one", ""))
    good, useless = fix(run), fix(run, 0, id="0123456789")
    run = msgspec.structs.replace(run, fixes=(useless, good))
    assert fixable.to_write(run) == good
    for named, fixes, words in (
        ({}, (), "no fix was tried"),
        ({"hop": "another"}, (good,), "no fix was tried"),
        ({"cause": "0123"}, (useless, good), "repairs nothing"),
        ({}, (good, fix(run, id="x")), "there are 2 fixes: --hop .* or --cause x"),
    ):
        with pytest.raises(UsageError) as caught:
            fixable.to_write(msgspec.structs.replace(run, fixes=fixes), **named)
        assert re.search(words, f"{caught.value}: {caught.value.hint}")
    both = msgspec.structs.replace(run, fixes=(fix(run, id="x"), good))
    assert fixable.to_write(both, hop=good.hop) == good
    assert fixable.to_write(both, cause="x").id == "x"


# What is told.


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "repairs 1 of 2 tests on Django 3.2 and still passes on Django 2.2"),
        ({"kept": False, "broke_before": ("q",)}, "but breaks 1 test on Django 2.2"),
        ({"kept": False}, "but breaks the suite on Django 2.2"),
        ({"reason": "there is nothing that it rewrites"}, "there is nothing that it rewrites"),
    ],
)
def test_the_sentence(changes: dict[str, Any], words: str) -> None:
    run = made(b=("one", ""))
    assert words in fixes_report.said(run, fix(run, **changes))


def test_a_red_cell_before_does_not_still_pass() -> None:
    run = made(a=("", "old"), b=("one", "old"))
    said = fixes_report.said(run, fix(run))
    assert said.endswith("and is as before on Django 2.2")


def test_what_fix_prints_has_all_of_it(tmp_path: Path) -> None:
    run = made(b=("one", ""))
    hidden = NextCause(
        cause="c", exception="x.FieldError", message="m", owner=Owner("project"), tests=3
    )
    more: dict[str, Any] = {"broke_after": ("q",), "broke_before": ("p",), "only": ("django_urls",)}
    more |= {"skipped": (("l.py", "it is a link"),), "next": (hidden,)}
    said = fixes_report.text(run, (fix(run, **more),), tmp_path)
    for words in (
        "1 of 2 tests  TypeError: one",
        f"it breaks 1 test on {B.id}:\n    q",
        f"it breaks 1 test on {A.id}:\n    p",
        "its fixers: django_urls",
        f"it belongs to the hop itself: {A.id}",
        "3 tests  FieldError: m in your code",
        "shop/urls.py  +3 -1",
        "l.py: it is a link",
        str(tmp_path / "fixes"),
        f"djhop fix {run.name} --write --hop {A.id}..{B.id}",
    ):
        assert words in said
    assert "nothing to repair" in fixes_report.text(run, (), tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "django-upgrade repairs 1 of 2 tests: djhop fix --write --hop"),
        ({"broke_before": ("q",)}, f"repairs 1 of 2 tests but breaks 1 test on {A.id}:"),
        ({"repaired": 2}, "repairs all 2 tests: djhop"),
        ({"repaired": 0}, "was tried, and does not repair it"),
        ({"reason": "why"}, "nothing is proven: why"),
    ],
)
def test_the_reports_say_it_under_the_cause(changes: dict[str, Any], words: str) -> None:
    run = made(b=("one", ""))
    run = msgspec.structs.replace(run, fixes=(fix(run, **changes),))
    assert words in " ".join(text.render(run, width=120).split())
    assert words in markdown.render(run).replace("\\", "")


# The run that it is held against.


def test_a_matrix_is_read_back_with_what_was_masked(tmp_path: Path) -> None:
    (tmp_path / "djhop.toml").write_text(
        '[set-env]\nSECRET_KEY = "very-secret-indeed"\nA = "now"\n', "utf-8"
    )
    matrix = Matrix(name="lts", set_env={"SECRET_KEY": "very-secret-indeed", "A": "then"})
    run = made(matrix)
    assert "very-secret" not in msgspec.json.encode(run).decode()
    assert again.matrix_of(run, tmp_path, "run.json") == matrix
    (tmp_path / "djhop.toml").unlink()
    with pytest.raises(UsageError, match="is masked"):
        again.matrix_of(run, tmp_path, "run.json")


def test_a_lock_is_read_back_from_the_run(folder: RunFolder) -> None:
    url = "git+https://user:hunter22@host/x.git"
    lock = Lock(
        pins=("django==3.2.25", "old[extra]==1.0", f"x @ {url}"),
        django_release="3.2.25",
        forced=True,
    )
    durable.make(folder.cell(B.id).path)
    path = folder.cell(B.id).path / "requirements.txt"
    path.write_text(requirements_text(lock), "utf-8")
    assert "hunter22" not in path.read_text("utf-8")
    found = again.lock(folder, msgspec.structs.replace(result(B, "", ""), forced=True), (url,))
    assert (found.pins, found.django_release, found.forced) == (lock.pins, "3.2.25", True)
    with pytest.raises(UsageError, match="cannot read"):
        again.lock(folder, result(C, "", ""), ())


def test_fix_asks_what_is_wanted() -> None:
    done = click.testing.CliRunner().invoke(cli.cli, ["fix"])
    assert isinstance(done.exception, UsageError)
    assert "--try or --write" in str(done.exception)
