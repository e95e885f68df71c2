"""What is left on each hop, night by night, as a picture (SVG)."""

from __future__ import annotations

import msgspec

from djhop.history.since import Burn, Since
from djhop.matrix.plan import Plan
from djhop.reports.clean import one_line
from djhop.reports.signs import number
from djhop.reports.templating import templates

#: Where the two charts begin, how wide each is, and how high a row.
LEFT, WIDE, GAP, HIGH, TOP = 132, 220, 70, 46, 26
#: Room within a row, above and below its line.
PAD = 8


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a hop: what is left of one kind."""

    #: "breaks" or "deprecations".
    kind: str
    #: Points of each unbroken stretch, as SVG has them: "0,3 12,5".
    stretches: tuple[str, ...]
    x: float
    y: float
    #: What is left tonight; "?" where nobody knows.
    now: str
    #: The same in words.
    said: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A hop."""

    title: str
    y: float
    charts: tuple[Chart, ...]


def picture(since: Since, plan: Plan) -> str:
    """Return the picture of the hops on the path, for a page; "" where nothing was ever left."""
    names = {f"{hop.before.id}..{hop.after.id}": hop for hop in plan.hops if hop.on_path}
    burns = [burn for burn in since.burn if burn.hop in names]
    most = {kind: max((max(_known(b, kind)) for b in burns), default=0) for kind in KINDS}
    if not any(most.values()):
        return ""
    rows = []
    for place, burn in enumerate(burns):
        hop = names[burn.hop]
        ends = (hop.before.django, hop.after.django)
        if hop.axis == "python":
            ends = (hop.before.python, hop.after.python)
        y = TOP + place * HIGH
        charts = tuple(_chart(burn, kind, at, y, most[kind]) for at, kind in enumerate(KINDS))
        name = f"{'Python ' if hop.axis == 'python' else ''}{ends[0]} → {ends[1]}"
        rows.append(Row(title=one_line(name, 24), y=y, charts=charts))
    nights = since.burn_nights
    return (
        templates()
        .get_template("burn.svg")
        .render(
            rows=rows,
            width=LEFT + 2 * (WIDE + GAP),
            height=TOP + len(rows) * HIGH + 4,
            heads=[(LEFT + at * (WIDE + GAP), title) for at, title in enumerate(KINDS.values())],
            left=LEFT,
            high=HIGH,
            said=f"{number(len(nights), 'night')}, {_day(nights[0])} to {_day(nights[-1])}",
        )
    )


#: What is counted, and what it is called.
KINDS = {"breaks": "tests that break", "deprecations": "deprecated uses left"}


def _day(started: str) -> str:
    return one_line(started[:10], 10)


def _known(burn: Burn, kind: str) -> list[int]:
    values: tuple[int | None, ...] = getattr(burn, kind)
    return [value for value in values if value is not None] or [0]


def _chart(burn: Burn, kind: str, at: int, top: float, most: int) -> Chart:
    values: tuple[int | None, ...] = getattr(burn, kind)
    left, room = LEFT + at * (WIDE + GAP), HIGH - 2 * PAD
    step = WIDE / max(len(values) - 1, 1)
    stretches: list[list[str]] = [[]]
    y = top + HIGH - PAD
    for place, value in enumerate(values):
        if value is None:
            stretches.append([])
            continue
        y = top + HIGH - PAD - room * value / max(most, 1)
        stretches[-1].append(f"{left + place * step:.1f},{y:.1f}")
    last = values[-1]
    known = ["?" if value is None else f"{value:,}" for value in values]
    # A stretch of one night is drawn as a point: a line needs two.
    points = tuple(" ".join(one if len(one) > 1 else one * 2) for one in stretches if one)
    now = "?" if last is None else f"{last:,}"
    said = f"{KINDS[kind]}: {known[0]} at first, {now} now"
    return Chart(kind=kind, stretches=points, x=left + WIDE + 8, y=y + 4, now=now, said=said)
