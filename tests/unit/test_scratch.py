"""What a killed djhop has left for a moment only is removed, and nothing of a live one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from djhop import scratch

#: Above every pid that Linux or macOS gives.
NOBODY = 2**22 + 7


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "cache" / "locks").mkdir(parents=True)
    return tmp_path / "cache"


def aged(path: Path, seconds: float = 60.0) -> Path:
    os.utime(path, (time.time() - seconds,) * 2, follow_symlinks=False)
    return path


def swept(cache: Path) -> list[str]:
    scratch.sweep(cache, cache.parent / "reports")
    return sorted(str(p.relative_to(cache)) for p in cache.rglob("*") if p.name != "locks")


def test_a_scratch_folder_is_there_as_long_as_its_context(cache: Path) -> None:
    with scratch.folder(cache / "locks", ".resolving-") as folder:
        (folder / "requirements.in").touch()
        aged(folder)
        assert swept(cache) == [str(p.relative_to(cache)) for p in (folder, *folder.iterdir())]
    assert swept(cache) == []


def test_a_scratch_folder_of_nobody_is_removed_with_what_is_in_it(cache: Path) -> None:
    old, fresh = cache / "locks" / ".resolving-old", cache / "locks" / ".resolving-fresh"
    for folder in (old, fresh):
        folder.mkdir()
        (folder / "requirements.in").write_text("https://user:secret@host/")
    aged(old)
    assert swept(cache) == ["locks/.resolving-fresh", "locks/.resolving-fresh/requirements.in"]


def test_what_was_written_aside_goes_with_its_writer(cache: Path) -> None:
    names = (f".one.json.{NOBODY}-1", f".two.json.{NOBODY}", f".mine.json.{os.getpid()}-1")
    for name in (*names, ".gitignore", f"kept.{NOBODY}"):
        (cache / "locks" / name).write_text("x")
        aged(cache / "locks" / name)
    (cache / "locks" / f".fresh.json.{NOBODY}").touch()
    kept = (f".fresh.json.{NOBODY}", ".gitignore", names[2], f"kept.{NOBODY}")
    assert swept(cache) == sorted(f"locks/{name}" for name in kept)


def test_runs_are_swept_as_well(cache: Path) -> None:
    reports = cache.parent / "reports"
    cell = reports / "20261121-000000-x" / "cells" / "py3.12-django5.2"
    cell.mkdir(parents=True)
    aside = [reports / f".latest.{NOBODY}", cell / f".cell.json.{NOBODY}-140000000"]
    aside[0].symlink_to("nowhere")
    aside[1].touch()
    (cell / "cell.json").touch()
    for path in aside:
        aged(path)
    scratch.sweep(cache, reports)
    assert [p for p in aside if os.path.lexists(p)] == []
    assert (cell / "cell.json").exists()


def test_where_runs_land_nothing_of_anybody_else_is_removed(cache: Path) -> None:
    reports = cache.parent / "reports"
    run, shared, other = (reports / name for name in ("20261121-000000-x", "nox", "project"))
    for folder in (run, shared, other):
        folder.mkdir(parents=True)
    (shared / "run.json").touch()
    folders = [reports / ".venv-3.12", other / ".cache.1700000000", run / ".data.99-1000000"]
    for folder in folders:
        folder.mkdir()
        (folder / "kept").touch()
    names = (".env.2024", ".coverage.host.4194311.123456", ".backup.20240101-123456")
    files = [folder / name for folder in (reports, other) for name in names]
    ours = [folder / f".run.json.{NOBODY}-140000000" for folder in (run, shared)]
    for path in (*files, *ours):
        path.touch()
    for path in (*files, *folders, *ours):
        aged(path)
    scratch.sweep(cache, reports)
    assert all(path.exists() for path in (*files, *(folder / "kept" for folder in folders)))
    assert not any(path.exists() for path in ours)


def test_nothing_there_is_no_error(tmp_path: Path) -> None:
    scratch.sweep(tmp_path / "none", tmp_path / "neither")
    assert list(tmp_path.iterdir()) == []
