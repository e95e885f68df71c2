"""What changed since the night before, as every report says it; pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec

from djhop.history.since import CellSince, Since, Still, Tests
from djhop.reports.clean import one_line
from djhop.reports.shown import Shown
from djhop.reports.signs import SIGNS, Tone, listed, number

#: Cells that a line names, tests that it lists in text, and packages that may be behind it.
CELLS, FEW, MOVES = 3, 3, 16

#: What a cell's lists are called, the worst first: of one test, of several, and their tone.
LISTS: dict[str, tuple[str, str, Tone]] = {
    "broke": ("is newly broken", "are newly broken", "bad"),
    "new_failures": ("did not run before and fails", "did not run before and fail", "bad"),
    "broke_differently": ("fails for another reason", "fail for another reason", "bad"),
    "vanished": ("passed and is gone", "passed and are gone", "bad"),
    "newly_skipped": ("passed and is skipped", "passed and are skipped", "warn"),
    "newly_deprecated": ("is newly deprecated", "are newly deprecated", "warn"),
    "fixed": ("is fixed", "are fixed", "good"),
}  # fmt: skip


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed, or still is."""

    tone: Tone
    sign: str
    text: str
    #: The tests it is about.
    tests: Shown
    #: What may be behind it.
    note: str = ""
    #: What to type next.
    hint: str = ""


class SinceView(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since the night before."""

    #: "Since 2026-11-20 01:00 (run …, commit …)".
    title: str
    rows: tuple[Row, ...]


def view(since: Since, run: str, limit: int) -> SinceView:
    """Return what a report shows; `run` is the name of this one, lists are cut to `limit`."""
    rows = [*_changed(since, run, limit), *_fixed(since, limit), *_rest(since, limit)]
    if not rows:
        rows = [_row("good", "nothing changed", Tests(), limit)]
    when = one_line(since.started[:16].replace("T", " "), 16)
    commit = f", commit {one_line(since.revision[:12], 12)}" if since.revision else ""
    title = f"Since {when} ({one_line(since.run, 60)}{commit})"
    return SinceView(title=title, rows=tuple(rows))


def lines(view: SinceView, few: int = FEW) -> Iterator[tuple[int, Tone | None, str]]:
    """Yield lines of text: how deep each stands, its tone if it has one, what it says."""
    for row in view.rows:
        yield 1, row.tone, f"{row.sign} {row.text}"
        if row.note:
            yield 2, None, row.note
        yield from ((2, None, test) for test in row.tests.items[:few])
        if more := row.tests.total - len(row.tests.items[:few]):
            yield 2, None, f"… and {more:,} more"
        if row.hint:
            yield 2, None, f"→ {row.hint}"


def _changed(since: Since, run: str, limit: int) -> Iterator[Row]:
    """What got worse, then what became of whole cells; cells that tell the same together."""
    told = {field: LISTS[field] for field in LISTS if field != "fixed"}
    for field, (_, _, tone) in told.items():
        for cells in _alike(since.cells, field):
            found: Tests = getattr(cells[0], field)
            text = f"{_many(found, field)} in {_cells(cells)}"
            bad = tone == "bad"
            hint = _hint(cells[0], found, run) if bad else ""
            yield _row(tone, text, found, limit, note=_note(cells[0]) if bad else "", hint=hint)
    for cell in since.cells:
        said = any(getattr(cell, field).total for field in LISTS)
        if cell.before != cell.after and not said:
            note = _note(cell) if cell.turned_red else ""
            yield _row(
                _tone(cell), f"{cell.id}: {cell.before} → {cell.after}", Tests(), limit, note=note
            )


def _tone(cell: CellSince) -> Tone:
    if cell.turned_red:
        return "bad"
    return "good" if cell.after in ("passed", "deprecated") else "unknown"


def _fixed(since: Since, limit: int) -> Iterator[Row]:
    for cells in _alike(since.cells, "fixed"):
        found = cells[0].fixed
        yield _row("good", f"{_many(found, 'fixed')} in {_cells(cells)}", found, limit)


def _rest(since: Since, limit: int) -> Iterator[Row]:
    for one in since.still:
        yield _row("bad", _still(one), one.tests, limit)
    if since.flaky:
        ids = tuple(
            f"{one.id} ({one.cell}: {number(one.times, 'time')} in {number(one.nights, 'night')})"
            for one in since.flaky
        )
        text = f"{number(len(ids), 'test')} flaky: other ends with the same files and packages"
        yield _row("unknown", text, Tests(total=len(ids), ids=ids), limit)
    if since.slower:
        ids = tuple(
            f"{one.id} ({one.cell}: {one.seconds:.2f} s, at most {one.most:.2f} s before)"
            for one in since.slower
        )
        what = f"slower than in any of the last {number(since.window, 'night')}"
        text = f"{number(len(ids), 'test')} {what}, beyond noise"
        yield _row("warn", text, Tests(total=len(ids), ids=ids), limit)
    for cell in since.cells:
        if cell.most:
            took = f"the suite of {cell.id} took {cell.seconds:.1f} s"
            text = f"{took}, and {cell.most:.1f} s at most before"
            yield _row("warn", text, Tests(), limit)
    yield from _moved(since, limit)


def _moved(since: Since, limit: int) -> Iterator[Row]:
    """Packages that moved in cells that are fine: worth knowing, and nothing wrong."""
    quiet = [cell for cell in since.cells if cell.moved and not cell.worse]
    moves = tuple(dict.fromkeys(move for cell in quiet for move in cell.moved))
    if moves:
        text = f"{number(len(moves), 'package')} moved, and nothing is worse for it"
        yield _row("good", text, Tests(total=len(moves), ids=moves), limit)


def _alike(cells: tuple[CellSince, ...], field: str) -> list[list[CellSince]]:
    """Put cells together that tell the same of a list, for the same reason."""
    groups: dict[object, list[CellSince]] = {}
    for cell in cells:
        found: Tests = getattr(cell, field)
        if found.total:
            groups.setdefault((found, cell.moved, cell.why), []).append(cell)
    return sorted(groups.values(), key=lambda group: -getattr(group[0], field).total)


def _many(found: Tests, field: str) -> str:
    one, several, _ = LISTS[field]
    return f"{number(found.total, 'test')} {one if found.total == 1 else several}"


def _cells(cells: list[CellSince]) -> str:
    names = [cell.id for cell in cells]
    if len(names) > CELLS:
        return f"{', '.join(names[:CELLS])} and {number(len(names) - CELLS, 'more cell')}"
    return listed(names)


def _note(cell: CellSince) -> str:
    """Say what may be behind a change: first of all whether the project changed."""
    moved = listed([one_line(move, 80) for move in cell.moved[:MOVES]])
    more = f" and {len(cell.moved) - MOVES:,} more" if len(cell.moved) > MOVES else ""
    moved = f"moved: {moved}{more}" if moved else "no package moved"
    match cell.why:
        case "moved":
            return f"the project did not change; {moved}"
        case "project":
            return f"the project changed; {moved}"
        case "matrix":
            return f"the settings of the matrix changed, the project did not; {moved}"
        case "nothing":
            return "neither the project nor a package changed: the machine, the date, or chance"
        case "unknown":
            return moved if cell.moved else ""


def _hint(cell: CellSince, found: Tests, run: str) -> str:
    """What finds out which of several packages it was."""
    if cell.why != "moved" or len(cell.moved) < 2 or not found.ids:
        return ""
    words = ["djhop", "bisect", run, "--test", found.ids[0], "--since", cell.run]
    return one_line(shlex.join(words), 400)


def _still(one: Still) -> str:
    verb = "has" if one.tests.total == 1 else "have"
    earlier = " or earlier" if one.or_earlier else ""
    commit = f", commit {one_line(one.revision[:12], 12)}" if one.revision else ""
    cells = number(len(one.cells), "cell")
    text = f"{number(one.tests.total, 'test')} {verb} been failing in {cells} since "
    return text + f"{one_line(one.started[:10], 10)}{earlier} ({one_line(one.run, 60)}{commit})"


def _row(tone: Tone, text: str, found: Tests, limit: int, *, note: str = "", hint: str = "") -> Row:
    items = tuple(one_line(test, 200) for test in found.ids[:limit])
    tests = Shown(label=text, items=items, total=found.total)
    said = one_line(text, 300)
    return Row(tone=tone, sign=SIGNS[tone], text=said, tests=tests, note=note, hint=hint)
