"""What changed between two runs, as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from djhop.reports.clean import inert, one_line
from djhop.reports.json import indented
from djhop.reports.markdown import code, escape
from djhop.reports.signs import SIGNS, number, tone_of_status
from djhop.reports.versus import CellChange, Versus, causes, listed
from djhop.store.record import Run

#: As many tests, causes and uses as a list shows.
LIMIT = 8

#: (depth of the list, words, what is said word by word).
Row = tuple[int, str, str]


def text(found: Versus, after: Run) -> str:
    """Return what changed as text."""
    rows = ("  " * depth + f"{words} {said}".strip() for depth, words, said in _rows(found, after))
    return inert("\n".join(rows) + "\n")


def markdown(found: Versus, after: Run) -> str:
    """Return what changed as GitHub Markdown."""
    show: Callable[[str], str] = lambda said: f" {code(said)}" if said else ""  # noqa: E731
    head, *rows = _rows(found, after)
    lines = [f"## {escape(head[1])}", ""]
    lines += ["  " * depth + f"- {escape(words)}{show(said)}" for depth, words, said in rows]
    return inert("\n".join(lines) + "\n")


def as_json(found: Versus) -> str:
    """Return what changed as JSON, its lists uncut."""
    return indented(found) + "\n"


def _rows(found: Versus, after: Run) -> Iterator[Row]:
    yield 0, f"{one_line(found.before, 100)} → {one_line(found.after, 100)}", ""
    if found.same_inputs:
        yield 0, "The same files, arguments and djhop in both runs.", ""
    else:
        yield 0, "Not the same in both: the files (or their dates), the arguments or djhop.", ""
    for label, names in (("the first", found.only_before), ("the second", found.only_after)):
        if names:
            yield 0, f"Only in {label}: {', '.join(names)}", ""
    for hop in found.hops:
        yield 0, f"{hop.id}: {hop.before} → {hop.after}", ""
    same = len(found.cells) - len(found.changed)
    yield 0, f"{number(len(found.changed), 'cell')} changed, {same:,} did not.", ""
    for cell in found.changed:
        yield from _cell(cell, after)
    for label, uses in (
        ("New deprecated uses", found.new_deprecations),
        ("Deprecated uses that are gone", found.gone_deprecations),
    ):
        if uses:
            yield 0, f"{label}: {len(uses):,}", ""
            yield from _items(uses, 1)


def _cell(cell: CellChange, after: Run) -> Iterator[Row]:
    sign = SIGNS[tone_of_status(cell.after)]
    became = cell.after if cell.before == cell.after else f"{cell.before} → {cell.after}"
    yield 0, f"{sign} {cell.id} {became}", ""
    if cell.verdict in ("unknown", "blocked"):
        yield 1, one_line(cell.reason), ""
    for label, tests in listed(cell).items():
        yield 1, f"{label}: {len(tests):,}", ""
        yield from _items(tests, 2)
    shown = causes(cell, after)
    for cause in shown[:LIMIT]:
        yield 1, f"{cause.count}, {cause.where}:", cause.headline
    if more := len(shown) - LIMIT:
        yield from [(1, f"… and {more:,} more causes", "")] * (more > 0)


def _items(items: tuple[str, ...], depth: int) -> Iterator[Row]:
    yield from ((depth, "", one_line(item, 200)) for item in items[:LIMIT])
    if len(items) > LIMIT:
        yield depth, f"… and {len(items) - LIMIT:,} more", ""
