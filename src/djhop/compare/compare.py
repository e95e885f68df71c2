"""Two cells → the verdict of a hop; the whole matrix → Comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from djhop.compare import queries
from djhop.compare.causes import Cause, Gathering, Sighting, sightings_of
from djhop.compare.changes import kind, plainly, suite
from djhop.compare.findings import Findings, find
from djhop.compare.flaky import NOTHING, Evidence, sift
from djhop.compare.foretold import Foretold, Uses, check, remember
from djhop.compare.groups import Group, Reproduce, broken, deprecated, grouped, standing
from djhop.compare.reasons import reason
from djhop.compare.steps import StepChanges
from djhop.compare.steps import changes as step_changes
from djhop.compare.verdicts import Verdict, life, verdict
from djhop.errors import ExitCode, worst
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Axis, Cell, Hop, Plan
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import Move, moves
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult, Status
from djhop.results.steps import Crossing


class HopResult(Findings, frozen=True, kw_only=True):
    """What one hop does to the suite; test ids are those of the cell before."""

    #: Ids of the cells.
    before: str
    after: str
    axis: Axis
    verdict: Verdict
    on_path: bool = True
    #: Why, in a sentence: what a person needs to know first.
    reason: str = ""
    #: The cell after may fail: the verdict stands, the exit code ignores it.
    allow_failure: bool = False
    #: Ids of the causes of what breaks, the one with most tests behind it first.
    causes: tuple[str, ...] = ()
    #: The same, with what is behind each on this hop.
    groups: tuple[Group, ...] = ()
    #: The causes of what is newly deprecated.
    deprecation_groups: tuple[Group, ...] = ()
    #: What warnings before it said of it; None beside the path, and where nothing was run after it.
    foretold: Foretold | None = None
    #: What it does to Django's own upgrade steps; the verdict is about the suite alone.
    steps: StepChanges = StepChanges()
    #: What became of a database of the cell before; None where the step `database` was not done.
    crossing: Crossing | None = None
    #: What newly fails was run again, without each run; None where nothing newly failed.
    reruns: Reruns | None = None
    #: The SQL queries of its tests; None where they were not counted on both sides.
    queries: queries.Queries | None = None
    moves: tuple[Move, ...] = ()
    #: The packages that rule out the cell after.
    blockers: tuple[Blocker, ...] = ()

    @property
    def id(self) -> str:
        """The hop's name: "py3.10-django4.2..py3.10-django5.2"."""
        return f"{self.before}..{self.after}"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole matrix compared: every hop, and every cause in rank order."""

    hops: tuple[HopResult, ...] = ()
    causes: tuple[Cause, ...] = ()
    #: Cell id → status.
    statuses: dict[str, Status] = {}
    #: Ids of the cells that may fail.
    allowed: tuple[str, ...] = ()
    #: Cell id → why it is red, as far as neither a hop nor an earlier cell says so.
    standing: dict[str, tuple[Group, ...]] = {}
    #: Ids of known flaky tests whose last day is over.
    expired: tuple[str, ...] = ()


def judge(
    before: CellResult,
    after: CellResult,
    hop: Hop,
    *,
    reproduce: Reproduce | None = None,
    evidence: Evidence = NOTHING,
) -> HopResult:
    """Compare two cells by test id and say what the hop between them does.

    Never raises: a side without a usable result gives the verdict `unknown`, with the reason.
    """
    return _judge(before, after, hop, reproduce, evidence=evidence, uses={})[0]


def compare(
    plan: Plan,
    results: Mapping[str, CellResult],
    *,
    reproduce: Reproduce | None = None,
    crossings: Mapping[str, Crossing] | None = None,
    reruns: Mapping[str, Reruns] | None = None,
    known: tuple[KnownFlaky, ...] = (),
) -> Comparison:
    """Compare every hop of `plan` and gather the causes of every failure.

    `crossings` says, by the ids of hops, what became of a database on each, and `reruns` how what
    newly fails ended when it was run again; `known` are the known flaky tests that count as such.
    Cells that `results` does not have count as not run. `results` may load a cell each time it
    is asked for one: no more than two are held at a time.
    """
    gathering = Gathering()
    judged: list[HopResult] = []
    uses: Uses = {}
    for hop in plan.hops:
        before, after = result_of(results, hop.before), result_of(results, hop.after)
        again = (reruns or {}).get(f"{hop.before.id}..{hop.after.id}")
        evidence = Evidence(reruns=again, known=known)
        result, sightings = _judge(before, after, hop, reproduce, evidence=evidence, uses=uses)
        crossing = (crossings or {}).get(result.id)
        judged.append(msgspec.structs.replace(result, crossing=crossing))
        gathering.take(sightings)
    statuses: dict[str, Status] = {}
    allowed: list[str] = []
    said = {cause for hop in judged for cause in hop.causes}
    red: dict[str, tuple[Group, ...]] = {}
    for cell in plan.cells:
        cell_result = result_of(results, cell)
        statuses[cell.id] = cell_result.status
        allowed += [cell.id] if cell_result.allow_failure else []
        unsaid = tuple(one for one in standing(cell_result) if one.key not in said)
        said |= {one.key for one in unsaid}
        red |= {cell.id: grouped(unsaid, reproduce)} if unsaid else {}
        gathering.take((*unsaid, *sightings_of(cell_result)))
    return Comparison(
        hops=tuple(judged),
        causes=gathering.causes(),
        statuses=statuses,
        allowed=tuple(allowed),
        standing=red,
    )


def result_of(results: Mapping[str, CellResult], cell: Cell) -> CellResult:
    """Return the result of `cell`; one that says it was not run where there is none."""
    found = results.get(cell.id)
    if found is not None:
        return found
    return CellResult(id=cell.id, django=cell.django, python=cell.python, status="not-run")


def exit_code(comparison: Comparison) -> ExitCode:
    """Return what the process should exit with: the worst that applies (`errors.PRECEDENCE`).

    Cells that may fail, and hops into them, do not count.
    """
    allowed = frozenset(comparison.allowed)
    codes = [_cell_code(s) for cell, s in comparison.statuses.items() if cell not in allowed]
    judged = [hop for hop in comparison.hops if not hop.allow_failure]
    codes += [_hop_code(hop, comparison.statuses) for hop in judged]
    codes += [ExitCode.BREAKS for hop in judged if hop.steps.broke]
    codes += [ExitCode.BREAKS] * bool(comparison.expired)
    codes += [ExitCode.BREAKS for hop in judged if hop.crossing and hop.crossing.broke]
    return worst(codes)


def _cell_code(status: Status) -> ExitCode:
    match status:
        case "passed" | "deprecated" | "failed" | "uncollectable" | "crashed" | "timed-out":
            return ExitCode.OK  # red is no break: what a hop does to it is
        case "no-tests":
            return ExitCode.NO_TESTS
        case "unresolvable" | "uninstallable":
            return ExitCode.BLOCKED
        case "no-python" | "infra" | "not-run":
            return ExitCode.INCOMPLETE
        case "unsupported":
            return ExitCode.OK
        case "interrupted":
            return ExitCode.INTERRUPTED
    assert_never(status)


def _hop_code(hop: HopResult, statuses: Mapping[str, Status]) -> ExitCode:
    match hop.verdict:
        case "clean" | "deprecated":
            return ExitCode.OK
        case "breaks":
            return ExitCode.BREAKS
        case "blocked":
            return ExitCode.BLOCKED
        case "unknown":
            # The cells have codes of their own; two dead ones leave the question open all the same.
            sides = {statuses.get(hop.before, "not-run"), statuses.get(hop.after, "not-run")}
            explained = any(_cell_code(side) is not ExitCode.OK for side in sides)
            return ExitCode.OK if explained else ExitCode.INCOMPLETE
    assert_never(hop.verdict)


def _judge(
    before: CellResult,
    after: CellResult,
    hop: Hop,
    reproduce: Reproduce | None,
    *,
    evidence: Evidence,
    uses: Uses,
) -> tuple[HopResult, tuple[Sighting, ...]]:
    found = findings(before, after)
    if life(before) == life(after) == "ran":
        found = sift(found, before, after, evidence)
    decided = verdict(before, after, found)
    name = f"{before.id}..{after.id}" if decided in ("breaks", "blocked") else ""
    usable = "absent" not in (life(before), life(after)) and life(before) != "blocked"
    breaks = broken(found, after, name) if usable and decided not in ("clean", "deprecated") else ()
    newly = deprecated(found, before, after) if usable else ()
    groups = grouped(breaks, reproduce)
    foretold = None
    if hop.on_path:
        remember(uses, before)
    if hop.on_path and life(after) in ("ran", "dead"):
        judged = decided in ("breaks", "blocked")
        foretold = check(uses, after, found, breaks, before=before, judged=judged)
    result = HopResult(
        before=before.id,
        after=after.id,
        axis=hop.axis,
        on_path=hop.on_path,
        verdict=decided,
        allow_failure=after.allow_failure,
        reason=reason(decided, before, after, found),
        causes=tuple(group.cause for group in groups),
        groups=groups,
        deprecation_groups=grouped(newly, reproduce),
        moves=moves(before.packages, after.packages, after.moves_why)
        if before.packages and after.packages
        else (),
        blockers=after.blockers,
        foretold=foretold,
        steps=step_changes(before, after),
        reruns=evidence.summary,
        queries=queries.compare(before, after, found),
        **msgspec.structs.asdict(found),
    )
    return result, (*breaks, *newly)


def findings(before: CellResult, after: CellResult) -> Findings:
    """Compare test by test where both sides can say anything about it."""
    match life(before), life(after):
        case ("ran", "ran" | "dead"):
            return find(before, after)
        case ("dead", "ran"):
            found = find(before, after)
            passing = {test.id for test in suite(after) if kind(plainly(test)) == "passed"}
            fixed = tuple(name for name in found.appeared if name in passing)
            return msgspec.structs.replace(found, fixed=fixed)
        case ("dead", "dead"):
            return Findings(new_dead_modules=find(before, after).new_dead_modules)
        case _:
            return Findings()
