"""What a cut attempt at a cell had seen is kept, whatever it had got to."""

from __future__ import annotations

from pathlib import Path

import pytest

from djhop.cells import cut

SEEN = ("events-strict.jsonl", "log-strict.txt", "stacks-strict-2.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "py3.12-django5.2"
    folder.mkdir()
    for name in (*SEEN, "junit-strict.xml", "coverage-strict", "requirements.txt"):
        (folder / name).write_text(f"first {name}")
    (folder / "databases").mkdir()
    (folder / "databases" / "default.sqlite3").touch()
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("result", [None, "interrupted", "infra", "{damaged"])
def test_what_an_attempt_without_a_finding_had_seen_is_kept(
    folder: Path, result: str | None
) -> None:
    if result is not None:
        text = result if result.startswith("{") else f'{{"status":"{result}"}}'
        (folder / "cell.json").write_text(text)
    cut.clear(folder)
    assert files(folder) == [f"cut-1/{name}" for name in SEEN]
    (folder / "events-plain.jsonl").write_text("second")
    cut.clear(folder)
    assert files(folder) == [*(f"cut-1/{name}" for name in SEEN), "cut-2/events-plain.jsonl"]
    assert (folder / "cut-1" / SEEN[0]).read_text() == f"first {SEEN[0]}"


def test_a_cell_that_is_done_again_begins_empty(folder: Path) -> None:
    (folder / "cell.json").write_text('{"status":"failed"}')
    cut.clear(folder)
    assert files(folder) == []


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    cut.clear(tmp_path / "run" / "cell")
    assert (tmp_path / "run" / "cell").is_dir()


def test_a_single_pass_is_kept_beside_the_others(folder: Path) -> None:
    (folder / "events-plain.jsonl").write_text("goes on")
    cut.keep(folder, "plain")
    assert files(folder / "cut-1") == ["events-plain.jsonl"]
    assert (folder / "events-strict.jsonl").exists()
