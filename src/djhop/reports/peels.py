"""What is behind the first cause of a red cell → sentences; the same in every report."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from djhop.peels.layers import Layer, Peel, Seen
from djhop.reports.clean import one_line, page
from djhop.reports.hops import IMPORTED_FROM, HopView
from djhop.reports.known import sentence
from djhop.reports.shown import Shown
from djhop.reports.signs import listed, number, owner
from djhop.store.record import Run

#: Causes, tests and modules that a list names.
FEW = 5
_HOW = {"fixer": "", "shim": "with a shim: ", "left-out": "left out: "}


def with_peel(view: HopView, cell: str, run: Run) -> HopView:
    """Say under a hop what is behind its first cause, where that was looked for."""
    for peel in run.peels:
        if peel.id == cell and (peel.layers or peel.ended != "runs"):
            items = tuple(one_line(line, 400) for line in _short(peel))
            label = f"behind the first cause: {headline(peel)}"
            return msgspec.structs.replace(
                view, peel=Shown(label=label, items=items, total=len(items))
            )
    return view


def headline(peel: Peel) -> str:
    """Say in one sentence what peeling came to."""
    layers = number(len(peel.layers), "layer") if peel.layers else "nothing was"
    came = {
        "runs": f"{layers} taken away, and the suite runs",
        "stuck": f"{layers} taken away, and nothing more can be",
        "budget": f"{layers} taken away when the time was over",
        "failed": f"{layers} taken away, then {one_line(peel.reason, 120)}",
    }[peel.ended]
    if not peel.ran_in_the_end:
        return f"{came}; no test runs"
    ran, still = number(peel.ran_in_the_end, "test"), len(peel.still)
    failing = f"{still:,} of {ran} still {'fails' if still == 1 else 'fail'}"
    failing = failing if still else f"none of {ran} fails"
    return f"{came}; {failing}" + _before(peel)


def _before(peel: Peel) -> str:
    said = f", {len(peel.old):,} of them in {peel.before} as well" if peel.old else ""
    if peel.missing:
        said += f"; {number(len(peel.missing), 'test')} of {peel.before} did not run"
    return said


def _short(peel: Peel) -> Iterator[str]:
    for count, layer in enumerate(peel.layers, 1):
        yield f"{count}. {cause(layer.seen)}; {how(layer)}: {brought(layer)}"
    new = _new(peel)
    for seen in new[:FEW]:
        yield f"left: {_count(seen)}, {cause(seen)}"
    if new[FEW:]:
        yield f"… and {number(len(new) - FEW, 'more cause')}"


def _new(peel: Peel) -> tuple[Seen, ...]:
    """The causes that are left, but for those whose tests all fail in the cell before as well."""
    return tuple(one for one in peel.left if not one.tests or one.old < one.tests)


def cause(seen: Seen) -> str:
    """Say what, whose and where: "ImportError: cannot import … in your code, tests/urls.py:3"."""
    first = (seen.message.strip().splitlines() or [""])[0]
    message = one_line(IMPORTED_FROM.sub("", first), 120)
    name = seen.exception.rpartition(".")[2]
    place = seen.place or seen.raised_at
    at = f", {place}" if place else ""
    return one_line(f"{name}: {message} in {owner(seen.owner)}{at}", 300)


def how(layer: Layer) -> str:
    """Say how a layer was taken away."""
    return one_line(f"{_HOW[layer.how]}{layer.what}", 200)


def brought(layer: Layer) -> str:
    """Say what that brought: "288 tests came back, 3 pass again"."""
    if not layer.ran:
        return "still no test runs"
    said = [f"{number(layer.back, 'test')} came back"]
    said += [f"{number(layer.mended, 'test')} no longer failed"] if layer.mended else []
    said += [f"{number(layer.lost, 'test')} lost"] if layer.lost else []
    said += ["the same cause is left elsewhere"] if layer.partly else []
    return ", ".join(said) + f" ({layer.failing:,} of {layer.ran:,} failing)"


def _count(seen: Seen) -> str:
    if seen.tests:
        return number(seen.tests, "test")
    return number(len(seen.modules), "module") if seen.modules else "the whole suite"


def text(run: Run, peels: tuple[Peel, ...]) -> str:
    """Return what `djhop peel` prints."""
    if not peels:
        return f"No cell of {one_line(run.name, 100)} is red: there is nothing to take away.\n"
    return page("\n".join(line for peel in peels for line in (*_lines(peel), "")))


def _lines(peel: Peel) -> Iterator[str]:
    yield f"{peel.id} ({peel.status}): {headline(peel)}"
    for count, layer in enumerate(peel.layers, 1):
        yield f"  {count}. {_count(layer.seen)}  {cause(layer.seen)}"
        if told := sentence(layer.seen.known):
            yield f"     {told}"
        yield from (f"     tried: {one_line(tried, 200)}" for tried in layer.seen.tried)
        if layer.after_leaving:
            yield "     it may come of what was left out before"
        yield f"     taken away: {how(layer)}"
        yield f"     {brought(layer)}"
    new = _new(peel)
    if out := [layer.what for layer in peel.layers if layer.how == "left-out"]:
        yield f"  without {one_line(listed(out), 300)}: what fails now may come of that"
    if peel.left:
        yield f"  left, {number(len(peel.still), 'test')}{_before(peel)}:"
    for seen in new[: FEW * 2]:
        yield f"    {_count(seen)}  {cause(seen)}"
        yield from (f"      tried: {one_line(tried, 200)}" for tried in seen.tried)
    if len(new) > FEW * 2:
        yield f"    … and {number(len(new) - FEW * 2, 'more cause')}"
    if old := len(peel.left) - len(new):
        yield f"    {number(old, 'cause')} of what fails in {peel.before} as well"
    yield f"  {peel.id} stays {peel.status}: what ran here is no pass, and no result of the cell"
