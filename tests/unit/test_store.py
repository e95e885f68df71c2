"""A run on disk: written whole or not at all, read back with errors that name the file."""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import os
import threading
from pathlib import Path

import jsonschema
import msgspec
import pytest

from djhop import durable
from djhop.compare.causes import label
from djhop.errors import InfraError, UsageError
from djhop.matrix.config import Matrix
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.reruns import Again, Reruns
from djhop.results.results import CellResult, Counts, Failure, Owner
from djhop.results.results import Test as Case
from djhop.store import record, schemas, store
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target.target import Target

ACCEPTING = bool(os.environ.get("DJHOP_ACCEPT"))  # now: tests run in a clean environment
SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
ACCEPT = "DJHOP_ACCEPT=1 python -m pytest tests/unit/test_store.py -k schema"
NOW = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
PLAN = Plan(cells=(OLD, NEW), path=(OLD, NEW), hops=(Hop(before=OLD, after=NEW, axis="django"),))


def begun(folder: RunFolder) -> Run:
    target = Target(root="/home/me/shop", name="shop", sources=(), django="4.2")
    return record.begin(folder.name, target, Matrix(name="lts"), PLAN, started=NOW)


def result(cell: Cell, outcome: str = "passed") -> CellResult:
    why = (
        Failure(exception="E", message="no", owner=Owner("project"))
        if outcome != "passed"
        else None
    )
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status="passed" if outcome == "passed" else "failed",
        tests=(Case(id="a", strict=outcome, plain=outcome, failure=why),),  # type: ignore[arg-type]
        counts={"plain": Counts(passed=1)},
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = store.create(tmp_path, "LTS matrix/../x", now=NOW)
    made.write_run(begun(made))
    return made


def test_create_names_the_folder_and_never_reuses_one(tmp_path: Path) -> None:
    one, other = (store.create(tmp_path, "LTS matrix/../x", now=NOW) for _ in range(2))
    assert one.name == "20261121-014452-lts-matrix-x"
    assert other.name == f"{one.name}-2"


def test_cells_round_trip(folder: RunFolder) -> None:
    folder.write_cell(result(OLD))
    assert folder.read_cell(OLD.id) == result(OLD)
    assert dict(folder.results()) == {OLD.id: result(OLD)}
    folder.write_cell(result(NEW, "failed"))
    assert folder.read_cell(NEW.id) == label(result(NEW, "failed"))
    assert [path.name for path in folder.cell(OLD.id).path.iterdir()] == ["cell.json"]


@pytest.mark.parametrize(
    "name", ["..", "../x", "py3.12-django5.2/..", "py3.12-django5.2\n", "", "/"]
)
def test_no_cell_id_leaves_the_folder(folder: RunFolder, name: str) -> None:
    with pytest.raises(UsageError, match="is not a cell"):
        folder.cell(name)


def test_lone_surrogates_are_spelled_out(folder: RunFolder) -> None:
    tests = (Case(id="test[\udc80]", plain="passed"),)
    folder.write_cell(msgspec.structs.replace(result(OLD), tests=tests))
    assert folder.read_cell(OLD.id).tests[0].id == r"test[\udc80]"


def test_an_unfinished_run_is_judged_by_what_is_there(folder: RunFolder) -> None:
    folder.write_cell(result(OLD))
    run = folder.load()
    assert not run.complete
    assert [cell.status for cell in run.cells] == ["passed", "not-run"]
    assert run.hops[0].verdict == "unknown"
    folder.write_cell(result(NEW, "failed"))
    assert RunFolder(folder.path).load().hops[0].verdict == "breaks"


def test_a_complete_run_is_read_as_it_is(folder: RunFolder) -> None:
    run = record.finish(begun(folder), {}, record.Comparison(), seconds=1.5)
    folder.write_run(run)
    assert folder.load() == run


def test_damage_is_named(folder: RunFolder) -> None:
    folder.write_cell(result(OLD))
    path = folder.cell(OLD.id).result
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UsageError, match=r"cell\.json is damaged"):
        folder.load()
    folder.run.write_text('{"format": 1, "name": 3}')
    with pytest.raises(UsageError, match=r"run\.json is damaged.*\$\.name"):
        folder.read_run()
    folder.run.write_bytes(b'{"format": 1, "name": "\xff"}')
    with pytest.raises(UsageError, match=r"run\.json is damaged"):
        folder.read_run()
    folder.run.unlink()
    with pytest.raises(UsageError, match=r"cannot read .*run\.json: No such file"):
        folder.read_run()


def test_newer_formats_are_refused_and_unknown_keys_passed_over(folder: RunFolder) -> None:
    data = json.loads(folder.run.read_text())
    folder.run.write_text(json.dumps(data | {"later": 1}))
    assert folder.read_run() == begun(folder)
    folder.run.write_text(json.dumps(data | {"format": 99}))
    with pytest.raises(UsageError, match="newer djhop") as caught:
        folder.read_run()
    assert "upgrade" in caught.value.hint


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = folder.run.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InfraError, match="No space left"):
        durable.write(folder.run, b"new")
    assert folder.run.read_bytes() == was
    assert [path.name for path in folder.path.iterdir()] == ["run.json"]


def test_two_threads_may_write_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, rename = threading.Barrier(2, timeout=10), Path.replace

    def together(self: Path, target: Path) -> Path:
        both.wait()  # both have written aside
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", together)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        texts = (b"one" * 9, b"two")
        for done in [pool.submit(durable.write, tmp_path / "lock.json", t) for t in texts]:
            done.result()
    assert (tmp_path / "lock.json").read_bytes() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["lock.json"]


def test_find(folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = store.create(tmp_path, "demo", now=NOW + datetime.timedelta(days=1))
    later.write_run(begun(later))
    store.mark_latest(folder)
    monkeypatch.chdir(tmp_path)
    for wanted in (folder.name, "20261121", "latest", "", str(folder.path), str(folder.run)):
        for out in (tmp_path, Path()):
            assert store.find(wanted, out).path == folder.path.resolve(), (wanted, out)
    assert store.find(str(tmp_path), tmp_path / "reports").path == folder.path.resolve()
    assert store.find("latest/run.json", tmp_path).path == folder.path.resolve()
    with pytest.raises(UsageError, match="may be 2 runs"):
        store.find("2026112", tmp_path)
    with pytest.raises(UsageError, match="no run 'x'"):
        store.find("x", tmp_path)
    assert [run.name for run in store.runs(tmp_path)] == [folder.name, later.name]


def test_latest_is_replaced_and_survives_where_links_fail(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.mark_latest(folder)
    store.mark_latest(folder)
    assert str((tmp_path / "latest").readlink()) == folder.name
    (tmp_path / "latest").unlink()

    def no_links(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    store.mark_latest(folder)
    assert (tmp_path / "latest").read_text() == f"{folder.name}\n"
    assert store.latest(tmp_path).name == folder.name


def test_latest_without_a_mark_is_the_last_by_name(folder: RunFolder, tmp_path: Path) -> None:
    assert store.latest(tmp_path).name == folder.name
    with pytest.raises(UsageError, match="no run in"):
        store.latest(tmp_path / "empty")


def test_results_keep_no_more_than_two_cells(folder: RunFolder) -> None:
    cells = folder.results()
    for python in ("3.10", "3.11", "3.12"):
        folder.write_cell(result(Cell(django="5.2", python=python)))
    assert len(cells) == 3
    assert [cells[name].python for name in cells] == ["3.10", "3.11", "3.12"]
    assert len(cells._kept) == 2
    assert cells.get("py3.9-django4.2") is None


@pytest.mark.parametrize("name", sorted(schemas.PUBLISHED))
def test_published_schema_is_that_of_the_types(name: str) -> None:
    made = schemas.text(schemas.PUBLISHED[name])
    if ACCEPTING:
        SCHEMAS.mkdir(parents=True, exist_ok=True)
        (SCHEMAS / name).write_bytes(made)
    assert (SCHEMAS / name).read_bytes() == made, f"the types changed; to accept: {ACCEPT}"


def test_what_is_written_fits_the_schema(folder: RunFolder) -> None:
    folder.write_cell(result(OLD))
    folder.write_cell(result(NEW, "failed"))
    folder.write_run(folder.load())
    for path, name in ((folder.run, "run"), (folder.cell(NEW.id).result, "cell")):
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(path.read_text()), schema)


def test_run_json_has_the_keys_others_build_on(folder: RunFolder) -> None:
    folder.write_cell(result(OLD))
    folder.write_cell(result(NEW, "failed"))
    run = json.loads(durable.encode(folder.load()))
    assert {"format", "djhop", "target", "matrix", "started", "seconds", "complete"} < run.keys()
    keys = "id django django_release python status reason forced counts coverage"
    assert set(keys.split()) <= run["cells"][0].keys()
    keys = (
        "before after axis verdict broke vanished newly_skipped fixed newly_deprecated causes moves"
    )
    assert set(keys.split()) <= run["hops"][0].keys()
    keys = "id exception message owner place tests cells"
    assert set(keys.split()) <= run["causes"][0].keys()


@pytest.mark.parametrize(
    ("command", "test_id", "expected"),
    [
        (
            ("djhop", "run", "."),
            "tests/test_a.py::test_b",
            "djhop run . --cells py3.10-django5.2 -- tests/test_a.py::test_b",
        ),
        (
            ("djhop", "run", "my project", "--matrix", "lts"),
            "tests/test_a.py::test_b[a b]",
            "djhop run 'my project' --matrix lts --cells py3.10-django5.2 -- "
            "'tests/test_a.py::test_b[a b]'",
        ),
        (
            ("djhop", "hop", "4.2", "5.2", "."),
            "app.tests.A.test_b",
            "djhop hop 4.2 5.2 . --cells py3.10-django5.2 -- app.tests.A.test_b",
        ),
    ],
)
def test_the_command_that_runs_one_test_again(
    folder: RunFolder, command: tuple[str, ...], test_id: str, expected: str
) -> None:
    run = msgspec.structs.replace(begun(folder), command=command)
    assert run.reproduce("py3.10-django5.2", test_id) == expected
    command = msgspec.structs.replace(run.target, suite="command")
    whole = msgspec.structs.replace(run, target=command).reproduce("py3.10-django5.2", test_id)
    assert whole == expected.partition(" -- ")[0]


def test_reruns_round_trip_and_go_with_their_cells(folder: RunFolder) -> None:
    run = Again(test="a", side="after", how="alone", outcome="failed")
    found = Reruns(before=OLD.id, after=NEW.id, asked=1, tests=1, runs=(run,))
    folder.write_reruns(found)
    assert folder.reruns() == {found.id: found}
    folder.forget_hops("py3.12-django6.0")
    assert folder.reruns() != {}
    folder.forget_hops(NEW.id)
    assert folder.reruns() == {}


def test_a_run_that_was_cut_short_is_judged_with_its_reruns(folder: RunFolder) -> None:
    runs = tuple(
        Again(test="a", side="after", how="alone", outcome=end)
        for end in ("failed", "passed")
    )  # fmt: skip
    folder.write_cell(result(OLD))
    folder.write_cell(result(NEW, "failed"))
    assert folder.load().hops[0].broke == ("a",)
    folder.write_reruns(Reruns(before=OLD.id, after=NEW.id, asked=1, tests=1, runs=runs))
    hop = folder.load().hops[0]
    assert (hop.verdict, hop.broke, hop.flaky) == ("unknown", (), ("a",))


def test_a_run_knows_which_known_flaky_tests_have_expired(folder: RunFolder) -> None:
    last, over = (
        KnownFlaky(id=name, reason="slow", expires=day)
        for name, day in (("a", NOW.date()), ("b", NOW.date() - datetime.timedelta(days=1)))
    )
    target = Target(root="/home/me/shop", name="shop", sources=(), django="4.2")
    run = record.begin("x", target, Matrix(), PLAN, started=NOW, known=(last, over))
    assert (run.known_in_force, run.expired) == ((last,), ("b",))
    assert run.comparison.expired == ("b",)
    assert run.notes == (
        "known flaky test 'b': its last day was 2026-11-20, so it counts again, "
        "and the run ends with 1 (slow)",
    )
