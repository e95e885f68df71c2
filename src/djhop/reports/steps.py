"""Django's own upgrade steps → the lines of every report: one for each cell, a few for each hop."""

from __future__ import annotations

import msgspec

from djhop.compare.steps import StepChange, StepChanges
from djhop.reports.clean import one_line
from djhop.reports.shown import Shown, shown
from djhop.reports.signs import listed, number
from djhop.results.steps import STEPS, StepName
from djhop.store.record import Run, RunCell
from djhop.store.run_steps import RunStep

#: Longest line, in characters.
WIDE = 300
#: kind of finding → (one, many).
WORDS = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "deploy": ("with --deploy", "with --deploy"),
    "pending": ("change without a migration", "changes without a migration"),
    "conflict": ("conflict", "conflicts"),
    "broken": ("broken", "broken"),
    "migrate": ("problem", "problems"),
    "removed": ("removed", "removed"),
    "deprecated": ("deprecated", "deprecated"),
    "unknown": ("without a meaning", "without a meaning"),
}
FINE = {
    "checks": "no message",
    "migrations": "up to date",
    "database": "nothing to apply",
    "settings": "all known",
}


class CellSteps(msgspec.Struct, frozen=True, kw_only=True):
    """One cell's line."""

    cell: str
    #: "checks: 2 warnings; migrations: up to date".
    line: str
    bad: bool = False


class StepsView(msgspec.Struct, frozen=True, kw_only=True):
    """The section of a report that is about the steps."""

    cells: tuple[CellSteps, ...] = ()
    #: What is worth knowing of the newest cell, and nothing wrong.
    facts: Shown


def view(run: Run, limit: int) -> StepsView:
    """Show the steps of every cell that has any."""
    cells = [cell for cell in run.cells if cell.steps]
    known = [fact for step in cells[-1].steps.values() for fact in step.facts] if cells else []
    return StepsView(
        cells=tuple(map(_cell, cells)), facts=shown("worth knowing", tuple(known), limit)
    )


def _cell(cell: RunCell) -> CellSteps:
    told: dict[str, list[str]] = {}
    for name in STEPS:
        if name in cell.steps:
            told.setdefault(_said(name, cell.steps[name]), []).append(name)
    said = [f"{', '.join(names)}: {text}" for text, names in told.items()]
    bad = any(step.status in ("failed", "timed-out") for step in cell.steps.values())
    return CellSteps(cell=cell.id, line="; ".join(said), bad=bad)


def _said(name: StepName, step: RunStep) -> str:
    if step.status in ("failed", "timed-out", "not-available"):
        return f"{step.status.replace('-', ' ')} ({one_line(step.reason, 160)})"
    counted = [
        f"{count:,} {WORDS.get(kind, (kind, kind))[count != 1]}"
        for kind, count in step.counts.items()
    ]
    if step.applied:
        counted.insert(0, f"{number(step.applied, 'migration')} in {step.seconds:.1f} s")
    return listed(counted) or FINE[name]


def of_hop(changes: StepChanges, limit: int) -> tuple[Shown, ...]:
    """Show what a hop does to the steps, what it breaks first."""
    order = ("error", "warning", "info")
    new = sorted(changes.new, key=lambda one: (order.index(one.level), one.deploy))
    lists = (
        shown("broke in Django's own steps", changes.broke, limit, WIDE),
        shown("new in Django's own steps", _lines(new), limit, WIDE),
        shown("gone from Django's own steps", _lines(changes.gone), min(limit, 3), WIDE),
        shown("mended in Django's own steps", changes.mended, limit),
        shown("of Django's own steps done on one side only", changes.unknown, limit, WIDE),
    )
    return tuple(one for one in lists if one.total)


def _lines(found: tuple[StepChange, ...] | list[StepChange]) -> tuple[str, ...]:
    return tuple(map(_line, found))


def _line(one: StepChange) -> str:
    """Say one change: "checks: models.W042 (3: a.A, a.B …): Auto-created primary key …"."""
    named = listed(list(one.about[:2])) if len(one.about) < 3 else f"{', '.join(one.about[:2])} …"
    about = f" ({number(len(one.about), 'place')}: {named})" if len(one.about) > 1 else ""
    single = f" {one.about[0]}" if len(one.about) == 1 else ""
    deploy = " --deploy" if one.deploy else ""
    place = f" [{one.place}]" if one.place else ""
    return one_line(f"{one.step}{deploy}: {one.id}{single}{about}{place}: {one.text}", WIDE)
