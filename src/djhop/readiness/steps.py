"""The gates beside the suite: Django's own upgrade steps, the database that crosses, the deploy."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from djhop.compare.compare import HopResult
from djhop.matrix.ready import Weight
from djhop.readiness.verdict import Gate, GateName, Measure, gate
from djhop.readiness.way import Way, by_hop, title
from djhop.reports.clean import one_line
from djhop.reports.signs import number
from djhop.results.steps import BAD, Crossing, StepName

CHECKS: tuple[StepName, ...] = ("checks", "settings")
MIGRATIONS: tuple[StepName, ...] = ("migrations", "database")
#: An order of a deploy that nobody has to think about; see `steps.crossing.advice`.
ANY_ORDER = "in any order: both versions work on both schemas"
#: Kinds of findings that make Django's own command fail.
WRONG = ("error", "conflict", "broken")

#: What was measured, the title of the hop that it is about ("" for none), and what it is.
Seen = tuple[Measure, str, str]


def checks_gate(way: Way, weight: Weight) -> Gate:
    """System checks, with `--deploy`, and settings."""
    return _gate("checks", weight, [*_steps(way, CHECKS)], "nothing new", way)


def migrations_gate(way: Way, weight: Weight) -> Gate:
    """Missing migrations, `migrate` from nothing, and a database that is taken over each hop."""
    seen = [*_steps(way, MIGRATIONS)]
    seen += [one for hop in way.counted for one in _upgrade(hop)]
    return _gate("migrations", weight, seen, "nothing newly missing, and they apply", way)


def deploy_gate(way: Way, weight: Weight) -> Gate:
    """Whether the code of both sides works on the schema of both."""
    seen = [_order(hop) for hop in way.counted]
    return _gate("deploy", weight, seen, "old and new code can run side by side", way)


def _gate(name: GateName, weight: Weight, seen: list[Seen], fine: str, way: Way) -> Gate:
    measures: list[Measure] = [measure for measure, *_ in seen] or ["fine"]
    lines = by_hop(((hop, one_line(text, 240)) for _, hop, text in seen if text), way)
    said = fine if not lines else lines[0] if len(lines) == 1 else _counted(measures)
    return gate(name, weight, measures, said, more=lines if len(lines) > 1 else ())


def _counted(measures: list[Measure]) -> str:
    words = {"broken": "broken", "open": "to look at", "unseen": "not known"}
    counts = {word: measures.count(key) for key, word in words.items() if key in measures}
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _steps(way: Way, names: Collection[StepName]) -> Iterator[Seen]:
    """Yield what the hops do to these steps, and what the cells of the way do not tell of them."""
    for hop in way.counted:
        for text in hop.steps.broke:
            if _named(text) & set(names):
                yield "broken", title(hop), text
        for one in hop.steps.new:
            if one.step in names and one.level != "info":
                about = f" ({number(len(one.about), 'place')})" if len(one.about) > 1 else ""
                yield "open", title(hop), f"{one.id}{about}: {one.text}"
        for text in hop.steps.unknown:
            if text.partition(": ")[0] in names:
                yield "unseen", title(hop), text
    yield from _cells(way, names)


def _named(text: str) -> set[str]:
    """The steps that "checks, settings: why" is about."""
    return set(text.partition(": ")[0].split(", "))


def _cells(way: Way, names: Collection[StepName]) -> Iterator[Seen]:
    allowed = {hop.after for hop in way.hops if hop.allow_failure}
    cells = [cell for cell in way.cells if cell.id not in allowed]
    for name in names:
        absent = [cell.id for cell in cells if name not in cell.steps]
        if absent:
            every = len(absent) == len(cells)
            where = "done in no cell" if every else f"not done in {', '.join(absent)}"
            yield "unseen", "", f"{name}: {where}"
        for cell in cells:
            if name in cell.steps and cell.steps[name].status == "not-available":
                yield "unseen", "", f"{cell.id}: {name}: {cell.steps[name].reason}"
    last = way.last
    told = {name for hop in way.counted for text in hop.steps.broke for name in _named(text)}
    for name in (name for name in names if name not in told):
        # What is wrong on both sides is no hop's doing, and no reason to call it fine.
        step = last.steps.get(name) if last else None
        if last and step and step.status in BAD:
            yield "open", "", f"{last.id}: {name}: {step.reason}"
        elif last and step and (wrong := sum(step.counts.get(kind, 0) for kind in WRONG)):
            yield "open", "", f"{last.id}: {name}: {number(wrong, 'error')}"


def _upgrade(hop: HopResult) -> Iterator[Seen]:
    found = hop.crossing
    if found is None or found.reason:
        why = f": {found.reason}" if found else ""
        yield "unseen", title(hop), f"no database was taken over it{why}"
        return
    upgrade = found.steps.get("upgrade")
    if found.broke:
        why = upgrade.reason if upgrade else ""
        yield "broken", title(hop), f"the upgrade of a database: {why or 'errors'}"
    elif upgrade is None or upgrade.status == "not-available":
        why = upgrade.reason if upgrade else "not done"
        yield "unseen", title(hop), f"the upgrade of a database: {why}"
    else:
        for one in upgrade.counted:
            yield "open", title(hop), f"the upgrade: {one.about}: {one.text}"


def _order(hop: HopResult) -> Seen:
    found = hop.crossing
    if found is None or found.reason or _unfinished(found):
        return "unseen", title(hop), "in which order to deploy is not known"
    upgrade = found.steps["upgrade"]
    if not any(one.id == "upgrade.changed" for one in upgrade.findings):
        return "fine", "", ""
    if found.order == ANY_ORDER:
        return "fine", "", ""
    if found.order:
        return "open", title(hop), found.order
    return "unseen", title(hop), "in which order to deploy is not known"


def _unfinished(found: Crossing) -> bool:
    upgrade = found.steps.get("upgrade")
    return upgrade is None or upgrade.status not in ("ok", "found")
