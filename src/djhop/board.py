"""The board that shows a run while it goes on: the grid, what is under way, the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from djhop.releases import version_key
from djhop.reports import clean, grid
from djhop.reports.signs import Tone
from djhop.underway import State

if TYPE_CHECKING:
    import rich.console
    from rich.table import Table
    from rich.text import Text

WAITS, RUNS = "·", "●"
#: Tone → the colour of the same name in a terminal.
STYLES: dict[Tone, str] = {
    "good": "green",
    "warn": "yellow",
    "bad": "red",
    "blocked": "magenta",
    "unknown": "cyan",
}
#: Characters of a cell in the grid: as many as it has, fewer, a sign alone.
LENGTHS = (20, 8, 1)
#: Columns of "Python 3.12" and a gap.
LEFT = 13
#: Columns of the longest stage: nothing jumps when one follows another.
STAGE = len("environment")
#: Rows of what runs that are kept room for, whatever the grid takes.
LEAST = 2


class Board:
    """Draws a state as it is at that moment, on as many lines as there are."""

    def __init__(self, state: State) -> None:
        self.state = state
        pairs = [cell.removeprefix("py").split("-django") for cell in state.started.cells]
        self._pythons = sorted({python for python, _ in pairs}, key=version_key)
        self._series = sorted({series for _, series in pairs}, key=version_key)
        #: Length of a cell's text → the widths of the columns so far.
        self._wide: dict[int, list[int]] = {}

    def __rich_console__(
        self, console: rich.console.Console, options: rich.console.ConsoleOptions
    ) -> rich.console.RenderResult:
        from rich.text import Text

        room = console.height - 2  # the last line, and one below
        drawn = self._grid(options.max_width)
        if drawn and room - drawn.row_count - 1 >= LEAST:
            yield drawn
            yield Text()
            room -= drawn.row_count + 1
        yield from self._running(max(room, 1))
        yield Text(self.state.line(), no_wrap=True, overflow="ellipsis")

    def _running(self, room: int) -> rich.console.RenderResult:
        """A line for each cell and hop under way, as many as there is room for."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        works = [*self.state.running.values()]
        shown = works if len(works) <= room else works[: room - 1]
        for wide in (0, STAGE, 0):
            table.add_column(no_wrap=True, min_width=wide)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for work in shown:
            table.add_row(
                Text(work.name, style="bold"), work.stage, self.state.elapsed(work), work.tests()
            )
        if shown:
            yield table
        if more := len(works) - len(shown):
            yield Text(f"… and {more:,} more")

    def _grid(self, width: int) -> Table | None:
        """The matrix, cut where there is little room; None where there is none."""
        from rich.table import Table
        from rich.text import Text

        for length in LENGTHS:
            rows = [[self._square(p, s, length) for s in self._series] for p in self._pythons]
            widths = self._widths(rows, length)
            if sum(widths) + LEFT <= width:
                break
        else:
            return None
        table = Table.grid(padding=0)
        for wide in (LEFT, *widths):
            table.add_column(width=wide, no_wrap=True)
        table.add_row(Text("Django", "dim"), *(Text(f"  {one}", "dim") for one in self._series))
        for python, row in zip(self._pythons, rows, strict=True):
            table.add_row(f"Python {python}", *row)
        return table

    def _widths(self, rows: list[list[Text]], length: int) -> list[int]:
        """How wide each column is: never less than it has been, so that nothing jumps."""
        widths = self._wide.setdefault(length, [len(series) + 4 for series in self._series])
        for at, column in enumerate(zip(*rows, strict=True)):
            widths[at] = max(widths[at], *(len(text) + 2 for text in column))
        return widths

    def _square(self, python: str, series: str, length: int) -> Text:
        from rich.text import Text

        state, cell = self.state, f"py{python}-django{series}"
        if cell not in state.started.cells:
            return Text()
        mark = f"{grid.MARK} " if cell in state.started.path else "  "
        style, text = "dim", WAITS
        if work := state.running.get(cell):
            style, text = "bold", f"{RUNS} {work.share()}".rstrip()
        elif cell in state.results:
            tone, text = state.results[cell]
            style = STYLES[tone]
        return Text(mark + (text[:1] if length == 1 else clean.cut(text, length)), style=style)
