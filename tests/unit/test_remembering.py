"""A run on disk becomes a night of the history, and keeps what that says; nothing loses the run."""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import re
import threading
from pathlib import Path

import many
import msgspec
import pytest

from djhop import releases, remembering
from djhop.cli import _boundary
from djhop.history import memory, reading
from djhop.history.since import Burn, Since
from djhop.matrix.plan import Cell
from djhop.reports import burn, markdown, text
from djhop.reports.html import page
from djhop.reports.summary import summarise
from djhop.results.results import CellResult
from djhop.results.results import Test as Case
from djhop.store.record import Run
from djhop.store.store import RunFolder

OLD, NEW = Cell(django="4.2", python="3.10"), Cell(django="5.2", python="3.10")
PLAN = many.plan_of((OLD, NEW))
LOCK = {"django": "4.2.1", "asgiref": "3.7.2"}


def write(
    out: Path,
    day: int,
    *,
    tree: str = "same",
    asgiref: str = "3.7.2",
    red: bool = False,
    **more: object,
) -> RunFolder:
    """The run of one night: `red`, a test fails in both cells."""
    results = {cell.id: result(cell, asgiref, red=red) for cell in (OLD, NEW)}
    run = many.finished(PLAN, results)
    target = msgspec.structs.replace(run.target, tree="same", revision=f"{day:040}")
    started = datetime.datetime(2026, 11, day, 1, tzinfo=datetime.UTC)
    stamp = started.strftime("%Y-%m-%dT%H:%M:%SZ")
    run = msgspec.structs.replace(run, name=f"run-{day}", target=target, started=stamp, **more)
    return many.write(out / f"run-{day}", run, results)


def result(cell: Cell, asgiref: str, *, red: bool) -> CellResult:
    tests = (
        Case(id="tests.py::a", strict="passed", plain="passed", seconds=0.2),
        Case(
            id="tests.py::b",
            strict="failed" if red else "passed",
            plain="failed" if red else "passed",
            failure=many.failure(1) if red else None,
        ),
    )
    lock = {**LOCK, "asgiref": asgiref}
    return many.result(cell, "failed" if red else "passed", tests, packages=lock)


def remembered(folder: RunFolder) -> Run:
    assert remembering.remember(folder, folder.path.parent / "history.sqlite") == []
    return folder.load()


def test_the_package_that_moved_is_named_in_every_report(tmp_path: Path) -> None:
    assert remembered(write(tmp_path, 20)).since is None
    run = remembered(write(tmp_path, 21, asgiref="3.8.1", red=True))
    assert run.since is not None
    assert [cell.moved for cell in run.since.cells] == [("asgiref 3.7.2 → 3.8.1",)] * 2
    note = "the project did not change; moved: asgiref 3.7.2 → 3.8.1"
    plain = " ".join(text.render(run).split())
    assert f"1 test is newly broken in {OLD.id} and {NEW.id} {note} tests.py::b" in plain
    assert "Since 2026-11-20 01:00 (run-20, commit 000000000000)" in plain
    assert note in markdown.render(run)


def test_the_page_has_what_changed_strips_and_what_is_left(tmp_path: Path) -> None:
    remembered(write(tmp_path, 20))
    folder = write(tmp_path, 21, asgiref="3.8.1", red=True)
    made = page.render(remembered(folder), folder)
    assert "1 test is newly broken in" in made
    assert "the project did not change; moved: asgiref 3.7.2 → 3.8.1" in made
    packed = re.search(r'id="data"[^>]*>([^<]+)<', made)
    assert packed is not None
    data = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    strips = [(data["ids"][one["test"]], one["strip"]) for one in data["nights"]["strips"]]
    assert strips == [("tests.py::b", "pf")] * 2
    assert len(data["nights"]["started"]) == 2


def test_what_is_left_is_drawn_night_by_night() -> None:
    run = many.finished(PLAN, {})
    hop = f"{OLD.id}..{NEW.id}"
    nights = tuple(f"2026-11-{day}T01:00:00Z" for day in range(10, 14))
    left = Burn(hop=hop, breaks=(4, None, 2, 1), deprecations=(0, 0, 0, 0))
    since = Since(nights=3, run="a", started=nights[0], burn_nights=nights, burn=(left,))
    drawn = burn.picture(since, run.plan)
    assert "tests that break: 4 at first, 1 now" in drawn
    points = re.findall(r'<polyline points="([^"]+)"', drawn)
    assert [len(one.split()) for one in points] == [2, 2, 4]  # a night nobody knows parts them
    assert burn.picture(msgspec.structs.replace(since, burn=()), run.plan) == ""


def test_a_test_that_goes_on_failing_has_a_first_night(tmp_path: Path) -> None:
    remembered(write(tmp_path, 19))
    remembered(write(tmp_path, 20, red=True))
    summary = summarise(remembered(write(tmp_path, 21, red=True)), releases.load())
    assert summary.since is not None
    told = [row.text for row in summary.since.rows]
    commit = f"{20:040}"[:12]
    assert told == [
        f"1 test has been failing in 2 cells since 2026-11-20 (run-20, commit {commit})"
    ]


def test_what_is_merged_twice_is_one_night(tmp_path: Path) -> None:
    remembered(write(tmp_path, 20, seconds=1.5))
    first = write(tmp_path, 21, seconds=2.5, red=True)
    assert remembered(first).since is not None
    again = many.write(
        tmp_path / "run-21-2",
        msgspec.structs.replace(first.read_run(), name="run-21-2", since=None),
        {cell.id: result(cell, "3.7.2", red=True) for cell in (OLD, NEW)},
    )
    remembered(again)
    with memory.opened(tmp_path / "history.sqlite", None) as open_:
        line = remembering.line(first.load())
        assert [row.name for row in reading.runs(open_.made, line)] == ["run-20", "run-21"]


def test_the_code_of_another_revision_is_no_night(tmp_path: Path) -> None:
    run = write(tmp_path, 20).load()
    assert remembering.worth(run)
    matrix = msgspec.structs.replace(run.matrix, settings={"before-rev": "main"})
    run = msgspec.structs.replace(run, matrix=matrix, command=("djhop", "hop", "4.2", "5.2"))
    assert not remembering.worth(run)


@pytest.mark.parametrize("status", ["infra", "uncollectable", "crashed", "no-tests"])
def test_a_night_on_which_a_suite_did_not_run_is_kept(tmp_path: Path, status: str) -> None:
    remembered(write(tmp_path, 1))
    folder = write(tmp_path, 2)
    tests = (Case(id="new.py::a", strict="not-run", plain="not-run", seconds=0.2),)
    folder.write_cell(many.result(NEW, status, tests))
    since = remembered(folder).since
    assert since is not None and since.slower == ()


def test_where_nothing_changed_that_is_said(tmp_path: Path) -> None:
    remembered(write(tmp_path, 20))
    summary = summarise(remembered(write(tmp_path, 21)), releases.load())
    assert summary.since is not None
    assert [row.text for row in summary.since.rows] == ["nothing changed"]


@pytest.mark.parametrize("change", [{"whole": False}, {"complete": False}])
def test_a_part_of_the_suite_is_not_remembered(tmp_path: Path, change: dict[str, bool]) -> None:
    remembered(write(tmp_path, 20))
    folder = write(tmp_path, 21, **change)
    assert remembering.remember(folder, tmp_path / "history.sqlite") == []
    with memory.opened(tmp_path / "history.sqlite", pytest.fail) as open_:
        line = remembering.line(folder.load())
        assert [row.name for row in reading.runs(open_.made, line)] == ["run-20"]


def test_a_history_that_cannot_be_used_loses_no_run(tmp_path: Path) -> None:
    folder = write(tmp_path, 21)
    before = folder.run.read_bytes()
    (tmp_path / "file").write_text("")
    (told,) = remembering.remember(folder, tmp_path / "file" / "history.sqlite")
    assert "the run is not in the history: cannot open" in told
    assert folder.run.read_bytes() == before


def test_one_that_is_damaged_within_is_set_aside_and_the_night_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    remembered(write(tmp_path, 20))
    whole = bytearray(path.read_bytes())
    page = int.from_bytes(whole[16:18], "big")
    whole[page:] = b"\xff" * (len(whole) - page)
    path.write_bytes(whole)
    (told,) = remembering.remember(write(tmp_path, 21), path)
    assert "is damaged" in told
    assert len(list(tmp_path.glob("history.sqlite.damaged-*"))) == 1
    with memory.opened(path, pytest.fail) as open_:
        assert len(reading.lines(open_.made)) == 1


def test_several_that_end_at_once_are_all_kept(tmp_path: Path) -> None:
    folders = [write(tmp_path, day) for day in range(1, 9)]
    said: list[str] = []
    path = tmp_path / "history.sqlite"
    threads = [
        threading.Thread(target=lambda f=one: said.extend(remembering.remember(f, path)))
        for one in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == []
    with memory.opened(path, pytest.fail) as open_:
        line = remembering.line(folders[0].load())
        assert len(reading.runs(open_.made, line)) == len(folders)


def test_runs_of_another_policy_or_hop_have_a_line_of_their_own(tmp_path: Path) -> None:
    run = write(tmp_path, 1).load()
    other = msgspec.structs.replace(
        run.matrix, settings={**run.matrix.settings, "policy": "latest"}
    )
    lines = {
        remembering.line(run),
        remembering.line(msgspec.structs.replace(run, matrix=other)),
        remembering.line(msgspec.structs.replace(run, command=("djhop", "hop", "4.2", "5.2", "."))),
    }
    assert len(lines) == 3


# Commands


def test_older_runs_are_imported_once_and_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [write(tmp_path, 20), write(tmp_path, 21, red=True, asgiref="3.8.1")]
    names = [str(one.path) for one in folders]
    asked = ["history", "--out", str(tmp_path)]
    assert _boundary([*asked, "import", *reversed(names)]) == 0
    assert "2 of 2 added" in capsys.readouterr().err
    assert _boundary([*asked, "import", *names]) == 0
    assert "run-20: there already" in capsys.readouterr().err
    assert _boundary(asked) == 0
    nights = capsys.readouterr().out
    assert "2026-11-20 01:00  run-20" in nights
    assert "2 failed" in nights
    assert _boundary([*asked, "py::b"]) == 0
    told = capsys.readouterr().out
    assert f"{OLD.id}  |pf|" in told
    assert "run-21" in told
    assert "AssertionError" in told
    assert _boundary([*asked, OLD.id]) == 0
    assert "moved: asgiref 3.7.2 → 3.8.1" in capsys.readouterr().out
    cause = folders[1].load().causes[0].id
    assert _boundary([*asked, cause]) == 0
    behind = capsys.readouterr().out
    assert cause in behind
    assert f"{OLD.id}\n      2026-11-21 01:00  run-21 {21:040}"[:60] in behind
    assert "1 test" in behind
    assert _boundary([*asked, "--json", OLD.id]) == 0
    assert len(msgspec.json.decode(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["py3.10-django4.3"], "did you mean 'py3.10-django4.2'?"),
        (["nothing like it"], "no test, cell or cause 'nothing like it' is remembered"),
        (["import"], "which runs?"),
        (["import", "nowhere"], "no run 'nowhere'"),
    ],
)
def test_what_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    remembered(write(tmp_path, 20))
    assert _boundary(["history", "--out", str(tmp_path), *words]) == 2
    assert says in capsys.readouterr().err


def test_no_history_says_how_one_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _boundary(["history", "--out", str(tmp_path)]) == 2
    assert "djhop history import RUN" in capsys.readouterr().err


def test_what_cells_took_is_known_where_the_runs_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    run = remembered(write(tmp_path, 20))
    found = remembering.expected(run, path)
    assert {cell: one.tests for cell, one in found.items()} == {OLD.id: 2, NEW.id: 2}
    assert remembering.expected(run, tmp_path / "none.sqlite") == {}
    path.write_text("no database")
    assert remembering.expected(run, path) == {}
    assert path.read_text() == "no database"
