"""Two runs → what changed from one to the other, cell by cell; pure.

The same cell of both is judged as a hop is, test by test: what broke, what was fixed, what fails
for another reason now.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

import msgspec

from djhop.compare.compare import HopResult, judge
from djhop.compare.flaky import Evidence
from djhop.compare.groups import Group
from djhop.compare.verdicts import Verdict
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Cell, Hop
from djhop.reports import issues
from djhop.reports.hops import CauseView, views
from djhop.reports.rerun_tests import doubts
from djhop.results.results import CellResult, Status
from djhop.store.record import Run


class CellChange(msgspec.Struct, frozen=True, kw_only=True):
    """One cell that both runs have."""

    id: str
    before: Status
    after: Status
    #: As of a hop: "clean" where nothing that passed in the first run fails in the second.
    verdict: Verdict
    #: Why, in a sentence.
    reason: str = ""
    broke: tuple[str, ...] = ()
    broke_differently: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    newly_skipped: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    appeared: tuple[str, ...] = ()
    new_failures: tuple[str, ...] = ()
    newly_deprecated: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    #: Newly fail, and a hop of one of the runs does not count them: flaky, or order-dependent.
    doubted: tuple[str, ...] = ()
    still_failing: int = 0
    #: Causes of what broke.
    groups: tuple[Group, ...] = ()


class HopChange(msgspec.Struct, frozen=True, kw_only=True):
    """A hop of both runs whose verdict changed."""

    id: str
    before: Verdict
    after: Verdict


class Versus(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from one run to another."""

    #: Names of the runs.
    before: str
    after: str
    #: Whether the target's files, the suite's arguments and djhop were the same.
    same_inputs: bool = False
    cells: tuple[CellChange, ...] = ()
    #: Cells that only one of them has.
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    hops: tuple[HopChange, ...] = ()
    #: Ids of the causes that break a hop in one of them alone.
    new_causes: tuple[str, ...] = ()
    gone_causes: tuple[str, ...] = ()
    #: Deprecated uses that one of them alone has, in a line each.
    new_deprecations: tuple[str, ...] = ()
    gone_deprecations: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[CellChange, ...]:
        """The cells in which anything changed."""
        return tuple(cell for cell in self.cells if listed(cell) or cell.before != cell.after)


#: What a cell's lists are called, the worst first.
LISTS: dict[str, str] = {
    "broke": "broke",
    "broke_differently": "fail for another reason",
    "vanished": "vanished",
    "newly_skipped": "newly skipped",
    "new_failures": "are new and fail",
    "newly_deprecated": "newly deprecated",
    "flaky": "flaky, not counted",
    "doubted": "flaky or order-dependent when run again, not counted",
    "fixed": "fixed",
    "appeared": "new",
}


def listed(cell: CellChange) -> dict[str, tuple[str, ...]]:
    """Return what changed in a cell: what it is called → ids of tests; no empty list."""
    found = {label: getattr(cell, name) for name, label in LISTS.items()}
    return {label: ids for label, ids in found.items() if ids}


def compare(
    before: Run,
    after: Run,
    old: Mapping[str, CellResult],
    new: Mapping[str, CellResult],
) -> Versus:
    """Compare two runs; `old` and `new` give each cell's result when it is asked for."""
    was, now = ({cell.id: cell for cell in run.cells} for run in (before, after))
    both = [name for name in now if name in was]
    verdicts = {hop.id: hop.verdict for hop in before.hops}
    uses_before, uses_after = _uses(before), _uses(after)
    breaking = [{c.id: None for c in run.causes if c.hops} for run in (before, after)]
    return Versus(
        before=before.name,
        after=after.name,
        same_inputs=bool(before.inputs) and before.inputs == after.inputs,
        cells=tuple(
            _cell(name, old, new, after.reproduce, _evidence(name, before, after)) for name in both
        ),
        only_before=tuple(name for name in was if name not in now),
        only_after=tuple(name for name in now if name not in was),
        hops=tuple(
            HopChange(id=hop.id, before=verdicts[hop.id], after=hop.verdict)
            for hop in after.hops
            if verdicts.get(hop.id, hop.verdict) != hop.verdict
        ),
        new_causes=tuple(name for name in breaking[1] if name not in breaking[0]),
        gone_causes=tuple(name for name in breaking[0] if name not in breaking[1]),
        new_deprecations=tuple(t for key, t in uses_after.items() if key not in uses_before),
        gone_deprecations=tuple(t for key, t in uses_before.items() if key not in uses_after),
    )


def causes(change: CellChange, after: Run) -> tuple[CauseView, ...]:
    """Show the causes of what broke in a cell."""
    return views(change.groups, {cause.id: cause for cause in after.causes})


def _cell(
    name: str,
    old: Mapping[str, CellResult],
    new: Mapping[str, CellResult],
    reproduce: Callable[[str, str], str],
    evidence: Evidence,
) -> CellChange:
    python, _, django = name.removeprefix("py").partition("-django")
    cell = Cell(django=django, python=python)
    missing = CellResult(id=name, django=django, python=python, status="not-run")
    before, after = old.get(name, missing), new.get(name, missing)
    hop = Hop(before=cell, after=cell, axis="django")
    found: HopResult = judge(before, after, hop, reproduce=reproduce, evidence=evidence)
    fields = (*(name for name in LISTS if name != "doubted"), "groups", "still_failing")
    same = {field: getattr(found, field) for field in fields}
    same["doubted"] = found.known_flaky
    fixed = set(found.fixed)
    same["appeared"] = tuple(t for t in found.appeared if t not in fixed.union(found.new_failures))
    return CellChange(
        id=name,
        before=before.status,
        after=after.status,
        verdict=found.verdict,
        reason=found.reason,
        **same,
    )


def _evidence(cell: str, *runs: Run) -> Evidence:
    """What the hops of either run found to be no break of a cell when it was run again."""
    unsure = dict.fromkeys(test for run in runs for test in doubts(run).get(cell, {}))
    last = datetime.date.max
    return Evidence(
        known=tuple(KnownFlaky(id=test, reason="run again", expires=last) for test in unsure)
    )


def _uses(run: Run) -> dict[str, str]:
    found = (issue for issue in issues.of(run) if issue.kind == "deprecation")
    return {issue.fingerprint: issue.text for issue in found}
