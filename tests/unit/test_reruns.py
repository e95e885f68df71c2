"""Which processes run what newly fails again, and what they are believed to say."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import msgspec
import pytest

from djhop import reruns
from djhop.cells import cells
from djhop.cells.job import Job
from djhop.compare.compare import findings, judge
from djhop.compare.flaky import Evidence
from djhop.errors import Interrupted
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.flaky import Flaky, KnownFlaky
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell, Hop
from djhop.processes.process import Completed, Spawner
from djhop.resolve.locks import Lock
from djhop.results import passes
from djhop.results.deprecations import Deprecation
from djhop.results.eventlog import Exc, Seen
from djhop.results.events import PassEvents
from djhop.results.passes import Ran
from djhop.results.paths import Paths
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult, Failure, Owner
from djhop.results.results import Test as Case
from djhop.suites import selecting
from djhop.target.target import Suite, Target

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
#: (side, what was chosen) → what its tests do: p(assed), f(ailed), s(kipped), one letter each.
Script = Callable[[str, str], dict[str, str]]
OUTCOMES = {"p": "passed", "f": "failed", "s": "skipped"}


def case(name: str, exception: str = "", cause: str = "") -> Case:
    if not exception:
        return Case(id=name, strict="passed", plain="passed")
    why = Failure(exception=exception, message="no", owner=Owner("project"))
    return Case(id=name, strict="failed", plain="failed", failure=why, cause=cause)


def cell(of: Cell, *tests: Case, **more: object) -> CellResult:
    red = any(test.plain == "failed" for test in tests)
    given: dict[str, object] = {"status": "failed" if red else "passed", **more}
    return CellResult(id=of.id, django=of.django, python=of.python, tests=tests, **given)


def job(tmp_path: Path, of: Cell, wanted: Flaky, suite: Suite) -> Job:
    return Job(
        cell=of,
        target=Target(root=str(tmp_path), name="shop", sources=(), suite=suite),
        matrix=Matrix(flaky=wanted),
        settings=CellSettings(),
        interpreter=Interpreter(python="3.12", release="3.12.1", path="/p", source="", key="k"),
        lock=Lock(pins=(), django_release="5.2.1"),
        folder=str(tmp_path / "cell"),
        cache=str(tmp_path / "cache"),
        files=(),
    )


class Rooms:
    """Stands for both cells; keeps what was chosen in them."""

    def __init__(self, script: Script) -> None:
        self.script, self.chosen = script, list[tuple[str, str, str]]()
        self.ends: dict[str, object] = {}
        self.began = True

    @contextlib.contextmanager
    def rerunning(self, of: Job, _: Spawner, folder: Path) -> Iterator[cells.Again]:
        def run(name: str, chosen: str, seconds: float) -> Ran:
            assert seconds > 0
            self.chosen.append((folder.name, name[4:], chosen))
            return self._ran(self.script(folder.name, chosen))

        yield cells.Again(run=run, paths=Paths(root="/tree", site_packages=(), stdlib=()))

    def _ran(self, ends: dict[str, str]) -> Ran:
        exc = Exc(type="AssertionError", name="AssertionError", mro=(), message="no")
        tests = {
            name: Seen(outcome=OUTCOMES[end], when="call", exc=exc if end == "f" else None)
            for name, end in ends.items()
        }
        events = PassEvents(began=self.began, ended=True, framework="pytest 9", tests=tests)
        done = Completed(argv=("python",), returncode=0, seconds=1.0, **self.ends)  # type: ignore[arg-type]
        return passes.finish("plain", done, events)


@pytest.fixture
def again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reruns]:
    def go(
        rooms: Rooms,
        before: CellResult,
        after: CellResult,
        *,
        wanted: Flaky = Flaky(),  # noqa: B008 - frozen
        suite: Suite = Suite(kind="pytest", argv=("pytest",)),  # noqa: B008 - frozen
        known: tuple[KnownFlaky, ...] = (),
    ) -> Reruns:
        monkeypatch.setattr(cells, "rerunning", rooms.rerunning)
        ends = (
            reruns.End(job=job(tmp_path, of, wanted, suite), result=result)
            for of, result in ((OLD, before), (NEW, after))
        )
        found = findings(before, after)
        return reruns.rerun(*ends, found, tmp_path / "hop", Spawner(), known=known)

    return go


def steadily(side: str, chosen: str) -> dict[str, str]:
    """Alone as in the suite: passes before and fails after."""
    return {chosen: "p" if side == "before" else "f"}


def test_a_break_is_run_alone_in_both_cells_and_no_more(again: Callable[..., Reruns]) -> None:
    rooms = Rooms(steadily)
    done = again(rooms, cell(OLD, case("t.py::a")), cell(NEW, case("t.py::a", "AssertionError")))
    both = [("before", "alone", "t.py::a"), ("after", "alone", "t.py::a")]
    assert rooms.chosen == both * 2
    assert (done.asked, done.tests, done.reason) == (1, 1, "")
    assert [(run.side, run.outcome) for run in done.runs] == [
        ("before", "passed"),
        ("after", "failed"),
    ] * 2


def test_before_the_hop_failing_for_yet_another_reason_excuses_nothing(
    again: Callable[..., Reruns],
) -> None:
    # On its own it fails in both cells, by an assertion; in the suite 5.2 brings a ValueError.
    rooms = Rooms(lambda _, chosen: {"t.py::a" if chosen == "t.py" else chosen: "f"})
    old, new = cell(OLD, case("t.py::a")), cell(NEW, case("t.py::a", "ValueError"))
    done = again(rooms, old, new)
    told = {(run.side, run.outcome, run.reason) for run in done.runs}
    assert told == {
        ("before", None, "it fails there for yet another reason"),
        ("after", "failed", ""),
    }
    hop = Hop(before=OLD, after=NEW, axis="django")
    judged = judge(old, new, hop, evidence=Evidence(reruns=done))
    assert (judged.verdict, judged.broke) == ("breaks", ("t.py::a",))

    # The same reason as after the hop: it is what the test needs before it that has gone.
    done = again(rooms, old, new := cell(NEW, case("t.py::a", "AssertionError")))
    judged = judge(old, new, hop, evidence=Evidence(reruns=done))
    assert (judged.verdict, judged.order_dependent) == ("unknown", ("t.py::a",))


def test_one_test_stands_for_what_one_exception_breaks(again: Callable[..., Reruns]) -> None:
    names = [f"t.py::{n}" for n in "abcd"]
    before = cell(OLD, *map(case, names))
    raised = [case(name, "ImportError", "cause") for name in names[:2]]
    checks = [case(name, "AssertionError", "check") for name in names[2:]]
    rooms = Rooms(steadily)
    done = again(rooms, before, cell(NEW, *raised, *checks), wanted=Flaky(reruns=1))
    assert {chosen for _, _, chosen in rooms.chosen} == {names[0], *names[2:]}
    assert (done.asked, done.tests) == (4, 3)


def test_where_one_is_odd_all_of_its_kind_are_run_and_their_module(
    again: Callable[..., Reruns],
) -> None:
    def script(side: str, chosen: str) -> dict[str, str]:
        if chosen == "t.py":
            return {"t.py::a": "p", "t.py::b": "f", "t.py::other": "p"}
        return {chosen: "f" if (side, chosen) == ("after", "t.py::b") else "p"}

    names = ("t.py::a", "t.py::b")
    rooms = Rooms(script)
    red = cell(NEW, *(case(name, "ImportError", "cause") for name in names))
    done = again(rooms, cell(OLD, *map(case, names)), red, wanted=Flaky(reruns=1))
    assert rooms.chosen == [
        ("before", "alone", "t.py::a"),
        ("after", "alone", "t.py::a"),
        ("before", "alone", "t.py::b"),
        ("after", "alone", "t.py::b"),
        # Of b the runs alone have said it.
        ("before", "module", "t.py"),
        ("after", "module", "t.py"),
    ]
    assert [(r.test, r.outcome) for r in done.runs if r.how == "module"] == [
        ("t.py::a", "passed"),
        ("t.py::a", "passed"),
    ]


def test_a_test_that_passes_and_fails_alone_needs_no_run_of_its_module(
    again: Callable[..., Reruns],
) -> None:
    rooms = Rooms(lambda side, chosen: {chosen: "p" if side == "before" or luck.pop() else "f"})
    luck = [True, False]
    again(rooms, cell(OLD, case("t.py::a")), cell(NEW, case("t.py::a", "AssertionError")))
    assert luck == []
    assert {how for _, how, _ in rooms.chosen} == {"alone"}


def test_what_a_deprecation_foretold_is_not_run_again(again: Callable[..., Reruns]) -> None:
    def warns(removed: str | None) -> CellResult:
        seen = Deprecation(
            category="W",
            message="The django.utils.timezone.utc alias is deprecated.",
            place="t.py:3",
            owner=Owner("project"),
            removed_in=removed,
            tests=("t.py::a",),
        )
        return cell(OLD, case("t.py::a"), deprecations=(seen,))

    entry = KnownFlaky(id="t.py::*", reason="r", expires=datetime.date(2026, 12, 31))
    gone = "module 'django.utils.timezone' has no attribute 'utc'"
    for removed, message, entries, runs in (
        ("5.0", gone, (), 0),
        ("5.2", gone, (), 0),
        ("6.0", gone, (), 4),
        ("4.2", gone, (), 4),
        (None, gone, (), 4),
        ("5.0", gone, (entry,), 4),
        # It warned of that, and fails for something else.
        ("5.0", "the server is slow", (), 4),
    ):
        why = Failure(exception="AttributeError", message=message, owner=Owner("project"))
        red = Case(id="t.py::a", strict="failed", plain="failed", failure=why)
        rooms = Rooms(steadily)
        done = again(rooms, warns(removed), cell(NEW, red), known=entries)
        assert len(rooms.chosen) == runs, (removed, message)
        assert (done.asked, done.foretold) == (1, 0 if runs else 1)


def test_a_test_that_is_new_is_run_after_the_hop_alone(again: Callable[..., Reruns]) -> None:
    rooms = Rooms(steadily)
    again(rooms, cell(OLD, case("t.py::b")), cell(NEW, case("t.py::a", "E"), case("t.py::b")))
    assert {(side, chosen) for side, _, chosen in rooms.chosen} == {("after", "t.py::a")}


def test_the_budget_ends_it_and_that_is_said(
    again: Callable[..., Reruns], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(reruns.time, "monotonic", lambda: float(next(clock)))
    rooms = Rooms(steadily)
    red = cell(NEW, case("t.py::a", "AssertionError"))
    done = again(rooms, cell(OLD, case("t.py::a")), red, wanted=Flaky(budget=25))
    assert (len(rooms.chosen), done.reason) == (2, reruns.OVER)
    assert len(done.runs) == 2


@pytest.mark.parametrize(
    ("ends", "began", "tests", "reason"),
    [
        ({}, True, {"t.py::a": "p", "t.py::b": "p"}, "the suite's runner chose other tests"),
        ({}, True, {}, "no test was run"),
        ({"timed_out": True}, True, {"t.py::a": "p"}, "it took too long"),
        ({}, False, {}, "the test process did not start"),
    ],
)
def test_a_process_that_ran_something_else_says_nothing(
    again: Callable[..., Reruns],
    ends: dict[str, object],
    began: bool,
    tests: dict[str, str],
    reason: str,
) -> None:
    rooms = Rooms(lambda *_: tests)
    rooms.ends, rooms.began = ends, began
    red = cell(NEW, case("t.py::a", "AssertionError"))
    done = again(rooms, cell(OLD, case("t.py::a")), red)
    alone = {(run.outcome, run.reason) for run in done.runs if run.how == "alone"}
    assert alone == {(None, reason)}


def test_an_interrupt_ends_it(again: Callable[..., Reruns]) -> None:
    rooms = Rooms(steadily)
    rooms.ends = {"interrupted": True}
    with pytest.raises(Interrupted):
        again(rooms, cell(OLD, case("t.py::a")), cell(NEW, case("t.py::a", "AssertionError")))


def test_where_nothing_can_be_run_again_that_is_said(again: Callable[..., Reruns]) -> None:
    red = cell(NEW, case("t.py::a", "E"))
    crashed = msgspec.structs.replace(red, status="crashed")
    foreign = Suite(kind="command", argv=("make", "test"), junit="*.xml")
    for after, suite, words in (
        (crashed, Suite(kind="pytest", argv=()), "was cut short (crashed)"),
        (red, foreign, "which tests the suite's command would take is not known"),
    ):
        rooms = Rooms(steadily)
        done = again(rooms, cell(OLD, case("t.py::a")), after, suite=suite)
        assert words in done.reason
        assert (rooms.chosen, done.tests, done.asked) == ([], 0, 1)


# How tests are chosen.


@pytest.mark.parametrize(
    ("test", "module"),
    [
        ("tests/test_a.py::Kind::test_x[a.b::c]", "tests/test_a.py"),
        ("tests.test_a.Kind.test_x", "tests.test_a"),
        ("test_a.Kind.test_x", "test_a"),
        ("Kind.test_x", ""),
    ],
)
def test_the_module_of_a_test(test: str, module: str) -> None:
    assert selecting.module_of(test) == module
    assert not module or selecting.is_in(test, module)


def test_the_tests_that_a_suite_names_give_way() -> None:
    suite = Suite(kind="django", argv=("manage.py", "test", "shop", "--tag", "quick"))
    bare, args = selecting.without_tests(suite, ("-v", "2", "shop.tests"))
    assert bare.argv == ("manage.py", "test", "--tag", "quick")
    assert args == ("-v", "2")


def test_an_id_is_made_relative_to_where_the_suite_runs() -> None:
    files = {PurePath("/tree/backend/t.py"), PurePath("/tree/u.py")}

    def placed(word: str) -> str:
        return selecting.placed(word, "/tree", "backend", files.__contains__)

    assert placed("t.py::a") == "t.py::a"
    assert placed("backend/t.py::a") == "/tree/backend/t.py::a"
    assert placed("tests.test_a") == "tests.test_a"
    assert placed("gone.py::a") == "gone.py::a"
