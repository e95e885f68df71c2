"""Django's own upgrade steps in a cell, in short: what `run.json` holds of them; pure."""

from __future__ import annotations

import re

import msgspec

from djhop.compare.steps import FACTS
from djhop.results.steps import Finding, Step, StepName, StepStatus

#: Facts of a step that its short form keeps.
FACTS_KEPT = 20


class RunStep(msgspec.Struct, frozen=True, kw_only=True):
    """One of Django's own upgrade steps in a cell, in short."""

    status: StepStatus
    reason: str = ""
    #: Findings by kind: "error", "warning" and "deploy" of checks, else the first word of their id.
    counts: dict[str, int] = {}
    #: Findings for which Django's own command fails.
    errors: int = 0
    #: Migrations applied, and the seconds they took; else the seconds of the step.
    applied: int = 0
    seconds: float = 0.0
    #: What is worth knowing and nothing wrong, the first few.
    facts: tuple[str, ...] = ()


def step_of(name: StepName, step: Step) -> RunStep:
    """Shorten a step to its part of a cell's line."""
    kinds = [_kind(name, one) for one in step.counted]
    facts = [f"{one.about}: {one.text}" for one in step.findings if one.id in FACTS]
    return RunStep(
        status=step.status,
        reason=step.reason,
        counts={kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        errors=sum(one.level == "error" for one in step.counted),
        applied=sum(len(one.applied) for one in step.databases),
        seconds=sum(one.seconds for one in step.databases) or step.seconds,
        facts=tuple(facts[:FACTS_KEPT]),
    )


def _kind(name: StepName, one: Finding) -> str:
    if name == "checks":
        return "deploy" if one.deploy else one.level
    return re.split("[.-]", one.id)[0]
