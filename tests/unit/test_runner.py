"""The loop: what one bad cell costs the others, and what a run exits with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from djhop import attempts, closing, jobs, runner
from djhop.cells.job import Job
from djhop.compare.compare import compare
from djhop.desk.desk import Desk
from djhop.errors import ExitCode, InfraError, Interrupted
from djhop.interpreters.interpreters import Interpreter
from djhop.jobs import Options
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.matrix.service import Service
from djhop.news import Event, Finished, Said
from djhop.processes.process import Spawner
from djhop.resolve.locks import Lock
from djhop.results.outcomes import Counts
from djhop.results.outcomes import Test as Case
from djhop.results.results import CellResult, Status
from djhop.results.steps import Step, StepName
from djhop.runner import Session
from djhop.services.running import ServiceError
from djhop.store.store import RunFolder
from djhop.target.target import Suite, Target

A, B, C, D = (Cell(django=series, python="3.12") for series in ("3.2", "4.2", "5.1", "5.2"))


def hop(before: Cell, after: Cell) -> Hop:
    return Hop(before=before, after=after, axis="django")


PLAN = Plan(cells=(A, B, C), path=(A, B, C), hops=(hop(A, B), hop(B, C)))
#: The path has a gap: what leads to the last cell is left out.
GAP = Plan(cells=(A, B, D), path=(A, B, D), hops=(hop(A, B),))
TWO = Plan(cells=(A, B, C, D), path=(A, B, C, D), hops=(hop(A, B), hop(C, D)))
PYTHON = Interpreter(python="3.12", release="3.12.1", path="/python", source="PATH", key="k")


def result(cell: Cell, status: Status = "passed") -> CellResult:
    outcome = "failed" if status in ("failed", "uncollectable") else "passed"
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status=status,
        tests=(Case(id="a", strict=outcome, plain=outcome),),  # type: ignore[arg-type]
        counts={"plain": Counts(passed=1)},
    )


Make = Callable[..., Session]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A run of a plan in which nothing is resolved and `work` stands for what a cell does."""
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.setenv("DJHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(jobs.visible, "files", lambda *_, **__: ())
    monkeypatch.setattr(jobs.revisions, "head", lambda *_: "0a1b2c3d")
    lock = Lock(pins=(), django_release="5.2.1")
    monkeypatch.setattr(jobs.resolve, "resolve", lambda *_, **__: lock)

    def make(
        plan: Plan = PLAN,
        work: Any = None,
        desk: Desk | None = None,
        service: dict[str, Service] | None = None,
        **options: Any,
    ) -> Session:
        def run_cell(job: Job, *_: object) -> CellResult:
            return (work or result)(job.cell)

        monkeypatch.setattr(attempts.cells, "run_cell", run_cell)
        suite = Suite(kind="pytest", argv=())
        return Session(
            target=Target(root=str(root), name="shop", sources=(), suite=suite),
            matrix=Matrix(name="lts", service=service or {}),
            plan=plan,
            whole=plan,
            found={"3.12": PYTHON},
            options=Options(out=str(tmp_path / "out"), **options),
            spawner=Spawner(),
            desk=desk,
        )

    return make


def statuses(events: Iterable[Event]) -> dict[str, str]:
    return {e.result.id: e.result.status for e in events if isinstance(e, Finished)}


def test_all_is_well(session: Make) -> None:
    it = session()
    assert statuses(it.events()) == dict.fromkeys((A.id, B.id, C.id), "passed")
    assert it.exit_code == ExitCode.OK
    assert it.folder.read_run().complete


@pytest.mark.parametrize("args", [(), ("tests/test_a.py",)])
def test_a_run_says_whether_the_whole_suite_was_asked_for(
    session: Make, args: tuple[str, ...]
) -> None:
    it = session(args=args)
    list(it.events())
    assert it.folder.read_run().whole == (not args)


def test_a_bug_costs_one_cell_and_is_kept(session: Make) -> None:
    def work(cell: Cell) -> CellResult:
        if cell == B:
            raise ZeroDivisionError("ours")
        return result(cell)

    it = session(work=work)
    assert statuses(it.events()) == {A.id: "passed", B.id: "infra", C.id: "passed"}
    found = it.folder.read_cell(B.id)
    log = it.folder.cell(B.id).path / "djhop-error.log"
    assert found.reason == "a bug in djhop: ZeroDivisionError: ours"
    assert str(log) in found.hint
    assert "in work" in log.read_text()
    assert it.exit_code == ExitCode.INTERNAL
    # No verdict is made of it.
    assert [hop.verdict for hop in it.folder.read_run().hops] == ["unknown", "unknown"]


def test_a_service_that_is_gone_is_no_reason_of_what_cannot_be_installed(
    session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner.Services, "env", lambda _: {})
    monkeypatch.setattr(runner.Services, "gone", lambda _: ServiceError("is gone"))
    found: dict[Cell, Status] = {A: "uninstallable", B: "passed", C: "failed"}
    service = {"db": Service(start="serve", ready="ask")}
    run = session(work=lambda cell: result(cell, found[cell]), service=service)
    assert statuses(run.events()) == {A.id: "uninstallable", B.id: "passed", C.id: "infra"}


def test_a_step_that_fails_where_a_service_is_gone_says_nothing(
    session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner.Services, "env", lambda _: {})
    monkeypatch.setattr(runner.Services, "gone", lambda _: ServiceError("is gone"))
    steps: dict[StepName, Step] = {"checks": Step(status="ok"), "database": Step(status="failed")}
    service = {"db": Service(start="serve", ready="ask")}
    run = session(
        work=lambda cell: msgspec.structs.replace(result(cell), steps=steps), service=service
    )
    assert set(statuses(run.events()).values()) == {"passed"}
    found = run.folder.read_cell(A.id).steps
    assert (found["checks"].status, found["database"].status) == ("ok", "not-available")
    assert found["database"].reason == "is gone"


def test_a_machine_that_fails_is_no_bug(session: Make) -> None:
    def work(cell: Cell) -> CellResult:
        if cell == C:
            raise InfraError("the disk is full", hint="make room")
        return result(cell)

    it = session(work=work)
    assert statuses(it.events())[C.id] == "infra"
    found = it.folder.read_cell(C.id)
    assert (found.reason, found.hint) == ("the disk is full", "make room")
    assert it.exit_code == ExitCode.INCOMPLETE


@pytest.mark.parametrize(
    ("error", "code"),
    [(InfraError("no space left"), ExitCode.INCOMPLETE), (KeyError("ours"), ExitCode.INTERNAL)],
)
def test_a_cell_whose_result_cannot_be_written_is_lost_alone(
    session: Make, monkeypatch: pytest.MonkeyPatch, error: Exception, code: ExitCode
) -> None:
    write = RunFolder.write_cell

    def full(folder: RunFolder, found: CellResult) -> None:
        if found.id == B.id:
            raise error
        write(folder, found)

    monkeypatch.setattr(RunFolder, "write_cell", full)
    it = session(jobs=2)
    events = list(it.events())
    assert statuses(events) == {A.id: "passed", C.id: "passed"}
    assert [e.text for e in events if isinstance(e, Said)] == [f"a cell is lost: {error}"]
    run = it.folder.read_run()
    assert [cell.status for cell in run.cells] == ["passed", "not-run", "passed"]
    assert not run.complete
    assert it.exit_code == code


def test_what_a_killed_djhop_left_in_the_cache_is_swept_before_any_cell(
    session: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(runner.environments, "sweep", seen.append)

    def work(cell: Cell) -> CellResult:
        seen.append(cell)
        return result(cell)

    list(session(work=work).events())
    assert seen[0] == tmp_path / "cache"
    assert seen.count(seen[0]) == 1


# What to exit with


@pytest.mark.parametrize(
    ("plan", "red", "code"),
    [
        (PLAN, {}, ExitCode.OK),
        # The baseline is what it is, and is no break.
        (PLAN, {A: "failed", B: "failed", C: "failed"}, ExitCode.OK),
        (PLAN, {C: "failed"}, ExitCode.BREAKS),
        # Red behind a gap: no hop leads there, and it is not the baseline.
        (GAP, {D: "failed"}, ExitCode.BREAKS),
        (GAP, {D: "uncollectable"}, ExitCode.BREAKS),
        # So is what begins anew behind one.
        (TWO, {C: "failed", D: "failed"}, ExitCode.BREAKS),
        (TWO, {A: "failed", B: "failed"}, ExitCode.OK),
        (GAP, {D: "no-tests"}, ExitCode.NO_TESTS),
        (GAP, {D: "deprecated"}, ExitCode.OK),
        (GAP, {D: "infra"}, ExitCode.INCOMPLETE),
    ],
)
def test_the_exit_code_of_a_run(plan: Plan, red: dict[Cell, Status], code: ExitCode) -> None:
    assert ends(plan, *(result(c, red.get(c, "passed")) for c in plan.cells)) == code


def ends(plan: Plan, *results: CellResult, **how: Any) -> ExitCode:
    how = {"hops": True, "untested": False, "interrupted": False, "bugs": 0, **how}
    return closing.exit_code(compare(plan, {r.id: r for r in results}), plan, **how)


def test_a_red_cell_behind_a_gap_may_be_allowed_to_fail() -> None:
    allowed = msgspec.structs.replace(result(D, "failed"), allow_failure=True)
    assert ends(GAP, result(A), result(B), allowed) == ExitCode.OK


def test_one_cell_alone_is_judged_by_what_it_is() -> None:
    alone = Plan(cells=(D,), path=(D,), hops=())
    assert ends(alone, result(D, "failed")) == ExitCode.BREAKS


def test_who_shares_a_folder_judges_no_hop() -> None:
    found = (result(A), result(B), result(C, "failed"))
    assert ends(PLAN, *found) == ExitCode.BREAKS
    # The cell is red by itself, whoever judges the hop that leads there.
    assert ends(PLAN, *found, hops=False) == ExitCode.BREAKS
    assert ends(PLAN, result(A, "failed"), result(B), result(C), hops=False) == ExitCode.BREAKS


def test_what_else_an_exit_code_says() -> None:
    good = (result(A), result(B), result(C))
    assert ends(PLAN, *good, interrupted=True) == ExitCode.INTERRUPTED
    assert ends(PLAN, *good, bugs=1) == ExitCode.INTERNAL
    installed = [result(cell, "not-run") for cell in (A, B, C)]
    assert ends(PLAN, *installed, hops=False, untested=True) == ExitCode.OK
    assert ends(PLAN, *installed) != ExitCode.OK


ONE = Plan(cells=(A, B), path=(A, B), hops=(hop(A, B),))


@pytest.mark.parametrize("jobs", [1, 2])
def test_at_the_desk_the_cell_before_is_run_where_the_other_is_red(
    jobs: int, session: Make, tmp_path: Path
) -> None:
    begun: list[Cell] = []

    def work(cell: Cell) -> CellResult:
        begun.append(cell)
        return result(cell, "failed")

    desk = Desk(ONE.hops[0], tmp_path / "cache", fresh=False)
    run = session(ONE, work, desk, jobs=jobs, args=("tests/test_a.py",))
    list(run.events())
    assert (begun, run.exit_code) == ([B, A], ExitCode.OK)  # as red as before


@pytest.mark.parametrize("jobs", [1, 2])
def test_at_the_desk_a_cell_before_that_is_not_needed_leaves_nothing_incomplete(
    jobs: int, session: Make, tmp_path: Path
) -> None:
    begun: list[Cell] = []

    def work(cell: Cell) -> CellResult:
        begun.append(cell)
        return result(cell)

    desk = Desk(ONE.hops[0], tmp_path / "cache", fresh=False)
    run = session(ONE, work, desk, jobs=jobs, args=("tests/test_a.py",))
    list(run.events())
    assert (begun, run.exit_code) == ([B], ExitCode.OK)
    read = run.folder.load()
    assert [cell.status for cell in read.cells] == ["not-run", "passed"]
    assert (read.hops[0].verdict, read.whole) == ("unknown", False)
    assert (run.folder.cell(A.id).path / "requirements.txt").is_file()


def test_at_the_desk_nobody_waits_for_a_cell_that_is_resumed(session: Make, tmp_path: Path) -> None:
    def cut(cell: Cell) -> CellResult:
        if cell == A:
            raise Interrupted("interrupted")
        first.spawner.interrupt()
        return result(cell, "failed")

    args = ("tests/test_a.py",)
    first = session(ONE, cut, Desk(ONE.hops[0], tmp_path, fresh=False), args=args)
    list(first.events())

    def rest(cell: Cell) -> CellResult:
        return result(cell, "failed")

    again = session(ONE, rest, Desk(ONE.hops[0], tmp_path, fresh=False), args=args, resume=True)
    ended = [event.result.id for event in again.events() if isinstance(event, Finished)]
    assert ended == [B.id, A.id]


def test_a_bug_in_the_cell_after_leaves_nobody_waiting(session: Make, tmp_path: Path) -> None:
    def work(cell: Cell) -> CellResult:
        if cell == B:
            raise ValueError("ours")
        return result(cell)

    run = session(ONE, work, Desk(ONE.hops[0], tmp_path, fresh=False), jobs=2, args=("-k", "x"))
    list(run.events())
    assert run.exit_code == ExitCode.INTERNAL
