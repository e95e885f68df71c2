"""What a person sees while the matrix runs: a live board, or plain lines where there is none."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from djhop import masking, news
from djhop.board import Board
from djhop.reports import clean, summary
from djhop.results.results import CellResult
from djhop.underway import State

#: Stages whose end is worth a line of its own where there is no live board.
SPOKEN = frozenset({"strict", "plain", "scoped"})
#: Statuses whose log is shown: no test's own failure explains them. Others are in the report.
LOGGED = frozenset({"uncollectable", "crashed", "timed-out", "no-tests", "infra"})
#: Lines of a log that are shown.
TAIL = 12
#: How often a board is drawn in a second, at most.
REFRESH = 4


def watch(
    events: Iterable[news.Event], *, stream: TextIO, quiet: bool = False, verbose: bool = False
) -> None:
    """Show `events` as they come until there are no more; `verbose`: each of them, as a line."""
    if quiet:
        for _ in events:
            pass
    elif is_live(stream) and not verbose:
        _board(events, stream)
    else:
        for line in lines(events, verbose=verbose):
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


def lines(events: Iterable[news.Event], *, verbose: bool = False) -> Iterator[str]:
    """Turn events into plain lines, each standing on its own, as a CI log wants them."""
    for event in events:
        match event:
            case news.Said(text=text):
                yield f"{_clock()}  {text}"
            case news.Stage(cell=cell, stage=stage) if stage in SPOKEN:
                yield f"{_clock()}  {cell}  {stage} run"
            case news.Stage(cell=cell, stage=stage) if verbose:
                yield f"{_clock()}  {cell}  {stage}"
            case news.Command(cell=cell, command=command) if verbose:
                yield f"{_clock()}  {cell}  $ {command}"
            case news.Finished(result=result):
                yield f"{_clock()}  {result.id}  {summary.one_line(result)}"
                yield from (f"    | {line}" for line in log_tail(result, event.folder))
                yield from (f"    - {note}" for note in result.notes if verbose)
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


def _board(events: Iterable[news.Event], stream: TextIO) -> None:
    """Draw a board until there are no more events; it leaves nothing behind but lines above it."""
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, highlight=False)
    with Live(console=console, refresh_per_second=REFRESH, transient=True) as live:
        state: State | None = None
        for event in events:
            if isinstance(event, news.Started):
                state = State(event)
                live.update(Board(state))
            elif state is not None:
                state.take(event)
            for line in above(event):
                live.console.print(printable(line), markup=False)


def above(event: news.Event) -> Iterator[str]:
    """What stays to be read above a board: what it does not show itself."""
    match event:
        case news.Said(text=text, shown=False):
            yield text
        case news.Finished(result=result):
            if tail := log_tail(result, event.folder):
                yield f"{result.id}: the end of its log"
                yield from tail
        case _:
            pass
