"""What fails in Django's own upgrade steps → issues: what a hop breaks, and what no hop does; pure.

Only what Django's own command fails for is an issue; the reports have the rest.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from djhop.compare.compare import HopResult
from djhop.compare.fingerprints import template
from djhop.compare.steps import StepChange
from djhop.reports.crossing import repeats
from djhop.reports.step_cases import state
from djhop.results.steps import BAD, StepName
from djhop.store.record import Run, RunCell

Name: TypeAlias = StepName | Literal["upgrade"]


class StepIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing for which a step fails, in every cell and on every hop that has it."""

    step: Name
    #: "models.E304"; "" where the step ended in an exception.
    id: str = ""
    #: What is wrong, and what to do about it.
    text: str
    hint: str = ""
    #: "file:line" or a file in the target's tree; "" where it has none.
    place: str = ""
    #: Ids of the hops that bring it; none where it is there from the beginning.
    hops: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    #: What to type to see it.
    reproduce: str = ""

    @property
    def key(self) -> str:
        """The same in every run and on every machine."""
        said = "\0".join((self.step, self.id, template(self.text)))
        return hashlib.sha256(said.encode(errors="replace")).hexdigest()[:20]


def of(run: Run) -> tuple[StepIssue, ...]:
    """Return what fails in the steps of a run, what hops break first."""
    cells = {cell.id: cell for cell in run.cells}
    found: dict[tuple[str, bool], StepIssue] = {}
    broken = (one for hop in run.hops for one in _of_hop(run, hop, cells))
    for one in (*broken, *_standing(run, cells)):
        known = found.get((one.key, bool(one.hops)))
        if known is not None:
            one = msgspec.structs.replace(  # noqa: PLW2901 - the same, in one cell more
                known, hops=(*known.hops, *one.hops), cells=(*known.cells, *one.cells)
            )
        found[one.key, bool(one.hops)] = one
    return tuple(found.values())


def _of_hop(run: Run, hop: HopResult, cells: dict[str, RunCell]) -> Iterator[StepIssue]:
    after = cells.get(hop.after)
    for change in hop.steps.new:
        if change.level == "error":
            yield _issue(run, change.step, hop.after, _said(change), hop=hop.id, change=change)
    for line in hop.steps.broke:
        names, _, reason = line.partition(": ")
        for name, step in after.steps.items() if after else ():
            if name in names.split(", ") and step.status in BAD:
                yield _issue(run, name, hop.after, reason, hop=hop.id)
    crossing = hop.crossing
    if crossing is None or not crossing.broke or repeats(crossing, hop.steps.broke):
        return
    upgrade = crossing.steps["upgrade"]
    if upgrade.status in BAD:
        yield _issue(run, "upgrade", hop.after, upgrade.reason, hop=hop.id)
    for one in upgrade.findings:
        if one.level == "error":
            said = f"{one.about}: {one.text}" if one.about else one.text
            yield _issue(run, "upgrade", hop.after, said, hop=hop.id)


def _standing(run: Run, cells: dict[str, RunCell]) -> Iterator[StepIssue]:
    """What fails where no hop leads to it, or where the cell before could not tell."""
    told = {(hop.after, name) for hop in run.hops for name in _told(hop, cells)}
    for cell in run.cells:
        for name, step in cell.steps.items():
            if state(step) in ("failed", "error") and (cell.id, name) not in told:
                kinds = ", ".join(f"{many} {kind}" for kind, many in step.counts.items())
                yield _issue(run, name, cell.id, step.reason or f"fails: {kinds}")


def _told(hop: HopResult, cells: dict[str, RunCell]) -> Iterator[StepName]:
    """The steps that fail before the hop already, or that the hop breaks."""
    before = cells[hop.before].steps if hop.before in cells else {}
    yield from (name for name, step in before.items() if state(step) in ("failed", "error"))
    yield from (change.step for change in hop.steps.new if change.level == "error")
    for line in hop.steps.broke:
        yield from (name for name in before if name in line.partition(": ")[0].split(", "))


def _said(change: StepChange) -> str:
    about = ", ".join(change.about[:3]) + (" …" if len(change.about) > 3 else "")
    return ": ".join(filter(None, (about, change.text)))


def _issue(
    run: Run, step: Name, cell: str, text: str, *, hop: str = "", change: StepChange | None = None
) -> StepIssue:
    words = run.command or ("djhop", "run", run.target.root)
    only = () if step == "upgrade" else ("--only", step)
    return StepIssue(
        step=step,
        id=change.id if change else "",
        text=text,
        hint=change.hint if change else "",
        place=change.place if change else "",
        hops=(hop,) if hop else (),
        cells=(cell,),
        reproduce=shlex.join([*words, "--cells", cell, *only]),
    )
