"""Deprecated uses that the goal removes, and what of it can be done today."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from djhop.knowledge.explain import Known, of_warning
from djhop.matrix.ready import Weight
from djhop.readiness.verdict import Gate, Measure, gate
from djhop.readiness.way import Way
from djhop.releases import version_key
from djhop.reports.clean import one_line
from djhop.reports.signs import number, owner
from djhop.store.record import DeprecatedUse, Run, RunCell

OUTCOMES = {
    "broke": "broke",
    "did-not-break": "does not break its tests",
    "not-seen": "whether it breaks was not seen",
}


def uses(run: Run, way: Way) -> tuple[DeprecatedUse, ...]:
    """Return what the project and its packages use that a hop of the way removes."""
    hops = {hop.id for hop in way.hops}
    mine = [
        one
        for one in run.deprecations
        if one.hop in hops and one.owner.kind in ("project", "package")
    ]
    return tuple(sorted(mine, key=lambda one: (one.owner.kind != "project", -one.tests, one.place)))


def deprecations_gate(run: Run, way: Way, weight: Weight) -> Gate:
    """Whether the goal removes what is used, as far as a test does not show that it works."""
    found = uses(run, way)
    outcome = _outcomes(way)
    loose = [one for one in found if outcome.get(one.id, "not-seen") == "not-seen"]
    deaf = [cell.id for cell in way.cells[:-1] if not _heard(run, cell)]
    measures: list[Measure] = ["open"] * bool(loose)
    measures += ["unseen"] * (bool(deaf) or bool(way.hops and not way.cells))
    said = f"{number(len(found), 'use')} of what the goal removes" if found else "none was seen"
    if found:
        said += f", {len(loose):,} of which no test shows to work" if loose else ", each tested"
    if deaf:
        said += f"; not all warnings were seen in {', '.join(deaf)}"
    return gate("deprecations", weight, measures or ["fine"], said)


def _heard(run: Run, cell: RunCell) -> bool:
    """Whether every warning of a cell's suite was to be seen."""
    cut = cell.status in ("crashed", "timed-out")
    return bool(cell.ran) and cell.canary and not cut and run.target.suite != "command"


def _outcomes(way: Way) -> dict[str, str]:
    return {
        one.use: one.outcome
        for hop in way.hops
        for one in (hop.foretold.predictions if hop.foretold else ())
    }


def lines(run: Run, way: Way) -> Iterator[str]:
    """Say of each use that the goal removes where it is, and what came of it."""
    outcome = _outcomes(way)
    for one in uses(run, way):
        end = one.removed_in or f"Python {one.removed_in_python}"
        told = OUTCOMES[outcome.get(one.id, "not-seen")]
        message = one_line(one.message, 120)
        yield one_line(f"{owner(one.owner)}, {one.place}: gone in {end}; {told}: {message}", 260)


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be written otherwise before any hop."""

    known: Known
    #: Tests behind it on the way, and places.
    tests: int = 0
    places: tuple[str, ...] = ()


def today(run: Run, way: Way) -> tuple[Today, ...]:
    """Return what breaks or is deprecated on the way whose replacement today's cell has already.

    A release that begins to warn of something has what takes its place.
    """
    first = way.first
    if first is None:
        return ()
    found: dict[str, Today] = {}
    for known, tests, place in _removals(run, way):
        if not _is_there(known, first):
            continue
        one = found.get(known.id, Today(known=known))
        places = tuple(dict.fromkeys((*one.places, *filter(None, [place]))))
        # The tests of a use and of the break it causes are the same.
        found[known.id] = Today(known=known, tests=max(one.tests, tests), places=places)
    return tuple(sorted(found.values(), key=lambda one: (-one.tests, one.known.id)))


def _removals(run: Run, way: Way) -> Iterator[tuple[Known, int, str]]:
    causes = {cause.id: cause for cause in run.causes}
    for hop in way.hops:
        for group in hop.groups:
            cause = causes.get(group.cause)
            if cause and cause.known and cause.owner.kind == "project":
                yield cause.known, group.tests, group.place or cause.place
    for use in uses(run, way):
        known = of_warning(use.category, use.message)
        if known and use.owner.kind == "project":
            yield known, use.tests, use.place


def _is_there(known: Known, cell: RunCell) -> bool:
    here = {"django": cell.django, "python": cell.python, "package": ""}[known.axis]
    if not (known.replacement and known.since and here):
        return False
    return version_key(known.since) <= version_key(here)
