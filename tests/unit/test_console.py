"""What is seen while a matrix runs: a board within its terminal, lines where there is none."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich.console

from djhop import console, news
from djhop.results.results import CellResult, Pass, Status


def finished(cell: str, status: Status = "passed", reason: str = "") -> news.Finished:
    python, django = cell.removeprefix("py").split("-django")
    result = CellResult(
        id=cell, django=django, python=python, status=status, reason=reason, passes=(LOGGED,)
    )
    return news.Finished(result=result, folder="")


LOGGED = Pass(mode="strict", log="log.txt")
CELLS = [f"py3.{minor}-django{series}" for series in ("4.2", "5.2") for minor in range(8, 20)]


def drawn(board: console.Board, width: int, height: int) -> list[str]:
    out = io.StringIO()
    screen = rich.console.Console(file=out, width=width, height=height, force_terminal=False)
    screen.print(board)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("height", [5, 10, 24, 60])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_board_stays_within_the_terminal(width: int, height: int) -> None:
    board = console.Board(CELLS)
    for cell in CELLS[:9]:
        board.take(finished(cell, "failed", "a reason that goes on and on, " * 6))
    for cell in CELLS[9:11]:
        board.take(news.Stage(cell=cell, stage="strict"))
        board.take(news.Progress(cell=cell, done=3, expected=30))
    lines = drawn(board, width, height)
    assert len(lines) < height
    assert all(len(line) <= width for line in lines)
    for cell in CELLS[9:11]:
        assert any(line.startswith(f"{cell}  strict 3/30") for line in map(squeezed, lines))
    if height < len(CELLS):
        assert lines[-1] == "9 finished, 13 waiting"


def squeezed(line: str) -> str:
    name, _, rest = line.partition(" ")
    return f"{name}  {rest.strip()}"


def test_lines_stand_on_their_own(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("\x1b[2Jgone\n\nSegmentation fault\n")
    crash = finished(CELLS[0], "crashed", "SIGSEGV")
    events = [
        news.Started(cells=(CELLS[0],), folder=""),
        news.Said(text="something"),
        news.Stage(cell=CELLS[0], stage="lock"),
        news.Stage(cell=CELLS[0], stage="strict"),
        news.Finished(result=crash.result, folder=str(tmp_path)),
    ]
    lines = list(console.lines(events))
    assert lines[0] == "something"
    assert lines[1].endswith(f"{CELLS[0]}  strict run")
    assert "✗ crashed" in lines[2]
    assert lines[3:] == ["    | \\x1b[2Jgone", "    | Segmentation fault"]


class Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("quiet", [True, False])
def test_every_event_is_taken_though_nobody_reads(quiet: bool) -> None:
    taken = []

    def events() -> Iterator[news.Event]:
        for number in range(3):
            yield news.Said(text=str(number))
            taken.append(number)

    console.watch(events(), stream=Gone(), quiet=quiet)
    assert taken == [0, 1, 2]


def test_lines_of_several_threads_do_not_mix() -> None:
    class Written(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    written: list[str] = []
    console.said("py3.9-django3.2  lock of 2 packages", Written())
    (line,) = filter(None, written)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  py3\.9-django3\.2  lock of 2 packages\n", line)


def test_ci_and_dumb_terminals_get_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert console.is_live(Terminal())
    assert not console.is_live(io.StringIO())
    monkeypatch.setenv("CI", "true")
    assert not console.is_live(Terminal())
    monkeypatch.delenv("CI")
    monkeypatch.setenv("TERM", "dumb")
    assert not console.is_live(Terminal())
