"""Which causes are taken away, in which way, and what is said to have come of it."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import msgspec
import pytest

from djhop import peeling
from djhop.compare.compare import compare
from djhop.errors import ExitCode, InfraError, UsageError
from djhop.fixes.patches import Changed
from djhop.fixes.rewrite import Fixer, Rewritten
from djhop.knowledge import table
from djhop.knowledge.explain import known
from djhop.matrix.config import Matrix
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.peels import leaving, ways
from djhop.peels.layers import Layer, Peel, Seen, Sight, runs, sights
from djhop.peels.leaving import Site
from djhop.reports import markdown, text
from djhop.reports import peels as peels_report
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store import record, schemas, store
from djhop.store.store import RunFolder
from djhop.suites.taken import ShimSpec, Taken
from djhop.target.target import Suite, Target

NOW = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
A, B = Cell(django="3.2", python="3.8"), Cell(django="4.2", python="3.8")
HOP = Hop(before=A, after=B, axis="django")
PLAN = Plan(cells=(A, B), path=(A, B), hops=(HOP,))
URL = "cannot import name 'url' from 'django.conf.urls' (/x/__init__.py)"
FILES = ("shop/urls.py", "shop/models.py", "conftest.py", "tests/test_a.py")
PROJECT = Owner("project")


def failing(
    message: str, *files: str, exception: str = "ImportError", owner: Owner = PROJECT
) -> Failure:
    frames = tuple((file, 3, "<module>", "") for file in files)
    place = next((f"{file}:3" for file in reversed(files) if file in FILES), "")
    return Failure(exception=exception, message=message, owner=owner, place=place, frames=frames)


def result(cell: Cell = B, dead: Failure | None = None, **tests: str | Failure) -> CellResult:
    """A cell: by test, its outcome or its failure; `dead` ends it before any."""
    made = []
    for name, how in tests.items():
        if isinstance(how, Failure):
            made.append(Case(id=name, strict="failed", plain="failed", failure=how))
        else:
            made.append(Case(id=name, strict=how, plain=how))  # type: ignore[arg-type]
    status: Any = "uncollectable" if dead else "passed"
    status = "failed" if any(test.failure for test in made) else status
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status=status,
        tests=tuple(made),
        failures=(("plain", dead),) if dead else (),
    )


def lost(module: str, failure: Failure, **tests: str | Failure) -> CellResult:
    """A cell in which a module cannot be loaded, and others can."""
    found = result(**tests)
    error = Case(id=module, strict="error", plain="error", failure=failure)
    tests_too = (*found.tests, error)
    changes = {"tests": tests_too, "failures": ((module, failure),), "status": "failed"}
    return msgspec.structs.replace(found, **changes)


# What is taken away first.


def test_what_hides_most_comes_first() -> None:
    one, two = failing("one", "tests/test_a.py"), failing("two", "shop/models.py")
    found = lost("tests/test_a.py", one, a=two, b=two, c="passed")
    assert [(s.seen.message, s.seen.tests, s.seen.modules) for s in sights(found)] == [
        ("one", 0, ("tests/test_a.py",)),
        ("two", 2, ()),
    ]
    (only,) = sights(result(dead=one))
    assert (only.deadly, runs(result(dead=one)), runs(found)) == (True, False, False)
    assert runs(result(a=two))


@pytest.mark.parametrize(
    ("frames", "what", "taken", "files"),
    [
        (
            ("django/apps/registry.py", "importlib/__init__.py", "shop/models.py"),
            "the app of shop.models",
            Taken(apps=("shop.models",)),
            (),
        ),
        (("django/apps/config.py", "oldlib/models.py", "oldlib/fields.py"),
         "the app of oldlib.models", Taken(apps=("oldlib.models",)), ()),
        (("django/urls/resolvers.py", "importlib/__init__.py", "shop/urls.py", "oldlib/x.py"),
         "the URLconf shop/urls.py", Taken(), ("shop/urls.py",)),
        (("django/db/migrations/loader.py", "shop/migrations/0001_initial.py"),
         "the migrations of shop", Taken(migrations=("shop",)), ()),
        (("_pytest/config/__init__.py", "conftest.py", "oldlib/x.py"),
         "the file conftest.py", Taken(), ("conftest.py",)),
    ],
)  # fmt: skip
def test_what_keeps_all_from_running_is_left_out(
    frames: tuple[str, ...], what: str, taken: Taken, files: tuple[str, ...]
) -> None:
    (sight,) = sights(result(dead=failing("x", *frames)))
    (left,) = leaving.of(sight, Site(files=frozenset(FILES)))
    assert (left.what, left.taken, left.files) == (what, taken, files)


def test_the_innermost_that_is_loaded_is_left_out_first() -> None:
    frames = ("django/apps/registry.py", "shop/apps.py", "django/urls/base.py", "shop/urls.py")
    (sight,) = sights(result(dead=failing("x", *frames)))
    found = [left.what for left in leaving.of(sight, Site(files=frozenset(FILES)))]
    assert found == ["the URLconf shop/urls.py", "the app of shop.apps"]


def test_test_files_are_left_out_by_either_name_and_tests_that_fail_never() -> None:
    site = Site(files=frozenset(("src/shop/test_a.py",)), import_roots=("src", "."))
    for name in ("src/shop/test_a.py", "shop.test_a"):
        (sight,) = sights(lost(name, failing("x"), a="passed"))
        (left,) = leaving.of(sight, site)
        assert (left.what, left.files) == (
            "the test file src/shop/test_a.py",
            ("src/shop/test_a.py",),
        )
    (in_class,) = sights(lost("shop.test_a.Case", failing("x"), a="passed"))
    (failed,) = sights(result(a=failing("x", "django/apps/registry.py", "shop/models.py")))
    assert [*leaving.of(in_class, site), *leaving.of(failed, site)] == []


def test_a_fixer_is_first_then_a_shim_then_leaving_out(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/urls.py").write_text("from django.conf.urls import url\n")
    frames = ("django/urls/resolvers.py", "shop/urls.py")
    site = Site(files=frozenset(FILES))

    def found(owner: Owner = PROJECT, *, probe: bool = True) -> list[tuple[str, str]]:
        (sight,) = sights(result(dead=failing(URL, *frames, owner=owner)))
        return [(w.how, w.what or w.fixer) for w in ways.of(sight, site, tmp_path, probe=probe)]

    fixer, left = ("fixer", "django_urls"), ("left-out", "the URLconf shop/urls.py")
    shim = ("shim", "django.conf.urls.url is django.urls.re_path")
    assert found() == [fixer, shim, left]
    assert found(Owner("package", "oldlib")) == [shim, left]
    assert found(probe=False) == [fixer, left]


def test_every_shim_of_the_table_is_one_that_the_probe_knows() -> None:
    rows = [row for row in table.load() if row.shim is not None]
    specs = [ways.shim(known(row)) for row in rows if row.kind != "behaviour"]
    assert len(specs) > 80
    assert all(one and (one.alias or one.argument or one.kind == "setting") for one in specs)


# The cells that are peeled.


def made(*results: CellResult) -> record.Run:
    target = Target(root="/shop", name="shop", sources=(), suite=Suite(kind="pytest", argv=()))
    run = record.begin("run-1", target, Matrix(name="lts"), PLAN, started=NOW)
    found = {one.id: one for one in results}
    return record.finish(run, found, compare(PLAN, found))


def test_the_worst_cell_is_peeled_or_each_or_the_one_that_is_named() -> None:
    run = made(result(A, a=failing("x"), b="passed"), result(B, dead=failing("y")))
    assert peeling.wanted(run) == (B.id,)
    assert peeling.wanted(run, every=True) == (B.id, A.id)
    assert peeling.wanted(run, cell=A.id) == (A.id,)
    assert peeling.wanted(run, hop=HOP.id) == (B.id,)
    assert peeling.wanted(made(result(A, a="passed"), result(B, a="passed"))) == ()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"cell": "py3.8-django4.1"}, "no cell"),
        ({"hop": "py3.8-django3.2..py3.8-django4.1"}, "no hop"),
        ({"cell": A.id}, "is passed"),
    ],
)
def test_a_cell_that_is_not_red_or_not_there_is_refused(named: dict[str, str], words: str) -> None:
    run = made(result(A, a="passed"), result(B, dead=failing("y")))
    with pytest.raises(UsageError, match=words):
        peeling.wanted(run, **named)


# The loop. A world is what a cell does with what is taken away, and with the files as they are.

World = Callable[[Taken, Path], CellResult]


class Job(msgspec.Struct):
    settings: CellSettings = CellSettings()
    taken: Taken | None = None


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from django.conf.urls import url\n")
    return tmp_path / "tree"


@pytest.fixture
def peel(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Peel]:
    """Peel the second cell of a run, which is `first`, in a world."""

    @contextlib.contextmanager
    def scratch(_: object) -> Iterator[Path]:
        yield tree

    def rewrite(at: Path, files: tuple[str, ...], series: str, **_: Any) -> Rewritten:
        changed = [name for name in files if "fixable" in (at / name).read_text()]
        for name in changed:
            (at / name).write_text("# fixed\n")
        found = tuple(Changed(path=name, added=1, removed=1) for name in changed)
        return Rewritten(target_version=series, changed=found)

    monkeypatch.setattr(peeling._Peeling, "_scratch", scratch)
    monkeypatch.setattr(peeling, "rewrite", rewrite)
    tool = Fixer(python="/py", folder="/x", version="1.33.0")
    monkeypatch.setattr(peeling, "fixer", lambda *_, **__: tool)
    monkeypatch.setattr(peeling.locate, "cache", lambda: tmp_path / "cache")

    def go(
        first: CellResult,
        world: World,
        budget: float | None = None,
        before: CellResult = result(A, a="passed", b="passed", c=failing("old")),  # noqa: B008
    ) -> Peel:
        folder = store.create(tmp_path / "out", "x", now=NOW)
        folder.write_run(made(before, first))
        folder.write_cell(before)
        folder.write_cell(first)
        again = SimpleNamespace(
            folder=folder,
            run=folder.read_run(),
            files=FILES,
            target=Target(
                root="/shop", name="shop", sources=(), suite=Suite(kind="pytest", argv=())
            ),
            found={},
            offline=False,
            spawner=SimpleNamespace(interrupted=False),
            services=lambda logs: SimpleNamespace(stop=lambda: None),
            job=lambda cell, tree, folder: (folder.mkdir(parents=True), Job())[1],
            cell=lambda job, report, services: world(job.taken, tree),
        )
        (found,) = peeling.peel_all(again, (B.id,), lambda _: None, budget=budget)  # type: ignore[arg-type]
        assert found in folder.read_run().peels
        return found

    return go


def dead_url() -> Failure:
    return failing(URL, "django/urls/resolvers.py", "shop/urls.py")


def test_layer_after_layer_until_the_suite_runs(peel: Callable[..., Peel], tree: Path) -> None:
    (tree / "shop/urls.py").write_text("from django.conf.urls import url  # fixable")
    app = failing("odd", "django/apps/registry.py", "shop/models.py", exception="ValueError")

    def world(taken: Taken, at: Path) -> CellResult:
        if "fixed" not in (at / "shop/urls.py").read_text():
            return result(dead=dead_url())
        if not taken.apps:
            return result(dead=app)
        return result(a="passed", c=failing("old"), d=failing("new"))

    found = peel(result(dead=dead_url()), world)
    assert [(one.how, one.back, one.after_leaving) for one in found.layers] == [
        ("fixer", 0, False),
        ("left-out", 3, False),
    ]
    assert (found.ended, found.runs, found.fixer) == ("runs", 2, "django-upgrade 1.33.0")
    assert (found.still, found.old, found.missing) == (("c", "d"), ("c",), ("b",))
    assert [(one.message, one.old) for one in found.left] == [("old", 1), ("new", 0)]
    assert (found.status, found.before) == ("uncollectable", A.id)


def test_a_way_that_does_not_help_is_told_and_undone_and_never_tried_again(
    peel: Callable[..., Peel], tree: Path
) -> None:
    was = (tree / "shop/urls.py").read_text()
    seen: list[Taken] = []

    def world(taken: Taken, _: Path) -> CellResult:
        seen.append(taken)
        return result(dead=dead_url())

    found = peel(result(dead=dead_url()), world)
    assert (found.layers, found.ended, found.runs) == ((), "stuck", 2)
    assert [len(taken.shims) for taken in seen] == [1, 0]
    (left,) = found.left
    assert [one.rpartition(": ")[2] for one in left.tried] == [
        "rewrites nothing of it",
        "the same cause came again",
        "the same cause came again",
    ]
    assert (tree / "shop/urls.py").read_text() == was


def test_what_makes_a_suite_die_is_undone(peel: Callable[..., Peel]) -> None:
    bad = failing("use force_text: cannot import name 'force_text' from 'django.utils.encoding'")

    def world(taken: Taken, _: Path) -> CellResult:
        return result(dead=failing("worse")) if taken.shims else result(a="passed", b=bad)

    found = peel(result(a="passed", b=bad), world)
    assert (found.layers, found.ended) == ((), "runs")
    assert [one.tried[-1].rpartition(": ")[2] for one in found.left] == ["then no test runs at all"]


def test_a_cause_that_shows_again_for_less_is_kept_and_goes_on(peel: Callable[..., Peel]) -> None:
    bad = failing("cannot import name 'force_text' from 'django.utils.encoding'")
    found = peel(
        result(a=bad, b=bad),
        lambda taken, _: result(a="passed" if taken.shims else bad, b=bad),
    )
    (layer,) = found.layers
    assert (layer.how, layer.partly, layer.mended, layer.failing) == ("shim", True, 1, 1)
    assert (found.still, found.runs) == (("b",), 1)


def test_the_budget_ends_it_and_so_does_a_machine_that_fails(peel: Callable[..., Peel]) -> None:
    found = peel(result(dead=dead_url()), lambda *_: result(a="passed"), budget=0.0)
    assert (found.ended, found.runs, peeling.exit_code((found,))) == (
        "budget",
        0,
        ExitCode.INCOMPLETE,
    )

    def fails(*_: object) -> CellResult:
        raise InfraError("the disk is full")

    found = peel(result(dead=dead_url()), fails)
    assert (found.ended, found.reason) == ("failed", "the disk is full")
    assert peeling.exit_code((msgspec.structs.replace(found, ended="stuck"),)) == ExitCode.OK


def test_a_cell_before_in_which_nothing_ran_is_compared_with_nothing(
    peel: Callable[..., Peel],
) -> None:
    dead = result(A, dead=dead_url())
    found = peel(result(dead=dead_url()), lambda *_: result(a=failing("x")), before=dead)
    assert (found.before, found.still, found.old, found.missing) == ("", ("a",), (), ())


# Reports.


def a_peel(**changes: Any) -> Peel:
    seen = Seen(cause="c1", exception="x.ImportError", message=URL, owner=PROJECT, place="u.py:3")
    layer = Layer(seen=seen, how="shim", what="a is b", back=3, ran=3, failing=1)
    left = Seen(cause="c2", exception="x.Odd", message="@odd\nmore", owner=PROJECT, tests=1)
    said = {"layers": (layer,), "left": (left,), "still": ("a",), "ran_in_the_end": 3}
    return Peel(id=B.id, status="uncollectable", before=A.id, **(said | changes))


def test_reports_say_it_under_the_hop_and_the_verdict_stays(tmp_path: Path) -> None:
    run = made(result(A, a="passed"), result(B, dead=dead_url()))
    assert "djhop peel --cell" in text.render(run)
    run = msgspec.structs.replace(run, peels=(a_peel(),))
    for render in (text.render, markdown.render):
        said = " ".join(render(run).split())
        assert "1 layer taken away, and the suite runs; 1 of 3 tests still fails" in said
        assert "with a shim: a is b: 3 tests came back (1 of 3 failing)" in said
        assert "breaks" in said
        assert "djhop peel --cell" not in said
    assert "`left: 1 test, Odd: @odd" in markdown.render(run), "what a target says is code"
    folder = RunFolder(tmp_path)
    folder.write_run(run)
    assert folder.load() == run
    jsonschema.validate(json.loads(msgspec.json.encode(a_peel())), schemas.schema(Peel))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ended": "stuck", "ran_in_the_end": 0, "still": ()}, "nothing more can be; no test runs"),
        ({"ended": "budget"}, "when the time was over; 1 of 3"),
        ({"ended": "failed", "reason": "no disk"}, "1 layer taken away, then no disk"),
        ({"still": ()}, "none of 3 tests fails"),
        ({"old": ("a",)}, f"1 of them in {A.id} as well"),
        ({"missing": ("z",)}, f"1 test of {A.id} did not run"),
    ],
)
def test_a_sentence_says_what_it_came_to(changes: dict[str, Any], words: str) -> None:
    assert words in peels_report.headline(a_peel(**changes))


def test_what_fails_before_as_well_is_not_listed_and_shims_are_no_pass() -> None:
    run = made(result(A, a="passed"), result(B, dead=dead_url()))
    old = msgspec.structs.replace(a_peel().left[0], old=1)
    said = peels_report.text(run, (a_peel(left=(old,), old=("a",)),))
    assert "odd" not in said
    assert f"1 cause of what fails in {A.id} as well" in said
    assert "stays uncollectable: what ran here is no pass" in said
    assert "nothing to take away" in peels_report.text(run, ())


def test_a_sight_holds_its_failures() -> None:
    (sight,) = sights(result(dead=dead_url()))
    assert isinstance(sight, Sight)
    assert sight.failures == (dead_url(),)
    assert ways.shim(sight.seen.known) == ShimSpec(  # type: ignore[arg-type]
        kind="name", paths=("django.conf.urls.url",), alias="django.urls.re_path"
    )
