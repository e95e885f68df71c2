"""What is remembered of earlier nights, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from djhop.history.asking import CellNight, Fared, NightLine
from djhop.reports.clean import inert, one_line, spelled
from djhop.reports.signs import number

#: What the characters of a strip stand for.
KEY = (
    "p passed, w passed but not strictly, f e c failed, s skipped, x X expected to fail, "
    "~ flaky, . not there, ? not seen, blank: no result of that night"
)


def nights(found: Sequence[NightLine]) -> str:
    """Return the nights of every line, the newest last."""
    rows: list[str] = []
    for line in dict.fromkeys(one.line for one in found):
        rows += [""] * bool(rows) + [one_line(line, 200)]
        for one in (night for night in found if night.line == line):
            cells = ", ".join(f"{n} {one_line(status, 30)}" for status, n in one.cells.items())
            breaks = f"; hops break {number(one.breaks, 'test')}" if one.breaks else ""
            rows.append(f"  {_when(one.started)}  {_run(one.run, one.revision)}  {cells}{breaks}")
    return _page(rows or ["no night is remembered"])


def cell(name: str, found: Sequence[CellNight]) -> str:
    """Return the nights of one cell, and what moved in it."""
    rows: list[str] = []
    for line in dict.fromkeys(one.line for one in found):
        rows += [""] * bool(rows) + [one_line(f"{name} of {line}", 200)]
        for one in (night for night in found if night.line == line):
            parts = [one_line(one.status, 30), number(one.tests, "test"), f"{one.seconds:.1f} s"]
            parts += [f"{one.coverage:.1f} % covered"] if one.coverage is not None else []
            told = ", ".join(parts)
            rows.append(f"  {_when(one.started)}  {_run(one.run, one.revision)}  {told}")
            rows += [f"      moved: {one_line(move, 100)}" for move in one.moved]
    return _page(rows)


def subjects(found: Sequence[Fared], *, width: int) -> str:
    """Return how tests and causes fared, cell by cell or hop by hop."""
    rows: list[str] = []
    for key in dict.fromkeys((one.line, one.name) for one in found):
        several = [one for one in found if (one.line, one.name) == key]
        label = f"  {one_line(several[0].label, 200)}" if several[0].label else ""
        rows += [""] * bool(rows)
        rows += textwrap.wrap(f"{one_line(key[1], 300)}{label}", width, break_on_hyphens=False)
        rows.append(f"  {one_line(key[0], 200)}")
        for one in several:
            rows += _fared(one)
    if any(one.strip for one in found):
        rows += ["", *textwrap.wrap(KEY, width)]
    return _page(rows)


def _fared(one: Fared) -> Iterator[str]:
    strip = f"  |{spelled(one.strip)}|" if one.strip else ""
    yield f"  {one_line(one.place, 100)}{strip}"
    if one.earlier:
        yield f"      … {number(one.earlier, 'change')} before"
    for turn in one.turns:
        cause = f" ({one_line(turn.cause, 20)}: {one_line(turn.label, 100)})" if turn.cause else ""
        told = f"{one_line(turn.what, 60)}{cause}"
        yield f"      {_when(turn.started)}  {_run(turn.run, turn.revision)}  {told}"


def _when(started: str) -> str:
    return one_line(started[:16].replace("T", " "), 20)


def _run(name: str, revision: str) -> str:
    return f"{one_line(name, 60)}" + (f" {one_line(revision[:12], 12)}" if revision else "")


def _page(rows: Sequence[str]) -> str:
    return inert("\n".join(line.rstrip() for line in rows))
