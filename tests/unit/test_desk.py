"""One hop that somebody is at work on: which cell runs, and what may stand for a run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from djhop.cells.job import Job
from djhop.desk import kept, sameness
from djhop.desk.desk import Desk, spotless
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell, Hop
from djhop.matrix.service import Service
from djhop.resolve.locks import Lock
from djhop.results.passes import Pass
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.target.target import Suite, Target

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
HOP = Hop(before=OLD, after=NEW, axis="django")
ENVIRON = {"PATH": "/bin", "SECRET": "1"}


def result(of: Cell, status: str = "passed", **more: str) -> CellResult:
    bad = "failed" if status == "failed" else "passed"
    case = Case(id="a", **{"strict": bad, "plain": bad, **more})  # type: ignore[arg-type]
    return CellResult(id=of.id, django=of.django, python=of.python, status=status, tests=(case,))  # type: ignore[arg-type]


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "views.py").write_text("one")

    def make(cell: Cell = NEW, **more: object) -> Job:
        made = Job(
            cell=cell,
            target=Target(
                root=str(root),
                name="shop",
                sources=(),
                suite=Suite(kind="pytest", argv=("pytest",)),
            ),
            matrix=Matrix(only=("tests",)),
            settings=CellSettings(),
            interpreter=Interpreter(
                python="3.12", release="3.12.1", path="/python", source="PATH", key="k"
            ),
            lock=Lock(pins=("django==5.2.1",), django_release="5.2.1"),
            folder=str(tmp_path / "run" / cell.id),
            cache=str(tmp_path / "cache"),
            files=("views.py",),
            args=("tests/test_a.py",),
        )
        return msgspec.structs.replace(made, **more)

    return make


def work(desk: Desk, job: Job, outcome: CellResult, ran: list[str]) -> CellResult:
    """A cell as the runner does it; `ran` is told of each that is really run."""

    def run() -> CellResult:
        ran.append(job.cell.id)
        Path(job.folder).mkdir(parents=True, exist_ok=True)
        Path(job.folder, "junit.xml").write_text(job.cell.id)
        return outcome

    try:
        return desk.result(job, ENVIRON, run)
    finally:
        desk.end(job.cell)


Make = Callable[..., Job]


def test_the_cell_after_is_begun_first(tmp_path: Path) -> None:
    assert Desk(HOP, tmp_path, fresh=False).order([OLD, NEW]) == [NEW, OLD]


@pytest.mark.parametrize(
    ("after", "both"),
    [
        (result(NEW), False),
        (result(NEW, "failed"), True),
        (result(NEW, "deprecated", strict="failed"), True),
        (result(NEW, "no-tests"), True),
        (result(NEW, plain="skipped", strict="skipped"), True),
        (msgspec.structs.replace(result(NEW), tests=(Case(id="a", plain="passed"),)), True),
        (msgspec.structs.replace(result(NEW), passes=(Pass(mode="strict", canary=False),)), True),
    ],
    ids=["all pass", "failed", "deprecated", "no tests", "skipped", "not strictly", "no canary"],
)
def test_the_cell_before_is_run_where_something_is_to_be_compared(
    after: CellResult, both: bool, job: Make, tmp_path: Path
) -> None:
    desk, ran = Desk(HOP, tmp_path, fresh=False), list[str]()
    work(desk, job(NEW), after, ran)
    before = work(desk, job(OLD), result(OLD), ran)
    assert ran == ([NEW.id, OLD.id] if both else [NEW.id])
    assert desk.alone == (not both)
    assert before.status == ("passed" if both else "not-run")
    assert spotless(after) == (not both)


def test_the_cell_before_waits_for_the_cell_after(job: Make, tmp_path: Path) -> None:
    desk, ran = Desk(HOP, tmp_path, fresh=False), list[str]()
    waiting = threading.Thread(target=work, args=(desk, job(OLD), result(OLD), ran))
    waiting.start()
    waiting.join(0.05)
    assert (waiting.is_alive(), ran) == (True, [])
    desk.end(NEW)  # its lock could not be made, say: whatever it is, it is over
    waiting.join(5)
    assert ran == [OLD.id]


def test_what_passes_is_not_run_again(job: Make, tmp_path: Path) -> None:
    ran = list[str]()
    first = work(Desk(None, tmp_path, fresh=False), job(), result(NEW), ran)
    Path(job().folder, "junit.xml").unlink()
    again = work(Desk(None, tmp_path, fresh=False), job(), result(NEW, "failed"), ran)
    assert ran == [NEW.id]
    assert again.notes[-1].startswith(kept.FROM + time.strftime("%Y-"))
    assert msgspec.structs.replace(again, notes=()) == first
    assert Path(job().folder, "junit.xml").read_text() == NEW.id
    work(Desk(None, tmp_path, fresh=True), job(), result(NEW), ran)
    assert ran == [NEW.id, NEW.id]


@pytest.mark.parametrize("status", ["failed", "crashed", "infra", "no-tests", "interrupted"])
def test_what_does_not_pass_is_run_again(status: str, job: Make, tmp_path: Path) -> None:
    ran = list[str]()
    for _ in range(2):
        work(Desk(None, tmp_path, fresh=False), job(), result(NEW, status), ran)
    assert ran == [NEW.id, NEW.id]


def test_what_is_flaky_is_run_again() -> None:
    case = Case(id="a", plain="passed", strict="failed", flaky=True)
    assert not kept.worth(msgspec.structs.replace(result(NEW, "deprecated"), tests=(case,)))


def test_a_kept_result_that_is_damaged_or_old_is_run_again(job: Make, tmp_path: Path) -> None:
    kept.keep(tmp_path, "a", result(NEW), tmp_path / "shop")
    file = tmp_path / "results" / "a" / kept.RESULT
    assert kept.take(tmp_path, "a", tmp_path / "to") is not None
    week = time.time() - kept.LONGEST - 1
    os.utime(file, (week, week))
    assert kept.take(tmp_path, "a", tmp_path / "to") is None
    file.write_text("{")
    assert kept.take(tmp_path, "a", tmp_path / "to") is None
    assert kept.take(tmp_path, "b", tmp_path / "to") is None


def test_the_latest_results_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    for number, name in enumerate("abc"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - 10 + number,) * 2)
    kept.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def changed_file(job: Job) -> Job:
    # The same size, and the time that it had: only the content tells.
    path = Path(job.target.root, "views.py")
    was = path.stat()
    path.write_text("two")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    return job


def changed_mode(job: Job) -> Job:
    Path(job.target.root, "views.py").chmod(0o755)
    return job


def other(**more: object) -> Callable[[Job], Job]:
    return lambda job: msgspec.structs.replace(job, **more)


@pytest.mark.parametrize(
    "change",
    [
        changed_file,
        changed_mode,
        other(files=()),
        other(args=("tests/test_b.py",)),
        other(lock=Lock(pins=("django==5.2.2",), django_release="5.2.2")),
        other(matrix=Matrix(only=("tests",), strict="literal")),
        other(settings=CellSettings(env={"A": "1"})),
        other(
            interpreter=Interpreter(
                python="3.12", release="3.12.2", path="/python", source="PATH", key="k"
            )
        ),
        other(cell=OLD),
    ],
)
def test_whatever_a_suite_can_see_changes_the_name(change: Callable[[Job], Job], job: Make) -> None:
    before = sameness.name(job(), ENVIRON)
    assert sameness.name(change(job()), ENVIRON) != before


def test_what_is_copied_from_outside_of_the_target_changes_the_name(
    job: Make, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "rates.json").write_text("1")
    root = Path(job().target.root)
    (root / "rates.json").symlink_to(shared / "rates.json")
    (root / "data").symlink_to(shared)
    seen = list[str]()
    for files in (("views.py", "rates.json"), ("views.py", "data")):
        for text in ("1", "2"):
            (shared / "rates.json").write_text(text)
            seen.append(sameness.name(job(files=files), ENVIRON))
    assert len(set(seen)) == 4


def test_a_package_that_is_a_folder_here_changes_the_name(job: Make, tmp_path: Path) -> None:
    (tmp_path / "money" / "build").mkdir(parents=True)
    pin = f"money @ {(tmp_path / 'money').as_uri()}"
    lock = Lock(pins=("django==5.2.1", pin), django_release="5.2.1")
    seen = list[str]()
    for text in ("RATE = 1", "RATE = 2"):
        (tmp_path / "money" / "rates.py").write_text(text)
        seen.append(sameness.name(job(lock=lock), ENVIRON))
    (tmp_path / "money" / "build" / "rates.py").write_text("what a build leaves")
    assert seen[0] != seen[1] == sameness.name(job(lock=lock), ENVIRON)


def test_half_of_what_was_kept_is_not_left_in_the_cells_folder(
    job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(job().folder)
    folder.mkdir(parents=True)
    kept.keep(tmp_path, "a", result(NEW), folder)

    def pruned(_: Path, into: Path, **__: bool) -> None:
        into.mkdir()
        (into / "strict.events").write_text("half")
        raise OSError

    monkeypatch.setattr(kept.shutil, "copytree", pruned)
    assert kept.take(tmp_path, "a", folder) is None
    assert not folder.exists()


def test_variables_change_the_name_where_the_suite_sees_them(job: Make) -> None:
    name = sameness.name(job(), ENVIRON)
    assert sameness.name(job(), {**ENVIRON, "TZ": "Asia/Tokyo"}) != name
    assert sameness.name(job(), {**ENVIRON, "SECRET": "2"}) == name
    passing = job(matrix=Matrix(only=("tests",), pass_env=("SECRET",)))
    seen = sameness.name(passing, ENVIRON)
    assert sameness.name(passing, {**ENVIRON, "SECRET": "2"}) != seen


def test_what_no_test_can_see_does_not_change_the_name(job: Make) -> None:
    name = sameness.name(job(), ENVIRON)
    elsewhere = job(folder="/elsewhere", offline=True, recreate=True)
    assert sameness.name(elsewhere, ENVIRON) == name
    assert (
        sameness.name(
            job(matrix=Matrix(only=("tests",), name="x", jobs=2, before_rev="v1")), ENVIRON
        )
        == name
    )


@pytest.mark.parametrize(
    "more",
    [
        {"settings": CellSettings(before=("make db",))},
        {"settings": CellSettings(after=("drop db",))},
        {"matrix": Matrix(only=("tests",), service={"db": Service(start=("db",), ready=("db",))})},
        {"matrix": Matrix()},
        {"install_only": True},
    ],
    ids=["before", "after", "service", "steps", "install"],
)
def test_nothing_is_kept_of_what_files_do_not_show(
    more: dict[str, object], job: Make, tmp_path: Path
) -> None:
    assert sameness.unknowable(job()) == ""
    assert sameness.unknowable(job(**more))
    ran = list[str]()
    for _ in range(2):
        work(Desk(None, tmp_path, fresh=False), job(**more), result(NEW), ran)
    assert ran == [NEW.id, NEW.id]
