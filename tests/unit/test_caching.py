"""What of the cache may go: the longest unused first, and never what somebody uses."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest

from djhop import locate
from djhop.caching import pruning
from djhop.caching.entries import KINDS, Entry, entries
from djhop.cli import _boundary
from djhop.matrix import amounts
from djhop.reports import cache as cache_report
from djhop.resolve import lockstore
from djhop.resolve.locks import Lock

NOW = 10_000_000.0
DAY = 86400.0
PAGE = 4096


def entry(name: str, *, days: float, size: int = 10, guard: str = "age") -> Entry:
    return Entry(kind="envs", path=name, bytes=size, used=NOW - days * DAY, guard=guard)  # type: ignore[arg-type]


FOUND = (
    entry("new", days=1),
    entry("old", days=40),
    entry("older", days=50),
    entry("fresh", days=0.01, size=100),
    entry("shared", days=400, guard="never"),
)


def names(keep: int | None = None, older: float | None = None) -> list[str]:
    return [one.path for one in pruning.chosen(FOUND, keep=keep, older=older, now=NOW)]


@pytest.mark.parametrize(
    ("keep", "gone"),
    [
        (1000, []),
        (140, []),
        (139, ["older"]),
        (121, ["older", "old"]),
        (0, ["older", "old", "new"]),
    ],
)
def test_the_longest_unused_go_until_enough_is_left(keep: int, gone: list[str]) -> None:
    assert names(keep=keep) == gone


def test_what_was_not_used_for_long_goes_however_little_it_is() -> None:
    assert names(older=30 * DAY) == ["older", "old"]
    assert names(keep=10**9, older=45 * DAY) == ["older"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache with something of every kind, all of it unused for a long time."""
    for kind in KINDS:
        folder = tmp_path / kind.name / ("target/cell" if kind.pattern == "*/*" else "one")
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * PAGE)
        folder.with_name(f"{folder.name}.lock").touch()
        for path in (folder, folder.with_name(f"{folder.name}.lock")):
            os.utime(path, (time.time() - 40 * DAY,) * 2)
    monkeypatch.setattr(locate, "cache", lambda: tmp_path)
    return iter([tmp_path])  # type: ignore[return-value]


@pytest.fixture
def place(cache: Iterator[Path]) -> Path:
    return next(cache)


def test_every_kind_is_told_and_what_is_shared_stays(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _boundary(["cache"]) == 0
    told = capsys.readouterr().out
    assert all(kind.name in told for kind in KINDS)
    assert _boundary(["cache", "prune", "--older", "30d"]) == 0
    stays = {kind.name for kind in KINDS if kind.guard == "never"}
    left = {path.parent.parent.name for path in place.rglob("file") if path.is_file()}
    assert left == stays
    assert not list(place.rglob(".trash*"))
    assert "6 entries removed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("days", "words"),
    [(0.4, "used today"), (1.5, "unused for up to 1 day"), (40.0, "unused for up to 40 days")],
)
def test_days_are_told_as_people_say_them(days: float, words: str) -> None:
    entry = Entry(kind="envs", path="envs/one", bytes=1, used=0.0, guard="age")
    assert cache_report.shown("cache", [entry], days * DAY).endswith(f", {words}")


def test_a_dry_run_removes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(place.rglob("*"))
    assert _boundary(["cache", "prune", "--keep", "0M", "--dry-run"]) == 0
    assert sorted(place.rglob("*")) == before
    assert "6 entries would be removed" in capsys.readouterr().out


def test_an_environment_that_something_runs_in_stays(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = os.open(place / "envs" / "one", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(held, fcntl.LOCK_SH)
    try:
        assert _boundary(["cache", "prune", "--older", "30d"]) == 0
    finally:
        os.close(held)
    assert (place / "envs" / "one" / "file").is_file()
    assert "1 entry kept: in use" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["envs/one", "workspaces/target/cell"])
def test_what_another_djhop_makes_or_is_in_stays(place: Path, where: str) -> None:
    with filelock.FileLock(place / f"{where}.lock"):
        done = pruning.prune([one for one in entries(place) if one.path.endswith(where)])
    assert [one.path for one in done.in_use] == [str(place / where)]
    assert (place / where / "file").is_file()


def test_a_file_with_several_names_counts_once(place: Path) -> None:
    os.link(place / "envs/one/file", place / "envs/one/other")
    (found,) = (one for one in entries(place) if one.kind == "envs")
    (alone,) = (one for one in entries(place) if one.kind == "results")
    assert found.bytes == alone.bytes


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["prune"], "what may go?"),
        (["prune", "--keep", "much"], "'much' is not a size, as 500M and 5G are"),
        (["prune", "--older", "3"], "'3' is not an age, as 12h, 30d and 4w are"),
    ],
)
def test_what_is_typed_wrongly_is_said(
    place: Path, capsys: pytest.CaptureFixture[str], argv: list[str], says: str
) -> None:
    assert _boundary(["cache", *argv]) == 2
    assert says in capsys.readouterr().err
    assert (place / "envs/one/file").is_file()


@pytest.mark.parametrize(
    ("text", "found"),
    [("10G", 10**10), ("1.5 g", 1_500_000_000), ("500M", 5 * 10**8), ("7", None), ("x", None)],
)
def test_sizes_as_people_write_them(text: str, found: int | None) -> None:
    assert amounts.size(text) == found


def test_a_lock_that_is_used_is_not_the_longest_unused(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a.json"
    path.parent.mkdir()
    lockstore.keep(path, Lock(pins=("a==1",), django_release="5.2.1"), 1.0)
    os.utime(path, (1, 1))
    assert lockstore.load(path) is not None
    assert next(iter(entries(tmp_path))).used > 1
