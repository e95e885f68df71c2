"""The gates about the suite: whether the way was run, what it breaks, what blocks, what is red."""

from __future__ import annotations

from collections.abc import Iterator

from djhop.compare.compare import HopResult
from djhop.matrix.ready import Weight
from djhop.readiness.verdict import Gate, Measure, gate
from djhop.readiness.way import UNSEEN, Way
from djhop.reports.clean import one_line
from djhop.reports.hops import HopView
from djhop.reports.signs import listed, number
from djhop.reports.summary import answer
from djhop.store.record import Run

BLOCKED = frozenset({"unresolvable", "uninstallable"})


def way_gate(way: Way) -> Gate:
    """Whether the run tells of the whole way from today's Django to the goal."""
    gaps = tuple(map(one_line, way.gaps))
    if gaps:
        said = gaps[0] if len(gaps) == 1 else f"{len(gaps)} parts of the way were not run"
        return gate("way", "must", ["unseen"], said, more=gaps if len(gaps) > 1 else ())
    hops = number(len(way.hops), "hop") if way.hops else "no hop: today's Django is the goal"
    return gate("way", "must", ["fine"], f"the run has all of it: {hops}")


def suite_gate(way: Way, views: tuple[HopView, ...], run: Run) -> Gate:
    """What the hops do to the suite; one into a cell that may fail is a condition."""
    measures = [_of_hop(hop) for hop in way.hops]
    if not way.hops:
        measures = ["fine" if way.last and way.last.ran else "unseen"]
    said = [answer(views) if views else "No hop."]
    allowed = [view.title for view in views if view.may_fail]
    said += [f"{listed(allowed)} may fail (allow-failure)."] if allowed else []
    if run.expired:
        measures.append("open")
        said.append(f"{number(len(run.expired), 'known flaky test')} expired.")
    doubtful = sum(len({*hop.flaky, *hop.order_dependent, *hop.known_flaky}) for hop in way.hops)
    said += [f"{number(doubtful, 'test')} flaky, not counted."] if doubtful else []
    return gate("suite", "condition", measures, " ".join(said))


def _of_hop(hop: HopResult) -> Measure:
    match hop.verdict:
        case "clean" | "deprecated":
            return "fine"
        case "breaks" | "blocked" | "unknown" if hop.allow_failure:
            return "open"
        case "breaks" | "blocked":
            return "broken"
        case _:
            return "unseen"


def packages_gate(way: Way) -> Gate:
    """Whether a set of packages allows every cell of the way."""
    allowed = {hop.after for hop in way.hops if hop.allow_failure}
    blocked = [
        cell
        for cell in way.cells
        if (cell.status in BLOCKED or cell.forced) and cell.id not in allowed
    ]
    moved = {move.package for hop in way.hops for move in hop.moves} - {"django"}
    unseen = [cell for cell in way.cells if cell.status in UNSEEN and cell.id not in allowed]
    measures: list[Measure] = ["broken" for _ in blocked]
    if blocked:
        said = f"{listed([cell.id for cell in blocked])} cannot be had with all that is required"
    elif unseen or not way.cells:
        measures = ["unseen"]
        was = "was" if len(unseen) < 2 else "were"
        said = f"{listed([cell.id for cell in unseen]) or 'the way'} {was} not seen"
    else:
        measures = ["fine"]
        verb = "moves" if len(moved) == 1 else "move"
        said = f"every cell can be had; {number(len(moved), 'package')} {verb} beside Django"
    return gate("packages", "must", measures, said, more=tuple(_blockers(way)))


def _blockers(way: Way) -> Iterator[str]:
    """Yield each package that stands in the way once, with what opens it."""
    said = {
        f"{blocker.package}: {blocker.sentence}": None
        for hop in way.counted
        for blocker in hop.blockers
    }
    yield from (one_line(text, 240) for text in said)


def failing_gate(way: Way, weight: Weight) -> Gate:
    """Tests that are red at the goal, and that no hop of the way has broken."""
    last = way.last
    if last is None or last.status in UNSEEN | BLOCKED:
        return gate("failing", weight, ["unseen"], "the goal's cell has no result")
    broken = any(hop.verdict == "breaks" for hop in way.hops)
    # Where hops break tests, those that are red at the goal are theirs, too.
    cell = way.first if broken else last
    if cell is None:
        return gate("failing", weight, ["unseen"], "today's cell has no result")
    said = [number(cell.failing, "test")] if cell.failing else []
    said += [number(len(cell.dead_modules), "module")] if cell.dead_modules else []
    if said:
        verb = "is" if cell.failing + len(cell.dead_modules) == 1 else "are"
        where = "red today already" if broken else "red at the goal, and no hop has broken that"
        return gate("failing", weight, ["open"], f"{listed(said)} {verb} {where}")
    if not broken and last.status not in ("passed", "deprecated"):
        text = f"{last.id} is {last.status}: {one_line(last.reason, 160)}"
        return gate("failing", weight, ["unseen"], text)
    return gate("failing", weight, ["fine"], "none that was red before")
