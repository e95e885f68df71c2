"""Django's own upgrade steps → the test cases that tools read: a case for each that was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from djhop.compare.compare import HopResult
from djhop.results.results import CellResult
from djhop.results.steps import BAD, Crossing, Finding, Step
from djhop.store.record import RunCell
from djhop.store.run_steps import RunStep

#: The class of such a case; no module of Python can have this name.
GROUP = "django-steps"
#: Findings that the reason of a case spells out.
FINDINGS = 20
_FAILING = frozenset({"error", "conflict", "broken"})

State: TypeAlias = Literal["passed", "failed", "error", "skipped"]
#: Name, state, reason and seconds of a case.
Row: TypeAlias = tuple[str, State, str, float]


def of(cell: RunCell, result: CellResult | None, hops: Iterable[HopResult]) -> Iterator[Row]:
    """Yield the steps of a cell, then the upgrade of a database on each hop that leads to it.

    A step whose command of Django's fails has failed, whether or not a hop is to blame.
    """
    for name, step in cell.steps.items():
        whole = result.steps.get(name) if result else None
        yield f"{GROUP}.{name}", state(step), _reason(step, whole), step.seconds
    for hop in hops:
        if hop.after == cell.id and hop.crossing is not None:
            yield from _crossing(hop.crossing)


def state(step: RunStep) -> State:
    """What a step is to a tool."""
    if step.status == "not-available":
        return "skipped"
    # Runs of before `errors` was counted have it by kind.
    failed = step.errors or not _FAILING.isdisjoint(step.counts)
    return "error" if step.status in BAD else "failed" if failed else "passed"


def _crossing(crossing: Crossing) -> Iterator[Row]:
    name = f"{GROUP}.upgrade from {crossing.before}"
    upgrade = crossing.steps.get("upgrade")
    if upgrade is None or upgrade.status == "not-available":
        why = crossing.reason or (upgrade.reason if upgrade else "") or "it was not done"
        yield name, "skipped", why, 0.0
    elif upgrade.status in BAD:
        yield name, "error", f"{upgrade.status}: {upgrade.reason}", upgrade.seconds
    else:
        yield name, "failed" if crossing.broke else "passed", _errors(upgrade), upgrade.seconds


def _reason(step: RunStep, whole: Step | None) -> str:
    if step.status in BAD:
        return f"{step.status}: {step.reason}"
    if step.status == "not-available":
        return step.reason
    told = _errors(whole) if whole else ""
    return told or (f"{step.errors} errors" if step.errors else "")


def _errors(step: Step) -> str:
    found = [one for one in step.counted if one.level == "error"]
    more = [f"… and {len(found) - FINDINGS:,} more"] * (len(found) > FINDINGS)
    return "\n".join([*map(_said, found[:FINDINGS]), *more])


def _said(one: Finding) -> str:
    named = " ".join(filter(None, (one.id, one.about, one.place and f"[{one.place}]")))
    return f"{named}: {one.text}" if named else one.text
