"""The matrix as a grid of text: Django across, Python down, the path marked."""

from __future__ import annotations

from collections.abc import Iterator

from djhop.reports.paint import Paint
from djhop.reports.summary import Square, Summary

MARK = "▸"
#: Columns between two cells.
GAP = 2
#: Statuses that a count and a sign tell wholly.
COUNTED = frozenset({"passed", "deprecated", "failed"})


def lines(summary: Summary, paint: Paint, width: int) -> Iterator[str]:
    """Draw the grid in as many bands as it takes to stay within `width` columns."""
    left = max((len(f"Python {python}") for python in summary.pythons), default=0) + GAP
    squares = [_plain(square) for square in summary.grid.values()]
    cell = max((len(text) for pair in squares for text in pair), default=0) + GAP
    fit = max((width - left + GAP) // cell, 1)
    for start in range(0, len(summary.series), fit):
        band = summary.series[start : start + fit]
        if start:
            yield ""
        yield from _band(summary, band, paint, left, cell)
    yield paint.dim(f"{MARK} the path")


def short(summary: Summary, paint: Paint, width: int) -> Iterator[str]:
    """Draw the grid with a line for each Python: counts, and the status where no count tells it."""
    left = max((len(f"Python {python}") for python in summary.pythons), default=0) + GAP
    wide = {one: max(map(len, [f"  {one}", *_column(summary, one)])) + GAP
            for one in summary.series}  # fmt: skip
    bands: list[list[str]] = [[]]
    for one in summary.series:
        if bands[-1] and left + sum(wide[o] for o in (*bands[-1], one)) - GAP > width:
            bands.append([])
        bands[-1].append(one)
    for band in bands:
        yield paint.dim(f"{'Django':<{left}}" + "".join(f"  {o:<{wide[o] - 2}}" for o in band))
        for python in summary.pythons:
            row = [(summary.grid.get((python, one)), wide[one]) for one in band]
            if any(square for square, _ in row):
                yield f"{'Python ' + python:<{left}}" + "".join(_one(s, paint, w) for s, w in row)


def _column(summary: Summary, series: str) -> Iterator[str]:
    for (_, django), square in summary.grid.items():
        if django == series:
            yield _in_short(square)


def _in_short(square: Square) -> str:
    mark = MARK if square.on_path else " "
    said = square.count if square.status in COUNTED and square.count else square.status
    return f"{mark} {square.sign} {said}"


def _one(square: Square | None, paint: Paint, width: int) -> str:
    if square is None:
        return " " * width
    text = paint.tone(square.tone)(f"{_in_short(square):<{width}}")
    return paint.bold(text) if square.on_path else text


def _band(
    summary: Summary, series: tuple[str, ...], paint: Paint, left: int, cell: int
) -> Iterator[str]:
    head = "".join(f"{'  ' + one:<{cell}}" for one in series)
    yield paint.dim(f"{'Django':<{left}}{head}")
    for python in summary.pythons:
        row = [summary.grid.get((python, one)) for one in series]
        if not any(row):
            continue
        first = "".join(_top(square, paint, cell) for square in row)
        second = "".join(_bottom(square, paint, cell) for square in row)
        yield f"{'Python ' + python:<{left}}{first}"
        yield f"{'':<{left}}{second}"


def _plain(square: Square) -> tuple[str, str]:
    mark = MARK if square.on_path else " "
    return f"{mark} {square.sign} {square.count}", f"  {square.status}"


def _top(square: Square | None, paint: Paint, cell: int) -> str:
    if square is None:
        return " " * cell
    text = paint.tone(square.tone)(f"{_plain(square)[0]:<{cell}}")
    return paint.bold(text) if square.on_path else text


def _bottom(square: Square | None, paint: Paint, cell: int) -> str:
    return paint.dim(f"{_plain(square)[1]:<{cell}}") if square else " " * cell
