"""The matrix as a picture (SVG) with the path through it, and the answer as a badge."""

from __future__ import annotations

import msgspec

from djhop import releases
from djhop.compare.verdicts import Verdict
from djhop.reports.hops import HopView
from djhop.reports.signs import SIGNS, Tone, number, tone_of_verdict
from djhop.reports.summary import Square, Summary, summarise
from djhop.reports.templating import templates
from djhop.store.record import Run

#: Room for labels at the left and above, and what is left free at the right and below.
LEFT, TOP, EDGE = 98, 34, 8
#: With so many columns or more, cells are smaller and stand closer.
MANY = 7
#: Width of a character of a badge, and the room around its texts.
CHARACTER, PAD = 6.6, 12
#: How the count of a cell ends whose packages were forced together.
FORCED = ", forced"


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large a cell is, and the gaps between columns and rows."""

    wide: int = 120
    high: int = 62
    across: int = 34
    down: int = 30


USUAL, SMALL = Size(), Size(wide=88, high=50, across=24, down=24)


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A cell, and where its left upper corner is."""

    x: float
    y: float
    square: Square

    @property
    def forced(self) -> bool:
        """Whether its packages were forced together."""
        return self.square.count.endswith(FORCED)

    @property
    def count(self) -> str:
        """Its tests, without a word on how its packages came about."""
        return self.square.count.removesuffix(FORCED)

    @property
    def first(self) -> str:
        """What a small cell says first: how many fail, or ran."""
        return self.count.partition(" of ")[0]

    @property
    def second(self) -> str:
        """What it says then: of how many, or its status."""
        rest = self.count.partition(" of ")[2]
        return f"of {rest}" if rest else self.square.status


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A hop: from the edge of one cell to that of another, its sign in the middle."""

    id: str
    title: str
    verdict: str
    sign: str
    tone: Tone
    on_path: bool
    x1: float
    y1: float
    x2: float
    y2: float

    #: Where its sign stands: in the gap before the cell it leads to.
    x: float
    y: float


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the picture's template draws."""

    width: float
    height: float
    size: Size
    title: str
    answer: str
    #: (label, x) of each column, and (label, y) of each row.
    columns: tuple[tuple[str, float], ...]
    rows: tuple[tuple[str, float], ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def render(run: Run) -> str:
    """Return the matrix of `run` as a picture of its own."""
    return matrix(summarise(run, releases.load()), alone=True)


def matrix(summary: Summary, *, alone: bool = False) -> str:
    """Draw the matrix: series across, Pythons down; `alone`: with its own colours."""
    return templates().get_template("matrix.svg").render(drawing=draw(summary), alone=alone)


def many(summary: Summary) -> bool:
    """Whether the matrix is so wide that it needs the page's whole width."""
    return len(summary.series) >= MANY


def draw(summary: Summary) -> Drawing:
    """Say where everything of the picture stands."""
    size = SMALL if many(summary) else USUAL
    x = {one: LEFT + at * (size.wide + size.across) for at, one in enumerate(summary.series)}
    y = {one: TOP + at * (size.high + size.down) for at, one in enumerate(summary.pythons)}
    boxes = {
        square.id: Box(x=x[series], y=y[python], square=square)
        for (python, series), square in summary.grid.items()
    }
    hops = [
        _line(hop, boxes[hop.before], boxes[hop.after], size)
        for hop in (*summary.beside, *summary.path)
        if hop.before in boxes and hop.after in boxes
    ]
    return Drawing(
        width=max((*x.values(), 200)) + size.wide + EDGE,
        height=max((*y.values(), TOP)) + size.high + EDGE,
        size=size,
        title=summary.title,
        answer=summary.answer,
        columns=tuple((series, at + size.wide / 2) for series, at in x.items()),
        rows=tuple((f"Python {python}", at + size.high / 2) for python, at in y.items()),
        boxes=tuple(boxes.values()),
        lines=tuple(hops),
    )


def _line(hop: HopView, before: Box, after: Box, size: Size) -> Line:
    """Draw a hop from cell to cell: to the right for Django, up or down for Python."""
    x1, y1, x2, y2 = before.x, before.y, after.x, after.y
    if before.y == after.y:
        x1, y1, y2 = x1 + size.wide, y1 + size.high / 2, y2 + size.high / 2
        x, y = x2 - size.across / 2, y2
    else:
        down = after.y > before.y
        x1, x2 = x1 + size.wide / 2, x2 + size.wide / 2
        y1, y2 = (y1 + size.high, y2) if down else (y1, y2 + size.high)
        x, y = x2, y2 + (-size.down if down else size.down) / 2
    return Line(
        id=hop.id,
        title=hop.title,
        verdict=hop.verdict,
        sign=hop.sign,
        tone=hop.tone,
        on_path=hop.on_path,
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        x=x,
        y=y,
    )


def badge(run: Run) -> str:
    """Return a badge, as one puts into a README: "Django 3.2 → 5.2 | 1 hop breaks"."""
    summary = summarise(run, releases.load())
    left, right = badge_words(summary)
    widths = [round(len(text) * CHARACTER + PAD, 1) for text in (left, right)]
    return (
        templates()
        .get_template("badge.svg")
        .render(
            left=left, right=right, left_width=widths[0], right_width=widths[1], tone=summary.tone
        )
    )


def badge_words(summary: Summary) -> tuple[str, str]:
    """Say it in a few words: what was asked, and the worst of the answer."""
    asked = summary.title.rpartition(": ")[2]
    table: tuple[tuple[Verdict, tuple[str, str]], ...] = (
        ("breaks", ("hop breaks", "hops break")),
        ("blocked", ("hop blocked", "hops blocked")),
        ("unknown", ("hop unknown", "hops unknown")),
        ("deprecated", ("hop warns", "hops warn")),
    )
    for verdict, words in table:
        found = sum(hop.verdict == verdict for hop in summary.path)
        if found:
            return asked, f"{SIGNS[tone_of_verdict(verdict)]} {number(found, *words)}"
        if verdict == "breaks" and any(hop.steps_broke for hop in summary.path):
            return asked, f"{SIGNS['bad']} upgrade steps break"
    if not summary.path:
        return asked, f"{SIGNS['unknown']} no hop judged"
    return asked, f"{SIGNS['good']} every hop clean"
