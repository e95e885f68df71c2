"""How long each cell took as a picture (SVG): a bar for each, parted by what was done."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from djhop.reports.clean import spelled
from djhop.reports.templating import templates
from djhop.results.steps import STEPS
from djhop.store.record import Run, RunCell

Kind: TypeAlias = Literal["making", "strict", "plain", "scoped", "upgrade"]
#: What each part is called.
KINDS: dict[Kind, str] = {
    "making": "lock, environment, workspace",
    "strict": "strict run",
    "plain": "plain run",
    "scoped": "scoped run",
    "upgrade": "upgrade steps",
}
#: Where bars begin, how long the longest is, the room for its seconds, and from bar to bar.
LEFT, LONGEST, RIGHT, DOWN = 150, 560, 90, 27
#: Width of a character of the legend.
CHARACTER = 6.6


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a bar."""

    kind: Kind
    x: float
    wide: float
    words: str


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A cell."""

    cell: str
    y: float
    parts: tuple[Part, ...]
    #: Where it ends, and what stands there.
    end: float
    total: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the picture's template draws."""

    title: str
    width: float
    height: float
    bars: tuple[Bar, ...]
    #: (kind, words, x) of each kind that there is.
    legend: tuple[tuple[Kind, str, float], ...]


def render(run: Run) -> str:
    """Return the picture by itself, with its own colours."""
    return _svg(run, alone=True)


def inline(run: Run) -> str:
    """Return the picture for a page that has the colours."""
    return _svg(run, alone=False)


def _svg(run: Run, *, alone: bool) -> str:
    return templates().get_template("durations.svg").render(drawing=draw(run), alone=alone)


def draw(run: Run) -> Drawing:
    """Say where everything stands; cells that did nothing have no bar."""
    cells = [cell for cell in run.cells if sum(cell.seconds.values())]
    most = max((sum(cell.seconds.values()) for cell in cells), default=1.0)
    bars = tuple(_bar(cell, at * DOWN, most) for at, cell in enumerate(cells))
    there = [kind for kind in KINDS if any(part.kind == kind for b in bars for part in b.parts)]
    legend, x = [], 0.0
    for kind in there:
        legend.append((kind, KINDS[kind], round(x, 1)))
        x += 18 + len(KINDS[kind]) * CHARACTER + 22
    return Drawing(
        title=f"{spelled(run.target.name)}: seconds of each cell",
        width=max(LEFT + LONGEST + RIGHT, round(x)),
        height=len(bars) * DOWN + 34,
        bars=bars,
        legend=tuple(legend),
    )


def _bar(cell: RunCell, y: float, most: float) -> Bar:
    parts: list[Part] = []
    x = float(LEFT)
    for kind, seconds in _kinds(cell).items():
        wide = round(LONGEST * seconds / most, 1)
        parts.append(Part(kind=kind, x=x, wide=wide, words=f"{KINDS[kind]} {seconds:.1f} s"))
        x = round(x + wide, 1)
    total = f"{sum(cell.seconds.values()):.1f} s"
    return Bar(cell=cell.id, y=y, parts=tuple(parts), end=x, total=total)


def _kinds(cell: RunCell) -> dict[Kind, float]:
    """Seconds by what was done; what took none is left out."""
    found: dict[Kind, float] = dict.fromkeys(KINDS, 0.0)
    for stage, seconds in cell.seconds.items():
        match stage:
            case "strict" | "plain" | "scoped":
                found[stage] += seconds
            case _:
                found["upgrade" if stage in STEPS else "making"] += seconds
    return {kind: seconds for kind, seconds in found.items() if seconds}
