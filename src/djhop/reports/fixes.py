"""What was tried to repair a hop → sentences; the same in every report, and after `djhop fix`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from djhop.fixes.proof import CauseFixed, Fix, NextCause
from djhop.reports.clean import one_line, page
from djhop.reports.hops import CauseView, HopView
from djhop.reports.signs import listed, number, owner
from djhop.store.record import Run

#: Tests, causes and files that a list names.
FEW = 5


def with_fixes(view: HopView, hop: str, fixes: Iterable[Fix]) -> HopView:
    """Say under each cause of a hop what repairs it."""
    known = {(one.cause, fix.id): (fix, one) for fix in fixes if fix.hop == hop
             for one in fix.causes}  # fmt: skip
    causes = tuple(_with(cause, known.values()) for cause in view.causes)
    return msgspec.structs.replace(view, causes=causes)


def _with(view: CauseView, known: Iterable[tuple[Fix, CauseFixed]]) -> CauseView:
    mine = [pair for pair in known if pair[1].cause == view.id]
    if not mine:
        return view
    fix, one = max(mine, key=lambda pair: pair[1].repaired)
    return msgspec.structs.replace(view, fix=_under(fix, one))


def _under(fix: Fix, one: CauseFixed) -> str:
    """Say in a line what a fix does for a cause."""
    name = fix.fixer.partition(" ")[0]
    if fix.reason:
        return one_line(f"{name} was tried, nothing is proven: {fix.reason}")
    if not one.repaired:
        return f"{name} was tried, and does not repair it"
    what = _counted(one.repaired, one.behind, "module" if one.modules else "test")
    return f"{name} repairs {what}{_side(fix)}: djhop fix --write {_choice(fix)}"


def _choice(fix: Fix) -> str:
    return f"--hop {fix.hop}" if fix.id == fix.hop else f"--cause {fix.id}"


def _counted(part: int, whole: int, what: str) -> str:
    if part < whole:
        return f"{part:,} of {number(whole, what)}"
    return number(whole, what) if whole == 1 else f"all {number(whole, what)}"


def _side(fix: Fix) -> str:
    """Say what else it breaks."""
    broken = [
        f"{number(len(tests), 'test')} on {cell}"
        for cell, tests in ((fix.after, fix.broke_after), (fix.before, fix.broke_before))
        if tests
    ]
    if broken:
        return f" but breaks {listed(broken)}"
    return "" if fix.kept else f" but {fix.before} is not as it was"


def text(run: Run, fixes: tuple[Fix, ...], folder: Path) -> str:
    """Return what `djhop fix --try` prints; `folder` is the run's."""
    if not fixes:
        return f"No hop of {one_line(run.name, 100)} breaks: there is nothing to repair.\n"
    return page("\n".join(line for fix in fixes for line in (*_lines(run, fix, folder), "")))


def _lines(run: Run, fix: Fix, folder: Path) -> Iterator[str]:
    yield f"{fix.before} → {fix.after}: {said(run, fix)}"
    messages = {one.id: f"{one.exception.rpartition('.')[2]}: {one.message}" for one in run.causes}
    for one in fix.causes:
        what = "module" if one.modules else "test"
        told = one_line(messages.get(one.cause, one.cause), 90)
        yield f"  {one.repaired:,} of {number(one.behind, what)}  {told}"
    for title, tests in (("after", fix.broke_after), ("before", fix.broke_before)):
        cell = fix.after if title == "after" else fix.before
        yield from _list(f"  it breaks {number(len(tests), 'test')} on {cell}:", tests)
    yield from _list("  what shows next:", [_next(one) for one in fix.next])
    yield from _list("  rewritten:", [f"{c.path}  +{c.added} -{c.removed}" for c in fix.changed])
    yield from _list("  left alone:", [f"{name}: {why}" for name, why in fix.skipped])
    if fix.only:
        yield f"  its fixers: {', '.join(fix.only)}"
    if fix.patch:
        yield f"  patch: {folder / 'fixes' / fix.patch}"
    if fix.broke_before:
        yield f"  it belongs to the hop itself: {fix.before} needs the code as it is"
    if any(one.repaired for one in fix.causes):
        name = one_line(run.name, 100)
        yield f"  to apply it to a clean git tree: djhop fix {name} --write {_choice(fix)}"


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if found:
        yield title
    yield from (f"    {one_line(item, 160)}" for item in found[:FEW])
    if len(found) > FEW:
        yield f"    … and {len(found) - FEW:,} more"


def _next(one: NextCause) -> str:
    name = one.exception.rpartition(".")[2]
    count = number(one.tests, "test") if one.tests else "the whole suite"
    place = f", {one.place}" if one.place else ""
    return f"{count}  {name}: {one_line(one.message, 90)} in {owner(one.owner)}{place}"


def said(run: Run, fix: Fix) -> str:
    """Say in one sentence what a fix does: "repairs 41 of 57 tests on 4.0, still passes on 3.2"."""
    if fix.reason:
        return one_line(f"{fix.fixer}: {fix.reason}")
    before, after = (_short(run, fix, cell) for cell in (fix.before, fix.after))
    modules = not fix.behind
    behind = sum(one.behind for one in fix.causes) if modules else fix.behind
    repaired = sum(one.repaired for one in fix.causes) if modules else fix.repaired
    what = number(behind, "module" if modules else "test")
    sentence = f"{fix.fixer} repairs {repaired:,} of {what} on {after}"
    if not repaired:
        return sentence
    if not fix.kept:
        count = number(len(fix.broke_before), "test")
        return f"{sentence}, but breaks {count if fix.broke_before else 'the suite'} on {before}"
    status = {cell.id: cell.status for cell in run.cells}.get(fix.before)
    held = "still passes" if status in ("passed", "deprecated") else "is as before"
    return f"{sentence} and {held} on {before}"


def _short(run: Run, fix: Fix, cell: str) -> str:
    """The end of a hop, by what the hop changes."""
    hop = next(one for one in run.plan.hops if one.id == fix.hop)
    found = hop.before if hop.before.id == cell else hop.after
    return f"Django {found.django}" if hop.axis == "django" else f"Python {found.python}"
