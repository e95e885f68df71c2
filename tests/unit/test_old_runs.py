"""Runs of the past: those of every released format open, and one that is damaged costs itself."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from faces import unpacked

from djhop import cli
from djhop.errors import ExitCode, UsageError
from djhop.reports import outputs
from djhop.reports.html import page
from djhop.store import store
from djhop.store.store import RunFolder

#: A run for each format that a release has written: a format that changes leaves its own here.
KEPT = sorted((Path(__file__).parents[1] / "data" / "runs").iterdir())
FILES = ("run.json", "cells/py3.12-django5.0/cell.json")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Two runs; `latest` is the second."""
    for name in ("20260101-000000-demo", "20260102-000000-demo"):
        shutil.copytree(KEPT[-1], tmp_path / name)
    store.mark_latest(RunFolder(tmp_path / "20260102-000000-demo"))
    return tmp_path


def said(out: Path, *argv: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli._boundary(["report", "--out", str(out), *argv])
    return code, *capsys.readouterr()


def within(old: Any, new: Any) -> bool:
    """Whether all that stood in a file is there when it is written again."""
    match old:
        case dict():
            return all(key in new and within(value, new[key]) for key, value in old.items())
        case list():
            return len(old) == len(new) and all(map(within, old, new))
    return bool(old == new)


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
def test_a_run_of_every_format_opens_whole(kept: Path) -> None:
    folder = RunFolder(kept)
    run = folder.load()
    assert within(json.loads((kept / "run.json").read_bytes()), msgspec.to_builtins(run))
    for name, cell in folder.results().items():
        text = (kept / "cells" / name / "cell.json").read_bytes()
        assert within(json.loads(text), msgspec.to_builtins(cell))
    assert len(folder.results()) == len(run.cells) == 4
    assert folder.crossings() and folder.reruns()
    for form in (*outputs.FORMS, *outputs.JUNIT):
        assert "".join(outputs.pieces(form, run, folder.results(), folder.reruns())).strip()
    assert "demo" in page.render(run, folder)


@pytest.mark.parametrize("file", FILES)
def test_a_newer_run_is_refused_politely(
    file: str, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = history / "latest" / file
    damaged.write_bytes(re.sub(rb'"format": ?1,', b'"format": 99,', damaged.read_bytes(), count=1))
    code, _, err = said(history, "--format", "jsonl", capsys=capsys)
    assert code == ExitCode.USAGE
    assert "written by a newer djhop (format 99; this one reads 1)" in err
    assert file in err and "pip install --upgrade djhop" in err


@pytest.mark.parametrize("file", FILES)
def test_a_file_cut_anywhere_is_named_and_the_other_runs_are_there(
    file: str, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = history / "20260102-000000-demo" / file
    whole = damaged.read_bytes().rstrip()
    for size in {*range(0, len(whole), len(whole) // 60), 1, len(whole) - 1}:
        damaged.write_bytes(whole[:size])
        code, _, err = said(history, "--format", "jsonl", capsys=capsys)
        assert code == ExitCode.USAGE
        assert f"{damaged} is damaged: it ends too early, at byte {size}" in err
        assert "run again, or delete that run's folder" in err
    code, out, err = said(history, "20260101", "--format", "jsonl", capsys=capsys)
    assert (code, err) == (ExitCode.OK, "")
    assert out


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_is_an_error_that_says_where_or_a_report(
    file: str, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = history / "20260102-000000-demo" / file
    whole = damaged.read_bytes()
    chance = random.Random(8)
    found = set()
    for _ in range(150):
        at = chance.randrange(len(whole))
        flipped = bytes([whole[at] ^ 1 << chance.randrange(8)])
        damaged.write_bytes(whole[:at] + flipped + whole[at + 1 :])
        code, _, err = said(history, "--format", "jsonl", capsys=capsys)
        assert code in (ExitCode.OK, ExitCode.USAGE), err
        if code:
            assert str(damaged) in err
            assert any(where in err for where in ("byte", "`$", "newer djhop", "position")), err
        found.add(code)
    assert found == {ExitCode.OK, ExitCode.USAGE}


@pytest.mark.parametrize("mark", [b"", b"\xff\xfe", b"x" * 5000, b"a\0b", b"../nowhere", b"gone\n"])
def test_a_damaged_mark_leaves_the_newest_run_the_latest(mark: bytes, history: Path) -> None:
    (history / "latest").unlink()
    (history / "latest").write_bytes(mark)
    assert store.latest(history).name == "20260102-000000-demo"


def test_a_run_whose_parts_do_not_belong_together_is_damaged(history: Path) -> None:
    path = history / "latest" / "run.json"
    run = json.loads(path.read_bytes())
    run["hops"][1]["after"] = "py3.12-django6.0"
    path.write_text(json.dumps(run))
    with pytest.raises(UsageError, match=r"run\.json is damaged: .* - at `\$\.hops\[1\]`"):
        store.latest(history).load()
    run["plan"]["cells"][0]["django"] = "../x"
    path.write_text(json.dumps(run))
    with pytest.raises(UsageError, match=r"no cell is called .* - at `\$\.plan\.cells\[0\]`"):
        store.latest(history).load()


def test_without_the_files_of_its_cells_a_red_run_is_green_nowhere(history: Path) -> None:
    folder = store.latest(history)
    shutil.rmtree(folder.cells)
    run = folder.load()
    statuses = [cell.status for cell in run.cells]
    assert statuses == ["deprecated", "failed", "failed", "failed"]
    for form in outputs.JUNIT:
        text = "".join(outputs.pieces(form, run, folder.results()))
        assert re.findall(r'errors="(\d)" skipped="(\d)"', text) == [("0", "1"), *[("1", "0")] * 3]
    told = json.loads("".join(outputs.pieces("ctrf", run, folder.results())))["results"]
    assert (told["summary"]["failed"], told["summary"]["skipped"]) == (3, 1)
    assert "(30 tests ran; their cell.json is not in the run" in json.dumps(told)
    left_out = unpacked(page.render(run, folder))["left_out"]
    assert [line.split(":")[0] for line in left_out if "cell.json" in line] == [
        f"every test of {cell.id}" for cell in run.cells
    ]


def test_a_cell_in_the_wrong_folder_is_damaged(history: Path) -> None:
    cells = history / "latest" / "cells"
    shutil.copy(cells / "py3.12-django4.2/cell.json", cells / "py3.12-django5.0/cell.json")
    with pytest.raises(UsageError, match=r"cell\.json is damaged: it is of 'py3.12-django4.2'"):
        store.latest(history).read_cell("py3.12-django5.0")
