"""What a person sees while the matrix runs: a live board, or plain lines where there is none."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from djhop import masking, news
from djhop.reports import clean, summary
from djhop.results.results import CellResult

if TYPE_CHECKING:
    import rich.console

#: Stages whose end is worth a line of its own where there is no live board.
SPOKEN = frozenset({"strict", "plain", "scoped"})
#: Statuses whose log is shown: no test's own failure explains them. Others are in the report.
LOGGED = frozenset({"uncollectable", "crashed", "timed-out", "no-tests", "infra"})
#: Lines of a log that are shown.
TAIL = 12


def watch(events: Iterable[news.Event], *, stream: TextIO, quiet: bool) -> None:
    """Show `events` as they come until there are no more."""
    if quiet:
        for _ in events:
            pass
    elif is_live(stream):
        _board(events, stream)
    else:
        for line in lines(events):
            say(line, stream)


def say(line: str, stream: TextIO) -> None:
    """Print a line at once, safely; where nobody reads any more, the run goes on without."""
    line = printable(line)
    with contextlib.suppress(BrokenPipeError):
        print(f"{line}\n", end="", file=stream, flush=True)  # one write: threads share the stream


def printable(line: str) -> str:
    """Return what may be printed of a line that may quote anybody."""
    return clean.page(masking.mask(line))


def said(text: str, stream: TextIO) -> None:
    """Say what has just been done, and at what time."""
    say(f"{_clock()}  {text}", stream)


def is_live(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that a board can be drawn on."""
    plain = os.environ.get("CI") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def lines(events: Iterable[news.Event]) -> Iterator[str]:
    """Turn events into plain lines, each standing on its own, as a CI log wants them."""
    for event in events:
        match event:
            case news.Said(text=text):
                yield text
            case news.Stage(cell=cell, stage=stage) if stage in SPOKEN:
                yield f"{_clock()}  {cell}  {stage} run"
            case news.Finished(result=result):
                yield f"{_clock()}  {result.id}  {summary.one_line(result)}"
                yield from (f"    | {line}" for line in log_tail(result, event.folder))
            case _:
                pass


def log_tail(result: CellResult, folder: str) -> list[str]:
    """The last lines of the log of a cell that is red though no test says why, safe to print."""
    if result.status not in LOGGED or not result.passes:
        return []
    log = Path(folder) / result.passes[-1].log
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    said = [line for line in text.splitlines() if line.strip()]
    return [clean.cut(clean.spelled(line), 200) for line in said[-TAIL:]]


def _clock() -> str:
    return time.strftime("%H:%M:%S")


class _Row:
    """The state of one cell on the board."""

    def __init__(self) -> None:
        self.stage = "waiting"
        self.done = 0
        self.expected = 0
        self.started = 0.0
        self.final = ""

    def text(self) -> str:
        if self.final or not self.started:
            return self.final or self.stage
        tests = f" {self.done}/{self.expected}" if self.expected else ""
        return f"{self.stage}{tests}  {time.monotonic() - self.started:.0f} s"


class Board:
    """A table of the cells, redrawn in place as it is at that moment."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.rows = {cell: _Row() for cell in cells}

    def take(self, event: news.Event) -> str:
        """Note `event`; return a line to print above the board, or ""."""
        match event:
            case news.Said(text=text):
                return text
            case news.Stage(cell=cell, stage=stage):
                row = self.rows[cell]
                row.stage, row.done = stage, 0
                row.started = row.started or time.monotonic()
            case news.Progress(cell=cell, done=done, expected=expected):
                self.rows[cell].done, self.rows[cell].expected = done, expected
            case news.Finished(result=result):
                self.rows[result.id].final = summary.one_line(result)
                tail = log_tail(result, event.folder)
                return "\n".join((f"{result.id}: the end of its log", *tail)) if tail else ""
            case news.Started():
                pass
        return ""

    def fitting(self, height: int) -> tuple[list[str], str]:
        """The cells that `height` lines have room for, and a line about the others, or ""."""
        if len(self.rows) <= height:
            return list(self.rows), ""
        running = [cell for cell, row in self.rows.items() if row.started and not row.final]
        finished = sum(bool(row.final) for row in self.rows.values())
        waiting = len(self.rows) - finished - len(running)
        return running[: max(height - 1, 1)], f"{finished} finished, {waiting} waiting"

    def __rich_console__(
        self, console: rich.console.Console, options: rich.console.ConsoleOptions
    ) -> rich.console.RenderResult:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=max(map(len, self.rows), default=0))
        table.add_column(no_wrap=True, overflow="ellipsis")
        cells, others = self.fitting(console.height - 1)
        for cell in cells:
            row = self.rows[cell]
            style = "bold" if row.started and not row.final else ""
            table.add_row(Text(cell, style=style), Text(row.text()))
        yield table
        if others:
            yield Text(others, no_wrap=True, overflow="ellipsis")


def _board(events: Iterable[news.Event], stream: TextIO) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, highlight=False)
    board: Board | None = None
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        for event in events:
            if isinstance(event, news.Started):
                board = Board(event.cells)
                live.update(board)
            elif board is not None and (line := board.take(event)):
                live.console.print(printable(line), markup=False)
