"""A run → the answer: the gates, the verdict, and what stands between; the same in every format."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec

from djhop.matrix.ready import Ready
from djhop.readiness import ahead, measured, steps, suite
from djhop.readiness.verdict import Gate, Verdict, verdict
from djhop.readiness.way import Way, find, title
from djhop.readiness.work import order
from djhop.releases import Releases
from djhop.reports.clean import one_line
from djhop.reports.hops import CauseView, HopView
from djhop.reports.shown import Shown, shown
from djhop.reports.signs import listed, number, owner
from djhop.reports.summary import summarise
from djhop.store.record import Run

#: 1: the first.
FORMAT = 1
#: As many of a list as one page has room for.
LIMIT = 5
#: Longest line, in characters.
WIDE = 260


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between, of one kind."""

    title: str
    lists: tuple[Shown, ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    #: A series.
    goal: str
    day: datetime.date
    #: The gates.
    ready: Ready = Ready()


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "are we ready?"; every text is safe to print."""

    format: int = FORMAT
    #: Name of the run it was read from.
    run: str
    target: str
    #: Series it is on today ("" if that is not known), and that it is to be on.
    today: str = ""
    goal: str
    #: The day that is asked for, ISO 8601.
    by: str
    verdict: Verdict
    #: The answer in a sentence.
    said: str
    gates: tuple[Gate, ...]
    sections: tuple[Section, ...]


def judge(run: Run, releases: Releases, asked: Asked) -> Readiness:
    """Say whether what `run` has seen is ready for what is asked for.

    Raises:
        UsageError: the project is on a newer Django than that.
    """
    way = find(run, asked.goal)
    known = {view.id: view for view in summarise(run, releases, limit=LIMIT).path}
    views = tuple(known[hop.id] for hop in way.hops if hop.id in known)
    gates = _gates(run, way, views, releases, asked)
    decided = verdict(gates)
    target = one_line(run.target.name, 60) or "the target"
    return Readiness(
        run=one_line(run.name, 100),
        target=target,
        today=run.target.django,
        goal=asked.goal,
        by=asked.day.isoformat(),
        verdict=decided,
        said=_said(decided, gates, target, asked.goal),
        gates=gates,
        sections=tuple(one for one in _sections(run, way, views) if one.lists),
    )


def _gates(
    run: Run,
    way: Way,
    views: tuple[HopView, ...],
    releases: Releases,
    asked: Asked,
) -> tuple[Gate, ...]:
    ready = asked.ready
    return (
        suite.way_gate(way),
        suite.suite_gate(way, views, run),
        suite.packages_gate(way),
        suite.failing_gate(way, ready.failing),
        ahead.deprecations_gate(run, way, ready.deprecations),
        steps.checks_gate(way, ready.checks),
        steps.migrations_gate(way, ready.migrations),
        steps.deploy_gate(way, ready.deploy),
        measured.coverage_gate(way, run, ready),
        measured.performance_gate(way, run, ready),
        measured.queries_gate(way, ready.queries),
        measured.support_gate(way, releases, asked.day, ready.support),
    )


def _said(decided: Verdict, gates: tuple[Gate, ...], target: str, goal: str) -> str:
    """Say the verdict, and which gates make it."""
    names: dict[str, list[str]] = {
        state: [one.name for one in gates if one.state == state]
        for state in ("unmet", "unknown", "condition")
    }
    match decided:
        case "ready":
            return f"{target} is ready for Django {goal}."
        case "ready with conditions":
            return f"{target} is ready for Django {goal} on {_conditions(names['condition'])}."
        case "not ready":
            return f"{target} is not ready for Django {goal}: {listed(names['unmet'])}."
    return f"Whether {target} is ready for Django {goal} is not known: {listed(names['unknown'])}."


def _conditions(names: list[str]) -> str:
    return f"{number(len(names), 'condition')}: {listed(names)}"


def _sections(run: Run, way: Way, views: tuple[HopView, ...]) -> Iterator[Section]:
    yield Section(title="Who it is up to", lists=tuple(_owners(run, way)))
    yield Section(title="What breaks", lists=tuple(_breaks(views)))
    moves = (_under(view, view.moves) for view in views if view.moves)
    yield Section(title="Packages that move with a hop", lists=tuple(moves))
    uses = tuple(ahead.lines(run, way))
    told = shown(f"{number(len(uses), 'use')} of what is removed on the way", uses, LIMIT, WIDE)
    yield Section(title="Deprecations that the goal removes", lists=(told,) if uses else ())
    beside = [_under(view, one) for view in views for one in (*view.steps, *view.crossing)]
    yield Section(title="Checks and migrations", lists=tuple(beside))
    yield Section(title="The order of work", lists=tuple(order(run, way, views)))


def _under(view: HopView, one: Shown) -> Shown:
    items = one.items[:LIMIT]
    return msgspec.structs.replace(one, label=f"{view.title}: {one.label}", items=items)


def _owners(run: Run, way: Way) -> Iterator[Shown]:
    """Yield a line for each owner: causes, tests, and what it requires that is in the way."""
    causes = {cause.id: cause for cause in run.causes}
    counted: dict[str, dict[str, int]] = {}
    for hop in way.hops:
        for group in hop.groups if hop.verdict in ("breaks", "blocked") else ():
            if cause := causes.get(group.cause):
                mine = counted.setdefault(owner(cause.owner), {})
                mine[group.cause] = max(mine.get(group.cause, 0), group.tests)
    blocked = {
        f"{title(hop)}: {one_line(one.sentence, WIDE)}": one_line(one.package, 60)
        for hop in way.hops
        for one in hop.blockers
    }
    whose = [*sorted(counted, key=lambda name: -sum(counted[name].values())), *blocked.values()]
    for name in dict.fromkeys(whose):
        mine = counted.get(name, {})
        words = [number(len(mine), "cause")] if mine else []
        words += [f"{number(sum(mine.values()), 'test')} behind"] if sum(mine.values()) else []
        lines = tuple(text for text, package in blocked.items() if package == name)
        words += ["in the way"] if lines else []
        yield shown(f"{name}: {', '.join(words)}", lines, LIMIT, WIDE)


def _breaks(views: tuple[HopView, ...]) -> Iterator[Shown]:
    """Yield each hop that does not simply pass, with its causes and what repairs them."""
    for view in views:
        if view.verdict in ("breaks", "blocked", "unknown"):
            items = tuple(map(_cause, view.causes))
            label = f"{view.sign} {view.title} {view.verdict}: {view.sentence}"
            total = len(items) + view.more_causes
            yield Shown(label=one_line(label, WIDE), items=items, total=total)


def _cause(one: CauseView) -> str:
    told = one.fix or one.known
    return f"{one.count}: {one.headline} in {one.where}" + (f"; {told}" if told else "")
