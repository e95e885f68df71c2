"""What is said while a matrix runs: lines where there is no board, and beside one."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

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
    assert re.fullmatch(r"\d\d:\d\d:\d\d  something", lines[0])
    assert lines[1].endswith(f"{CELLS[0]}  strict run")
    assert "✗ crashed" in lines[2]
    assert lines[3:] == ["    | \\x1b[2Jgone", "    | Segmentation fault"]


def test_verbose_lines_tell_every_stage_command_and_note() -> None:
    (cell,) = CELLS[:1]
    result = msgspec.structs.replace(finished(cell).result, notes=("a note",))
    events = [
        news.Started(cells=(cell,), folder=""),
        news.Stage(cell=cell, stage="lock"),
        news.Stage(cell=cell, stage="strict"),
        news.Command(cell=cell, command="python -m pytest"),
        news.Progress(cell=cell, done=1, expected=2),
        news.Finished(result=result, folder=""),
        news.Over(hop=f"{cell}..{cell}"),
    ]
    told = [line.split("  ", 1)[1] for line in console.lines(events, verbose=True)]
    assert told[:3] == [
        f"{cell}  lock",
        f"{cell}  strict run",
        f"{cell}  $ python -m pytest",
    ]
    assert told[3].startswith(f"{cell}  ✓ passed")
    assert told[4:] == ["  - a note"]
    assert [line[10:] for line in console.lines(events)] == [f"{cell}  strict run", told[3]]


def test_a_board_leaves_only_what_it_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    events = [
        news.Started(cells=(CELLS[0],), folder=""),
        news.Said(text="a thing worth a line"),
        news.Said(text="what the board shows", shown=True),
        news.Stage(cell=CELLS[0], stage="strict"),
        finished(CELLS[0]),
    ]
    out = Terminal()
    console.watch(events, stream=out)
    assert "a thing worth a line" in out.getvalue()
    assert "what the board shows" not in out.getvalue()
    # The cursor comes back, and what was drawn last is erased.
    assert out.getvalue().rstrip().endswith("\x1b[2K")
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")
    verbose = Terminal()
    console.watch(events, stream=verbose, verbose=True)
    assert "\x1b" not in verbose.getvalue()


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
