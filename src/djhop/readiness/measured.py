"""The gates about numbers: coverage, how long the suite takes, queries, days of support."""

from __future__ import annotations

import datetime

from djhop import paired
from djhop.compare.compare import HopResult
from djhop.matrix.ready import Ready, Weight
from djhop.readiness.verdict import Gate, Measure, gate
from djhop.readiness.way import Way, by_hop, title
from djhop.releases import Releases, Series
from djhop.reports.clean import one_line
from djhop.reports.signs import listed, number
from djhop.store.record import Run

#: As many tests as are named.
FEW = 5
MEASURE = "djhop ready --measure"


def coverage_gate(way: Way, run: Run, ready: Ready) -> Gate:
    """How much of the project the suite runs at the goal, and how that changes.

    A part of the suite can show that it is enough, and not that it is too little.
    """
    weight: Weight = "must" if ready.coverage else "told"
    last, first = way.last, way.first
    share = last.coverage if last else None
    if share is None:
        return gate("coverage", weight, ["unseen"], "not measured at the goal")
    said = f"{share:.1f} % at the goal"
    if first and first.id != (last.id if last else "") and first.coverage is not None:
        change = round(share, 1) - round(first.coverage, 1)
        said += f", {first.coverage:.1f} % today" + (f" ({change:+.1f})" if change else "")
    said += f"; asked: {ready.coverage:g} %" if ready.coverage else ""
    # As it is shown: 89.96 is "90.0 %".
    enough = round(share, 1) >= ready.coverage
    whole = run.whole and last is not None and last.status in ("passed", "deprecated", "failed")
    said += "" if enough or whole else "; not all of the suite has run"
    return gate("coverage", weight, ["fine" if enough else "broken" if whole else "unseen"], said)


def performance_gate(way: Way, run: Run, ready: Ready) -> Gate:
    """How much longer the suite takes after each hop than before it, by paired runs."""
    weight: Weight = "must" if ready.performance else "told"
    known = {one.hop: one for one in run.performance}
    found = [(hop, known.get(hop.id)) for hop in way.hops]
    table: dict[paired.Answer, Measure] = {
        "within": "fine",
        "slower": "broken",
        "noisy": "unseen",
        "unmeasured": "unseen",
    }
    answers = [paired.answer(one, ready.performance) for _, one in found]
    told = (
        (title(hop), one_line(paired.said(one, ready.performance)) + _once(way, hop, one))
        for hop, one in found
    )
    lines = by_hop(told, way)
    if not found:
        return gate("performance", weight, ["fine"], "no hop to compare")
    measures: list[Measure] = [table[one] for one in answers]
    hint = MEASURE if "unmeasured" in answers or "noisy" in answers else ""
    if len(lines) == 1:
        return gate("performance", weight, measures, lines[0], hint=hint)
    words = {"within": f"within {ready.performance:g} %", "slower": "slower", "noisy": "too noisy",
             "unmeasured": "not measured"}  # fmt: skip
    counted = [f"{answers.count(key)} {word}" for key, word in words.items() if key in answers]
    said = f"of {len(found)} hops {listed(counted)}"
    return gate("performance", weight, measures, said, more=lines, hint=hint)


def _once(way: Way, hop: HopResult, found: paired.Paired | None) -> str:
    """Say how long the suite took in the run itself, where no pairs tell: it decides nothing."""
    if found and found.ratio:
        return f"; {number(found.uneven, 'test')} on one side only" if found.uneven else ""
    cells = {cell.id: cell.seconds for cell in way.cells}
    before, after = cells.get(hop.before, {}), cells.get(hop.after, {})
    mode = next((m for m in ("plain", "strict") if m in before and m in after), "")
    if not mode:
        return ""
    return f" (once, in the run itself: {before[mode]:.1f} s, then {after[mode]:.1f} s)"


def queries_gate(way: Way, weight: Weight) -> Gate:
    """Which tests ask the database more often after a hop than before it."""
    if not way.hops:
        return gate("queries", weight, ["fine"], "no hop to compare")
    measures: list[Measure] = []
    lines: list[tuple[str, str]] = []
    for hop in way.hops:
        found = hop.queries
        if found is None or not found.tests:
            measures.append("unseen")
            lines.append((title(hop), "not counted"))
            continue
        measures.append("open" if found.more else "fine")
        total = f"{found.before:,} → {found.after:,} in the tests that pass on both sides"
        said = f"{found.more:,} of {number(found.tests, 'test')} ask more often ({total})"
        lines.append((title(hop), said if found.more else f"none grew ({total})"))
        lines += [
            (title(hop), one_line(f"{one.before} → {one.after} {one.connection}: {one.test}"))
            for one in found.grew[:FEW]
        ]
    if set(measures) == {"fine"}:
        return gate("queries", weight, measures, "no test asks the database more often")
    first, *more = by_hop(lines, way)
    if more:
        first = f"more on {measures.count('open')} of {number(len(way.hops), 'hop')}"
        more = [*by_hop(lines, way)]
    return gate("queries", weight, measures, first, more=tuple(more))


def support_gate(way: Way, releases: Releases, day: datetime.date, weight: Weight) -> Gate:
    """How long the series of today and of the goal get security fixes."""
    goal = releases.get(way.goal)
    first = way.first
    lines = [_support(goal, day)]
    if first and first.django != goal.version and releases.known(first.django):
        lines.insert(0, _support(releases.get(first.django), day))
    measure: Measure = "fine" if goal.security_end else "unseen"
    if goal.security_ended(day):
        measure = "open"
    return gate("support", weight, [measure], "; ".join(lines))


def _support(series: Series, day: datetime.date) -> str:
    name, end = f"Django {series.version}", series.security_end
    if not end:
        return f"{name}: until when it gets security fixes is not known"
    if series.security_ended(day):
        return f"{name} has had no security fixes since {end}"
    days = ""
    if len(end) == len("2026-01-01"):
        left = (datetime.date.fromisoformat(end) - day).days
        days = f", {number(left, 'day')} after {day}"
    return f"{name} gets security fixes until {end}{days}"
