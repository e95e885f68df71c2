"""Gates → one verdict: two tables, on one screen; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, assert_never

import msgspec

from djhop.errors import ExitCode
from djhop.matrix.ready import Weight

#: What was seen. fine: nothing is in the way. open: something a person may accept. broken:
#: something nobody can accept. unseen: it was not measured, or not so that it could be told.
Measure = Literal["fine", "open", "broken", "unseen"]
#: What comes of it.
State = Literal["met", "condition", "unmet", "unknown", "told"]
Verdict = Literal["ready", "ready with conditions", "not ready", "unknown"]

GateName = Literal[
    "way",
    "suite",
    "packages",
    "failing",
    "deprecations",
    "checks",
    "migrations",
    "deploy",
    "coverage",
    "performance",
    "queries",
    "support",
]


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is asked of a release."""

    name: GateName
    state: State
    #: What was seen, in a sentence.
    said: str
    #: What that rests on.
    more: tuple[str, ...] = ()
    #: What to type next.
    hint: str = ""


def gate(
    name: GateName,
    weight: Weight,
    measures: Iterable[Measure],
    said: str,
    *,
    more: tuple[str, ...] = (),
    hint: str = "",
) -> Gate:
    """Make a gate of all that was measured for it; the worst of it counts."""
    return Gate(name=name, state=state(weight, measures), said=said, more=more, hint=hint)


def state(weight: Weight, measures: Iterable[Measure]) -> State:
    """Decide a gate; without a measure it is unknown."""
    found = [_one(weight, one) for one in measures] or [_one(weight, "unseen")]
    return max(found, key=_BAD.index)


_BAD: tuple[State, ...] = ("told", "met", "condition", "unknown", "unmet")


def _one(weight: Weight, measure: Measure) -> State:
    if weight == "told":
        return "told"
    match measure:
        case "fine":
            return "met"
        case "open":
            return "unmet" if weight == "must" else "condition"
        case "broken":
            return "unmet"
        case "unseen":
            return "unknown"
    assert_never(measure)


def verdict(gates: Iterable[Gate]) -> Verdict:
    """Decide: what is surely in the way comes before what nobody knows."""
    states = {one.state for one in gates}
    if "unmet" in states:
        return "not ready"
    if "unknown" in states or states <= {"told"}:
        return "unknown"
    return "ready with conditions" if "condition" in states else "ready"


def exit_code(decided: Verdict) -> ExitCode:
    """What the command exits with: 0 for "ready" alone."""
    match decided:
        case "ready":
            return ExitCode.OK
        case "ready with conditions":
            return ExitCode.CONDITIONS
        case "not ready":
            return ExitCode.BREAKS
        case "unknown":
            return ExitCode.INCOMPLETE
    assert_never(decided)
