"""What `run.json` holds: the plan, a line for each cell, every hop and every cause; pure."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.json import decode, encode

import djhop
from djhop.compare.causes import Cause
from djhop.compare.changes import dead_modules, kind, plainly, suite
from djhop.compare.compare import Comparison, HopResult, result_of
from djhop.compare.foretold import Tally, hop_of, tally, use_id
from djhop.compare.groups import Group
from djhop.fixes.proof import Fix
from djhop.history.since import Since
from djhop.masking import shown
from djhop.matrix.config import Matrix
from djhop.matrix.flaky import KnownFlaky
from djhop.matrix.plan import Plan
from djhop.paired import Paired
from djhop.peels.layers import Peel
from djhop.results.results import CellResult, Counts, Owner, Status
from djhop.results.steps import StepName
from djhop.store.blame import Blamed
from djhop.store.run_steps import RunStep, step_of
from djhop.target.target import Target

#: 1: the first.
FORMAT = 1


SANDBOXED = (
    "The project's code ran in a sandbox: no network but a loopback of its own, and written was in "
    "the cells alone."
)


class RunTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The project that was run."""

    name: str
    #: Absolute path on the machine that ran it.
    root: str = ""
    #: Series it is on today, and where that was read.
    django: str = ""
    django_source: str = ""
    #: "pytest", "django" or "command"; empty where none was found.
    suite: str = ""
    #: The commit it was at, and what stands for the content of its files; "" where nobody knows.
    revision: str = ""
    tree: str = ""


class RunMatrix(msgspec.Struct, frozen=True, kw_only=True):
    """The matrix that was run: its name, and every setting as in a matrix file, secrets masked."""

    name: str = ""
    settings: dict[str, Any] = {}


class RunCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell in short; `cells/<id>/cell.json` has the whole."""

    id: str
    django: str
    python: str
    status: Status
    django_release: str = ""
    python_release: str = ""
    reason: str = ""
    #: What to type next, where the status has a remedy.
    hint: str = ""
    forced: bool = False
    allow_failure: bool = False
    #: Tests that ran plainly, and how many of them fail; modules that cannot be loaded not counted.
    ran: int = 0
    failing: int = 0
    #: Modules that cannot be loaded.
    dead_modules: tuple[str, ...] = ()
    #: Pass mode ("strict", "plain") → tests (and modules that cannot be loaded) per outcome.
    counts: dict[str, Counts] = {}
    #: Per cent, or None.
    coverage: float | None = None
    #: Stage → seconds.
    seconds: dict[str, float] = {}
    #: False where the strict filter was not in force in at least one test.
    canary: bool = True
    #: Why the strict run ended outside the tests; "" where it did not.
    strict_died: str = ""
    #: Tests that have a plain outcome and no strict one.
    without_strict: int = 0
    flaky: tuple[str, ...] = ()
    #: Django's own upgrade steps.
    steps: dict[StepName, RunStep] = {}
    #: Why it is red, as far as neither a hop nor an earlier cell says so.
    standing: tuple[Group, ...] = ()
    notes: tuple[str, ...] = ()


class DeprecatedUse(msgspec.Struct, frozen=True, kw_only=True):
    """One deprecated use, in every cell that saw it."""

    #: The same in every cell, run and machine; predictions are known by it.
    id: str = ""
    category: str
    message: str
    place: str
    owner: Owner
    #: Django series that removes it; None where nobody says.
    removed_in: str | None = None
    #: Python that removes it, where Python's own warning says so.
    removed_in_python: str | None = None
    #: Id of the step of the whole path that reaches its removal; "" where none does.
    hop: str = ""
    fatal: bool = True
    #: Where it was seen outside tests: "import", "collect" …; else "".
    when: str = ""
    #: Tests behind it in the cell that has most.
    tests: int = 0
    #: The place is in a file of the target's tree.
    in_target: bool = False
    cells: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a matrix: everything the reports say; `run.json`."""

    format: int = FORMAT
    #: Version of djhop that wrote it.
    djhop: str = djhop.__version__
    #: Name of its folder.
    name: str
    target: RunTarget
    matrix: RunMatrix
    #: What was typed, without `--cells` and what follows `--`: ("djhop", "run", ".").
    command: tuple[str, ...] = ()
    #: Stands for the target's files, what goes to the suite, and djhop's version: cells of two runs
    #: go together where these are equal.
    inputs: str = ""
    #: False where something followed `--`: tests may have been left out.
    whole: bool = True
    #: UTC, ISO 8601: "2026-11-21T01:44:52Z".
    started: str
    seconds: float = 0.0
    #: False while it runs, and for ever where it was cut short.
    complete: bool = False
    plan: Plan
    cells: tuple[RunCell, ...] = ()
    hops: tuple[HopResult, ...] = ()
    causes: tuple[Cause, ...] = ()
    deprecations: tuple[DeprecatedUse, ...] = ()
    #: How well deprecations foretold what breaks, over the hops of the path.
    foretold: Tally = Tally()
    #: Per cent of the statements that ran in any cell, or None; the data is in `coverage`.
    coverage: float | None = None
    #: The file of known flaky tests, as it was read.
    known_flaky: tuple[KnownFlaky, ...] = ()
    #: What bisects of it found, by cause and hop.
    blames: tuple[Blamed, ...] = ()
    notes: tuple[str, ...] = ()
    #: What was tried to repair it: `djhop fix --try`.
    fixes: tuple[Fix, ...] = ()
    #: What is behind the first causes of its red cells: `djhop peel`.
    peels: tuple[Peel, ...] = ()
    #: What changed since the night before; None where none is remembered.
    since: Since | None = None
    #: How long the suite takes after a hop, against before it: `djhop ready --measure`.
    performance: tuple[Paired, ...] = ()

    def reproduce(self, cell: str, test_id: str) -> str:
        """Return the command a user types to run one test in one cell again.

        A test id of either framework is what its runner takes: a node id, or a dotted label. What a
        command of the target's own takes is not known: it is run as a whole.
        """
        words = self.command or ("djhop", "run", self.target.root)
        named = () if self.target.suite == "command" else ("--", test_id)
        return shlex.join([*words, "--cells", cell, *named])

    @property
    def deployed(self) -> str:
        """The revision whose code and tests the cell before a hop ran; "" where it was today's."""
        named = self.matrix.settings.get("before-rev", "")
        return str(named) if "hop" in self.command[:2] else ""

    @property
    def comparison(self) -> Comparison:
        """The comparison it holds, as `compare.exit_code` wants it."""
        return Comparison(
            hops=self.hops,
            causes=self.causes,
            statuses={cell.id: cell.status for cell in self.cells},
            allowed=tuple(cell.id for cell in self.cells if cell.allow_failure),
            standing={cell.id: cell.standing for cell in self.cells if cell.standing},
            expired=self.expired,
        )

    @property
    def known_in_force(self) -> tuple[KnownFlaky, ...]:
        """The known flaky tests that were not expired on the day on which the run began."""
        return tuple(one for one in self.known_flaky if not one.expired(self._day))

    @property
    def expired(self) -> tuple[str, ...]:
        """Ids of the others: they count like any test, and the run fails for them."""
        return tuple(one.id for one in self.known_flaky if one.expired(self._day))

    @property
    def _day(self) -> datetime.date:
        return datetime.date.fromisoformat(self.started[:10])


def inconsistent(run: Run) -> str:
    """Say what in a run does not belong together, as where a file was damaged; "" if all does."""
    known = {cell.id for cell in (*run.plan.cells, *run.plan.unsupported)}
    for number, cell in enumerate(run.cells):
        if cell.id not in known or cell.id != f"py{cell.python}-django{cell.django}":
            return f"there is no cell {cell.id!r} in its plan - at `$.cells[{number}]`"
    for number, step in enumerate(run.plan.hops):
        if not {step.before.id, step.after.id} <= known:
            return f"{step.id!r} leads from or to no cell - at `$.plan.hops[{number}]`"
    done = {cell.id for cell in run.cells if cell.status != "unsupported"}
    planned = {hop.id for hop in run.plan.hops}
    for number, hop in enumerate(run.hops):
        if hop.id not in planned or not {hop.before, hop.after} <= done:
            return f"there is no hop {hop.id!r} in its plan - at `$.hops[{number}]`"
    return ""


def begin(
    name: str,
    target: Target,
    matrix: Matrix,
    plan: Plan,
    *,
    started: datetime.datetime,
    command: tuple[str, ...] = (),
    inputs: str = "",
    whole: bool = True,
    known: tuple[KnownFlaky, ...] = (),
    state: tuple[str, str] = ("", ""),
) -> Run:
    """Describe a run that is about to start; `started` is an aware time.

    `state` is the commit that the target is at, and what stands for its files.
    """
    utc = started.astimezone(datetime.UTC)
    return Run(
        name=name,
        command=command,
        inputs=inputs,
        whole=whole,
        target=RunTarget(
            name=target.name,
            root=target.root,
            django=target.django,
            django_source=target.django_source,
            suite=target.suite.kind if target.suite else "",
            revision=state[0],
            tree=state[1],
        ),
        # As it is read back, lists and not tuples, so that two runs compare equal.
        matrix=RunMatrix(name=matrix.name, settings=shown(decode(encode(matrix)))),
        started=utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        plan=plan,
        known_flaky=known,
        notes=(
            *target.notes,
            *plan.notes,
            *((SANDBOXED,) if matrix.sandbox else ()),
            *_expired(known, utc.date()),
        ),
    )


def _expired(known: tuple[KnownFlaky, ...], today: datetime.date) -> Iterator[str]:
    for one in known:
        if one.expired(today):
            yield (
                f"known flaky test {one.id!r}: its last day was {one.expires}, so it counts again, "
                f"and the run ends with 1 ({one.reason})"
            )


def finish(
    run: Run,
    results: Mapping[str, CellResult],
    comparison: Comparison,
    *,
    seconds: float | None = None,
    complete: bool = True,
) -> Run:
    """Fill in what was seen; cells without a result count as not run."""
    cells: list[RunCell] = []
    uses: dict[str, DeprecatedUse] = {}
    for cell in run.plan.cells:
        result = result_of(results, cell)
        standing = comparison.standing.get(cell.id, ())
        cells.append(msgspec.structs.replace(cell_of(result), standing=standing))
        _add_uses(uses, result, run.plan)
    unsupported = (
        RunCell(id=cell.id, django=cell.django, python=cell.python, status="unsupported")
        for cell in run.plan.unsupported
    )
    return msgspec.structs.replace(
        run,
        cells=(*cells, *unsupported),
        hops=comparison.hops,
        causes=comparison.causes,
        deprecations=tuple(uses.values()),
        foretold=tally(hop.foretold for hop in comparison.hops if hop.foretold),
        seconds=run.seconds if seconds is None else seconds,
        complete=complete,
    )


def cell_of(result: CellResult) -> RunCell:
    """Shorten a cell's result to its line in `run.json`."""
    same = {name: getattr(result, name) for name in _SHARED}
    tests = suite(result)
    kinds = [kind(plainly(test)) for test in tests]
    died = [run.died for run in result.passes if run.mode == "strict" and run.died]
    return RunCell(
        canary=all(run.canary for run in result.passes if run.mode != "plain"),
        strict_died=died[0] if died else "",
        without_strict=sum(test.strict is None and test.plain is not None for test in tests),
        ran=len(kinds) - kinds.count("absent"),
        failing=kinds.count("failed"),
        dead_modules=dead_modules(result),
        flaky=tuple(test.id for test in result.tests if test.flaky),
        steps={name: step_of(name, step) for name, step in result.steps.items()},
        **same,
    )


_SHARED = tuple(
    n for n in RunCell.__struct_fields__ if n in CellResult.__struct_fields__ and n != "steps"
)


def _add_uses(uses: dict[str, DeprecatedUse], result: CellResult, plan: Plan) -> None:
    """Merge a cell's deprecations into those of the cells before."""
    for seen in result.deprecations:
        key = use_id(seen)
        known = uses.get(key)
        tests = max(len(seen.tests), known.tests if known else 0)
        uses[key] = DeprecatedUse(
            id=key,
            category=seen.category,
            message=seen.message,
            place=seen.place,
            owner=seen.owner,
            removed_in=seen.removed_in,
            removed_in_python=seen.removed_in_python,
            hop=hop_of(seen, plan),
            fatal=seen.fatal or (known is not None and known.fatal),
            when="" if tests else seen.when,
            tests=tests,
            in_target=seen.in_target,
            cells=tuple(dict.fromkeys((*(known.cells if known else ()), result.id))),
        )
