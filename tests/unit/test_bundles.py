"""Bundles: what a machine hands over, what is refused, and one run made of many."""

from __future__ import annotations

import datetime
import random
import stat
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import coverage
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djhop import closing, landing
from djhop.bundles import merging, packing, planned, sorting
from djhop.bundles.bundle import MANIFEST, Bundle
from djhop.bundles.opening import DamagedError, Opened, unpack
from djhop.bundles.planned import Planned
from djhop.errors import ExitCode, UsageError
from djhop.matrix import shard
from djhop.matrix.config import Matrix
from djhop.matrix.flaky import Flaky
from djhop.matrix.history import History
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.matrix.shard import Shard
from djhop.results.outcomes import Counts
from djhop.results.outcomes import Test as Case
from djhop.results.results import CellResult, Part
from djhop.results.steps import Step
from djhop.store import record
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target.target import Target

A, B, C = (Cell(django=series, python="3.12") for series in ("4.2", "5.1", "5.2"))
HOPS = tuple(Hop(before=b, after=a, axis="django") for b, a in ((A, B), (B, C)))
PLAN = Plan(cells=(A, B, C), path=(A, B, C), hops=HOPS)
NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
#: What is run again needs both cells of a hop on one machine.
MATRIX = Matrix(name="lts", flaky=Flaky(reruns=0))


def begun(root: str = "/there/shop", matrix: Matrix = MATRIX, plan: Plan = PLAN) -> Run:
    target = Target(root=root, name="shop", sources=())
    return record.begin("lts", target, matrix, plan, started=NOW)


def result(cell: Cell, failing: Iterable[int] = (), many: int = 4) -> CellResult:
    bad = {*failing}
    tests = tuple(
        Case(id=f"tests/test_a.py::test_{n}", strict=outcome, plain=outcome)
        for n in range(many)
        for outcome in (("failed" if n in bad else "passed"),)
    )
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status="failed" if bad else "passed",
        tests=tests,
        counts={"plain": Counts(passed=many - len(bad), failed=len(bad))},
    )


def packed(path: Path, found: CellResult, **more: Any) -> Path:
    """A bundle of a cell; `more` is what else it says of itself."""
    folder = path.parent / f"of-{path.stem}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cell.json").write_bytes(msgspec.json.encode(found))
    (folder / "log-strict.txt").write_text("said\n")
    bundle = {"cell": found.id, "run": begun(), "digest": "d", "revision": "r", "seconds": 5.0}
    packing.pack(path, Bundle(**{**bundle, **more}), folder)
    return path


def opened(*paths: Path, tmp: Path) -> list[Opened]:
    tmp.mkdir(parents=True, exist_ok=True)
    start = len([*tmp.iterdir()])
    return [unpack(path, tmp / str(start + n)) for n, path in enumerate(paths)]


def merged(
    found: list[Opened],
    tmp: Path,
    damaged: Mapping[Path, str] | None = None,
    plan: Planned | None = None,
) -> tuple[RunFolder, ExitCode]:
    done = merging.merge(sorting.sort(found, damaged or {}, plan), plan, out=tmp, root="", now=NOW)
    return RunFolder(done.path), done.exit_code


# What a bundle is


def test_a_bundle_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", result(A, [1]), shard=Shard(number=2, of=3))
    (one,) = opened(path, tmp=tmp_path / "x")
    assert one.result == result(A, [1])
    assert (one.bundle.cell, str(one.bundle.shard), one.bundle.run) == (A.id, "2/3", begun())
    assert (one.folder / "log-strict.txt").read_text() == "said\n"


def test_the_same_cell_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (packed(tmp_path / name, result(A)) for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == other.read_bytes()


def test_what_is_no_file_or_too_large_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_LOG", 10)
    folder = tmp_path / "of-a"
    folder.mkdir()
    (folder / "log-plain.txt").write_text("x" * 11)
    (folder / "link.txt").symlink_to("/etc/passwd")
    (folder / "coverage-strict").write_text("x")
    (one,) = opened(packed(tmp_path / "a.zip", result(A)), tmp=tmp_path / "x")
    assert one.bundle.left_out == ("link.txt", "log-plain.txt")
    assert set(one.bundle.files) == {"cell.json", "log-strict.txt"}


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/1001", "1/3/5", "-1/3", "²/3"])
def test_what_is_no_part_of_a_suite(text: str) -> None:
    with pytest.raises(UsageError, match="no part of a suite"):
        shard.parse(text)
    assert shard.parse("2/5") == Shard(number=2, of=5)


# Hostile bundles


def rewritten(path: Path, *, add: Mapping[str, bytes] = {}, drop: str = "", **heads: Any) -> Path:
    """The same archive with something else in it; `heads` are set on what is added."""
    with zipfile.ZipFile(path) as old:
        kept = [(name, old.read(name)) for name in old.namelist() if name != drop]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two files of one name
        for name, data in kept:
            new.writestr(name, data)
        for name, data in add.items():
            head = zipfile.ZipInfo(name)
            for key, value in heads.items():
                setattr(head, key, value)
            new.writestr(head, data, zipfile.ZIP_DEFLATED)
    return path


LINK = {"external_attr": (stat.S_IFLNK | 0o777) << 16}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"add": {"../../evil": b"x"}}, "a name that no bundle has"),
        ({"add": {"/etc/evil": b"x"}}, "a name that no bundle has"),
        ({"add": {"a/../b": b"x"}}, "a name that no bundle has"),
        ({"add": {"a\\b": b"x"}}, "a name that no bundle has"),
        ({"add": {".hidden": b"x"}}, "a name that no bundle has"),
        ({"add": {"a": b"/etc/passwd"}, **LINK}, "a link"),
        ({"add": {"a": b"x"}}, "were added to it"),
        ({"add": {"cell.json": b"{}"}}, "two files of one name"),
        ({"add": {"cell.json": b"{}"}, "drop": "cell.json"}, "cell.json is"),
        ({"drop": "log-strict.txt"}, "files are missing"),
        (
            {"drop": "log-strict.txt", "add": {"log-strict.txt": b"SAID\n"}},
            "is not what was packed",
        ),
        ({"drop": MANIFEST}, "no bundle of djhop"),
        ({"drop": MANIFEST, "add": {MANIFEST: b"{}"}}, "bundle.json is damaged"),
        ({"drop": MANIFEST, "add": {MANIFEST: b'{"format": 99}'}}, "a newer djhop"),
    ],
)
def test_a_hostile_bundle_is_refused_and_writes_nothing_outside(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    path = rewritten(packed(tmp_path / "a.zip", result(A)), **change)
    with pytest.raises(DamagedError, match=why):
        unpack(path, tmp_path / "x" / "y" / "z")
    there = [p.name for p in tmp_path.rglob("*") if p.name in ("evil", "a", "b")]
    assert there == []


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "a.zip", result(A))
    rewritten(path, add={"bomb": b"0" * 5_000_000})
    assert path.stat().st_size < 50_000
    monkeypatch.setattr("djhop.bundles.opening.ALL", 1_000_000)
    with pytest.raises(DamagedError, match="holds more than"):
        unpack(path, tmp_path / "x")
    assert not (tmp_path / "x").exists()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_bundle_that_was_damaged_on_its_way_is_never_believed(
    tmp_path: Path, at: float, byte: int, cut: bool
) -> None:
    path = tmp_path / "a.zip"
    data = bytearray(packed(path, result(A)).read_bytes())
    where = min(int(at * len(data)), len(data) - 1)
    if cut:
        del data[where:]
    else:
        data[where] = byte
    path.write_bytes(data)
    try:
        (one,) = opened(path, tmp=tmp_path / "x")
    except DamagedError:
        return
    assert one.result == result(A)
    assert one.bundle.run == begun()


def test_a_bundle_that_says_another_cell_than_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match=r"its cell is .*django4\.2"):
        opened(packed(tmp_path / "a.zip", result(A), cell=B.id), tmp=tmp_path / "x")
    other = Cell(django="6.0", python="3.12")
    with pytest.raises(DamagedError, match="its plan has no cell"):
        opened(packed(tmp_path / "b.zip", result(other)), tmp=tmp_path / "x")


# Merging


def one_machine(tmp: Path, results: Iterable[CellResult]) -> Run:
    folder = landing.begin(tmp, begun(), now=NOW)
    for one in results:
        folder.write_cell(one)
    closing.write(
        folder, PLAN, root=Path("/there/shop"), interrupted=False, seconds=5.0, whole=True
    )
    return folder.load()


def plainly(run: Run) -> Run:
    return msgspec.structs.replace(run, name="", inputs="")


CELLS = st.lists(st.sets(st.integers(0, 3)), min_size=3, max_size=3)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(failing=CELLS, seed=st.randoms(use_true_random=False), twice=st.integers(0, 2))
def test_merging_says_what_one_machine_says_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory,
    failing: list[set[int]],
    seed: random.Random,
    twice: int,
) -> None:
    tmp = tmp_path_factory.mktemp("merge")
    results = [result(cell, bad) for cell, bad in zip(PLAN.cells, failing, strict=True)]
    paths = [packed(tmp / f"{n}.zip", one) for n, one in enumerate(results)]
    seed.shuffle(paths)
    folder, _ = merged(opened(*paths, tmp=tmp / "x"), tmp / "out")
    assert plainly(folder.load()) == plainly(one_machine(tmp / "one", results))
    again, _ = merged(opened(*paths, paths[twice], tmp=tmp / "x"), tmp / "out")
    notes = again.load().notes
    assert len(notes) == 1 and "the same bundle twice" in notes[0]
    assert plainly(msgspec.structs.replace(again.load(), notes=())) == plainly(folder.load())


def split(cell: Cell, of: int, failing: Iterable[int] = ()) -> dict[int, CellResult]:
    """A cell's tests in parts, in turn."""
    whole = result(cell, failing)
    found = {}
    for number in range(1, of + 1):
        mine = tuple(test for n, test in enumerate(whole.tests) if n % of == number - 1)
        bad = any(test.plain == "failed" for test in mine)
        part = Part(number=number, of=of, total=len(whole.tests), digest="d")
        found[number] = msgspec.structs.replace(
            whole, tests=mine, status="failed" if bad else "passed", part=part
        )
    return found


def test_parts_of_a_suite_become_one_cell(tmp_path: Path) -> None:
    paths = [packed(tmp_path / "a.zip", result(A)), packed(tmp_path / "c.zip", result(C))]
    for number, one in split(B, 3, [2]).items():
        paths.append(packed(tmp_path / f"b{number}.zip", one, shard=Shard(number=number, of=3)))
    folder, code = merged(opened(*paths, tmp=tmp_path / "x"), tmp_path / "out")
    run = folder.load()
    assert code == ExitCode.BREAKS and run.whole and run.complete
    assert {test.id for test in folder.read_cell(B.id).tests} == {t.id for t in result(B).tests}
    assert run.hops[0].broke == ("tests/test_a.py::test_2",)
    assert (folder.cell(B.id).path / "part-2-of-3" / "log-strict.txt").is_file()


def test_a_missing_part_makes_the_cell_unknown(tmp_path: Path) -> None:
    paths = [packed(tmp_path / f"{cell.django}.zip", result(cell)) for cell in (A, C)]
    for number in (1, 3):
        one = split(B, 4)[number]
        paths.append(packed(tmp_path / f"b{number}.zip", one, shard=Shard(number=number, of=4)))
    folder, code = merged(opened(*paths, tmp=tmp_path / "x"), tmp_path / "out")
    run = folder.load()
    assert code == ExitCode.INCOMPLETE and not run.complete
    found = folder.read_cell(B.id)
    assert (found.status, found.reason) == ("infra", "there is no bundle of its part 2/4, 4/4")
    assert [hop.verdict for hop in run.hops] == ["unknown", "unknown"]


def test_what_is_missing_or_damaged_is_named_and_never_green(tmp_path: Path) -> None:
    paths = [packed(tmp_path / f"{cell.django}.zip", result(cell)) for cell in (A, B)]
    damaged = {Path("c.zip"): "it cannot be read"}
    folder, code = merged(opened(*paths, tmp=tmp_path / "x"), tmp_path / "out", damaged)
    run = folder.load()
    assert code == ExitCode.INCOMPLETE and not run.complete
    assert run.hops[0].verdict == "clean" and run.hops[1].verdict == "unknown"
    assert folder.read_cell(C.id).status == "infra"
    assert "the bundle c.zip cannot be used: it cannot be read" in run.notes
    assert any(note.startswith(f"{C.id}: there is no bundle of it") for note in run.notes)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"revision": "other"}, "revision"),
        ({"digest": "other"}, "files"),
        ({"args": ("-k", "x")}, "arguments after --"),
        ({"djhop": "9"}, "version of djhop"),
        ({"run": begun(plan=Plan(cells=(A, B), path=(A, B), hops=HOPS[:1]))}, "plan"),
        ({"run": begun(matrix=Matrix(name="lts", timeout=1.0))}, "matrix"),
        ({"run": msgspec.structs.replace(begun(), target=record.RunTarget(name="x"))}, "project"),
    ],
)
def test_bundles_of_two_runs_are_refused_and_named(
    tmp_path: Path, more: dict[str, Any], named: str
) -> None:
    one, other = (
        packed(tmp_path / "a.zip", result(A)),
        packed(tmp_path / "b.zip", result(B), **more),
    )
    found = opened(one, other, tmp=tmp_path / "x")
    said = []
    for order in (found, found[::-1]):
        with pytest.raises(UsageError, match=f"their {named} differs") as error:
            sorting.sort(order, {})
        assert "a.zip" in str(error.value) and "b.zip" in str(error.value)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_the_folder_that_a_machine_had_the_target_in_makes_no_difference(tmp_path: Path) -> None:
    data = Matrix(name="lts", data="/there/shop/rows.json")
    moved = Matrix(name="lts", data="/here/shop/rows.json")
    one = packed(tmp_path / "a.zip", result(A), run=begun(matrix=data))
    other = packed(tmp_path / "b.zip", result(B), run=begun("/here/shop", matrix=moved))
    assert set(sorting.sort(opened(one, other, tmp=tmp_path / "x"), {}).cells) == {A.id, B.id}


def test_two_bundles_of_a_cell_that_differ_are_named_and_not_judged(tmp_path: Path) -> None:
    paths = [packed(tmp_path / f"{cell.django}.zip", result(cell)) for cell in (A, B, C)]
    paths.append(packed(tmp_path / "again.zip", result(B, [1])))
    folder, code = merged(opened(*paths, tmp=tmp_path / "x"), tmp_path / "out")
    assert code == ExitCode.INCOMPLETE
    why = folder.read_cell(B.id).reason
    assert why == f"two bundles of {B.id} differ: 5.1.zip and again.zip"


def test_a_cell_that_is_divided_in_two_ways_is_not_judged(tmp_path: Path) -> None:
    paths = [
        packed(tmp_path / "b.zip", split(B, 2)[1], shard=Shard(number=1, of=2)),
        packed(tmp_path / "c.zip", split(B, 3)[2], shard=Shard(number=2, of=3)),
    ]
    lost = sorting.sort(opened(*paths, tmp=tmp_path / "x"), {}).lost
    assert lost[B.id] == "its bundles divide the suite differently: b.zip (1/2), c.zip (2/3)"


def test_what_needs_both_cells_on_one_machine_is_said_not_to_be_measured(tmp_path: Path) -> None:
    done = {"database": Step(status="ok")}
    again = begun(matrix=Matrix(name="lts"))
    paths = [
        packed(tmp_path / f"{n}.zip", msgspec.structs.replace(one, steps=done), run=again)
        for n, one in enumerate((result(A), result(B, [1]), result(C)))
    ]
    folder, _ = merged(opened(*paths, tmp=tmp_path / "x"), tmp_path / "out")
    first, last = folder.load().hops
    assert first.reruns is not None and last.reruns is None
    assert (first.reruns.asked, first.reruns.tests) == (1, 0)
    assert first.reruns.reason == "they were run on two machines"
    assert first.broke == ("tests/test_a.py::test_1",)
    assert first.crossing is not None
    assert first.crossing.reason == "its two cells were run on two machines"


def test_coverage_is_told_where_the_sources_are_those_that_were_measured(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "a.py").write_text("x = 1\ny = 2\n")
    paths = []
    for cell in PLAN.cells:
        folder = tmp_path / f"of-{cell.django}"
        folder.mkdir()
        data = coverage.CoverageData(basename=str(folder / "coverage"))
        data.add_lines({str(root / "a.py"): [1]})
        data.write()
        data.close()
        paths.append(packed(tmp_path / f"{cell.django}.zip", result(cell), run=begun(str(root))))
    found = opened(*paths, tmp=tmp_path / "x")
    assert merged(found, tmp_path / "out")[0].load().coverage == 50.0
    (root / "a.py").write_text("x = 1\ny = 3\n")
    other = merged(found, tmp_path / "out")[0].load()
    assert other.coverage is None
    assert "is not what was measured" in other.notes[-1]


def night(**more: Any) -> Planned:
    return Planned(**{"run": begun(), "digest": "d", "revision": "r", **more})


def test_a_plan_makes_a_run_of_nothing_at_all(tmp_path: Path) -> None:
    folder, code = merged([], tmp_path / "out", {Path("a.zip"): "it is empty"}, night())
    run = folder.load()
    assert code == ExitCode.INCOMPLETE and not run.complete
    assert {cell.status for cell in run.cells} == {"infra"}


def test_a_plan_names_what_is_not_of_it(tmp_path: Path) -> None:
    (one,) = opened(packed(tmp_path / "a.zip", result(A)), tmp=tmp_path / "x")
    with pytest.raises(UsageError, match=r"a\.zip is not of this plan: revision \(other, here r\)"):
        sorting.sort([one], {}, night(revision="other"))
    lost = sorting.sort([one], {}, night(shards={A.id: 3})).lost
    assert lost[A.id] == "its bundles are of 1 parts, and the plan has 3"


def test_the_history_of_a_merge_is_never_in_a_folder_of_another_machine(tmp_path: Path) -> None:
    matrix = Matrix(name="lts", history=History(path="ci/history.sqlite"))
    found = [packed(tmp_path / "a.zip", result(A), run=begun(matrix=matrix))]
    folder, _ = merged(opened(*found, tmp=tmp_path / "x"), tmp_path / "out")
    assert merging.history(folder, here=False) == tmp_path / "out" / "history.sqlite"
    root = Path(folder.read_run().target.root)
    assert merging.history(folder, here=True) == root / "ci" / "history.sqlite"


def test_a_plan_is_read_back_and_says_the_parts_of_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "out" / "plan.json"
    planned.write(path, night(shards={B.id: 2}))
    found = planned.read(path)
    assert found == night(shards={B.id: 2})
    assert [str(part) for part in found.parts(B.id)] == ["1/2", "2/2"]
    assert found.parts(A.id) == (None,)


def test_cells_are_divided_by_what_they_took() -> None:
    took = {A.id: 601.0, B.id: 600.0, C.id: 9e9}
    assert planned.shards(("5m",), PLAN, took) == {A.id: 3, B.id: 2, C.id: 1000}
    assert planned.shards(("10m",), PLAN, {A.id: 601.0}) == {A.id: 2}  # of the others none knows
    assert planned.shards(("1h", "*django5.2=90s"), PLAN, took) == {C.id: 1000}
    assert planned.shards(("10m",), PLAN) == {}


def test_cells_are_divided_by_number_or_pattern() -> None:
    assert planned.shards(("3", "*django5.1=1", "*django5.2=4"), PLAN) == {A.id: 3, C.id: 4}
    for wrong in ("x", "0", "1001", "*=x", "", "0m", "5d", "9" * 5000):
        with pytest.raises(UsageError, match="no number of parts"):
            planned.shards((wrong,), PLAN)
    with pytest.raises(UsageError, match="matches no cell"):
        planned.shards(("django9*=2",), PLAN)
