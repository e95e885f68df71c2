"""A run held against the list of what is known: what is new, what is fixed, what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from djhop.baseline import beside, lines, suites
from djhop.baseline.lines import Line, Listed
from djhop.baseline.suites import Outcomes, Sides
from djhop.compare.compare import HopResult, result_of
from djhop.results.results import CellResult
from djhop.store.record import Run


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of a list; each in the order of the file."""

    new: tuple[Line, ...] = ()
    #: Listed, and known not to be so any more.
    fixed: tuple[Line, ...] = ()
    #: Listed, and so.
    known: tuple[Line, ...] = ()
    #: Listed, and why the run does not tell.
    unchecked: dict[Line, str] = {}
    #: Hops of the run whose suite is not judged, and why.
    unjudged: dict[str, str] = {}
    #: Whether all that the run was to tell is told.
    complete: bool = False


def check(listed: frozenset[Line], run: Run, cells: Mapping[str, CellResult]) -> Checked:
    """Hold `listed` against a run; `cells` gives each result when it is asked for."""
    there: set[Line] = set()
    unchecked = dict.fromkeys(listed, "the run does not have this hop")
    unjudged: dict[str, str] = {}
    fixed: set[Line] = set()
    unsure = not run.hops
    planned = {hop.id: hop for hop in run.plan.hops}
    for hop in run.hops:
        plan = planned[hop.id]
        sides = Sides(
            hop=hop,
            before=result_of(cells, plan.before),
            after=result_of(cells, plan.after),
            whole=run.whole,
        )
        mine = frozenset(line for line in listed if line.hop == hop.id)
        if why := _unjudged(hop):
            unjudged[hop.id] = why
        seen = _seen(run, sides)
        there |= seen
        found = dict(_open(mine - seen, seen, sides))
        for line in mine:
            del unchecked[line]
        unchecked |= {line: why for line, why in found.items() if why}
        fixed |= {line for line, why in found.items() if not why}
        doubt = any(found.values()) and hop.verdict != "blocked"
        unsure |= (doubt or hop.verdict == "unknown") and not hop.allow_failure
    return Checked(
        new=_ordered(there - listed),
        fixed=_ordered(fixed),
        known=_ordered(there & listed),
        unchecked={line: unchecked[line] for line in _ordered(unchecked)},
        unjudged=unjudged,
        complete=not unsure and len(unjudged) < len(run.hops),
    )


def record(listed: Listed, checked: Checked) -> Listed:
    """Return the list with what is new, without what is fixed; what nobody knows stays."""
    return lines.with_new(prune(listed, checked), checked.new)


def prune(listed: Listed, checked: Checked) -> Listed:
    """Return the list without what is fixed."""
    return lines.without(listed, frozenset(checked.fixed))


def _unjudged(hop: HopResult) -> str:
    if hop.allow_failure:
        return "it may fail (allow-failure)"
    return hop.reason or hop.verdict if hop.verdict in ("unknown", "blocked") else ""


def _seen(run: Run, sides: Sides) -> frozenset[Line]:
    hop = sides.hop
    if hop.allow_failure:
        return frozenset()
    if _unjudged(hop):
        return beside.steps(hop)
    return suites.lines(sides) | beside.steps(hop) | beside.uses(run, hop)


def _open(
    absent: frozenset[Line], seen: frozenset[Line], sides: Sides
) -> Iterator[tuple[Line, str]]:
    """Yield the lines that a run does not bear out, and why it may not tell; "": they are fixed."""
    hop = sides.hop
    swapped = {(line.kind, line.about) for line in seen if line.kind != "deprecated"}
    outcomes = Outcomes(sides) if absent else None
    for line in absent:
        if hop.allow_failure or (line.kind != "step" and _unjudged(hop)):
            yield line, _unjudged(hop)
        elif (line.kind, line.about) in swapped:
            yield line, ""
        elif line.kind == "step":
            yield line, beside.step_unchecked(line, hop, sides.before, sides.after)
        elif line.kind == "deprecated":
            yield line, beside.uses_unchecked(sides)
        elif outcomes is not None:
            yield line, outcomes.unchecked(line.about)


def _ordered(found: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted(found, key=lambda line: line.key))
