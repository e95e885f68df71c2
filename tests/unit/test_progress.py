"""How far a pass is, and whether a test, or the whole pass, has been silent for too long."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from djhop.results import progress
from djhop.results.progress import Tally, Watch


class Log:
    """A log that grows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "events.jsonl"

    def add(self, kind: str, **fields: object) -> None:
        line = json.dumps({"e": kind, "t": 1.5, "pid": 7, **fields}, separators=(",", ":"))
        with self.path.open("a") as file:
            file.write(f"{line}\n")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_tests_are_counted_once_for_all_processes(log: Log) -> None:
    tally = Tally(log.path)
    assert tally.look() == (0, 0)
    log.add("collected", ids=["a", "b"])
    log.add("collected", ids=["c"])
    log.add("start", id="a")
    log.add("stop", id="a")
    assert tally.look() == (1, 3)
    log.add("start", id="b")
    tally.anew()
    log.add("collected", ids=["c"])
    log.add("start", id="c")
    assert tally.look(1.0) == (1, 3)
    assert tally.running == {"c": 1.0}


def test_a_test_is_late_when_it_has_run_too_long(log: Log) -> None:
    watch = Watch(Tally(log.path), test=5.0, silence=0.0)
    log.add("start", id="a")
    assert not watch.overdue(3.0, 3.0)
    log.add("stop", id="a")
    log.add("start", id="b")
    assert not watch.overdue(6.0, 6.0)
    assert not watch.overdue(10.9, 0.0)
    assert watch.overdue(11.0, 0.0)
    assert (watch.late, watch.silent) == ("b", False)


@pytest.mark.parametrize("when", ["teardown", "???"])
def test_what_is_over_without_a_stop_is_not_late(log: Log, when: str) -> None:
    """xdist tells nothing but a report of the test in which a worker died."""
    watch = Watch(Tally(log.path), test=5.0, silence=0.0)
    log.add("start", id="a")
    log.add("report", id="a", when="call", outcome="passed")
    assert not watch.overdue(1.0, 0.0)
    log.add("report", id="a", when=when, outcome="failed")
    assert not watch.overdue(100.0, 0.0)
    assert watch.late == ""


def test_words_of_a_test_end_none(log: Log) -> None:
    watch = Watch(Tally(log.path), test=5.0, silence=0.0)
    log.add("start", id="a")
    log.add("report", id="a", when="call", outcome="failed", reason='"when":"teardown"')
    assert not watch.overdue(1.0, 0.0)
    assert watch.overdue(100.0, 0.0)


@pytest.mark.parametrize(("quiet", "event", "silent"), [(9, 1, True), (2, 1, False), (9, 8, False)])
def test_silence_is_neither_output_nor_event(
    log: Log, quiet: float, event: float, silent: bool
) -> None:
    tally = Tally(log.path)
    watch = Watch(tally, test=0.0, silence=5.0)
    log.add("start", id="a")
    tally.look(event)
    assert watch.overdue(10.0, quiet) is silent
    assert watch.silent is silent


def test_no_limit_is_none(log: Log) -> None:
    log.add("start", id="a")
    assert not Watch(Tally(log.path), test=0.0, silence=0.0).overdue(1e9, 1e9)


def test_nothing_is_late_while_there_is_more_to_read(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST", 64)
    watch = Watch(Tally(log.path), test=5.0, silence=0.0)
    log.add("start", id="a")
    watch.overdue(1.0, 0.0)
    for number in range(3):
        log.add("start", id=f"{number}")
        log.add("stop", id=f"{number}")
    log.add("stop", id="a")
    assert not any(watch.overdue(100.0, 0.0) for _ in range(20))
