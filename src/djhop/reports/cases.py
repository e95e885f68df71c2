"""A cell → the test cases that tools read: its tests, what could not be loaded, and itself; pure.

Plain outcomes decide, as they do for a cell's status: a test that only the strict filter fails has
passed. So what a tool calls a failure is what `run.json` counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, assert_never

import msgspec

from djhop.compare.changes import dead_modules, kind, plainly, suite
from djhop.compare.compare import HopResult
from djhop.reports import step_cases
from djhop.results.results import CellResult, Failure, Outcome, Test
from djhop.store.record import RunCell

#: "expected": fails, as it is expected to. "absent": has no plain outcome.
State = Literal["passed", "failed", "error", "skipped", "expected", "absent"]

#: What a case stands for: a test, a module or class that cannot be loaded, one of Django's own
#: upgrade steps, or the whole cell.
Kind = Literal["test", "module", "step", "cell"]

#: The name of the case that stands for a whole cell.
CELL = "(the cell)"


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of a cell."""

    kind: Kind
    id: str
    state: State
    #: None for a case that stands for a step or a cell.
    test: Test | None = None
    #: Why it was skipped; of a step, why it failed; of a cell, its status and the reason for that.
    reason: str = ""
    #: How long a step took.
    step_seconds: float = 0.0

    @property
    def failure(self) -> Failure | None:
        """Why it failed plainly, else strictly."""
        return self.test.failure if self.test else None

    @property
    def printed(self) -> str:
        """What it printed where it failed; "" where nothing is on record."""
        return self.test.printed.text if self.test and self.test.printed else ""

    @property
    def bad(self) -> bool:
        """Whether it is a failure in the eyes of a CI."""
        return self.state in ("failed", "error")

    @property
    def strictly(self) -> bool:
        """Whether it is fine plainly, and fails under the strict filter alone."""
        test = self.test
        fine = self.state in ("passed", "expected", "skipped")
        return test is not None and fine and not test.flaky and kind(test.strict) == "failed"

    @property
    def flaky(self) -> bool:
        """Whether it passed and failed in this cell, and no warning explains it."""
        return self.test is not None and self.test.flaky

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.test.seconds if self.test else self.step_seconds


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases of a cell are in each state."""

    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    expected: int = 0
    absent: int = 0

    @property
    def total(self) -> int:
        """All cases."""
        return sum(msgspec.structs.astuple(self))


def of(
    cell: RunCell, result: CellResult | None, hops: Iterable[HopResult] = ()
) -> tuple[Case, ...]:
    """Return every case of a cell, in the order of its suite; `result` is None where there is none.

    `RunCell.failing` and `dead_modules` are the failures among the tests and modules. Django's own
    steps follow, with what became of a database on those of `hops` that lead to the cell. A cell
    whose status says that more is wrong than tests, or that nothing is known, is one case more.
    """
    whole = _whole(cell, result)
    steps = (
        Case(kind="step", id=name, state=state, reason=reason, step_seconds=seconds)
        for name, state, reason, seconds in step_cases.of(cell, result, hops)
    )
    return (*(_cases(result) if result else ()), *steps, *([whole] if whole else []))


def tally(cases: tuple[Case, ...]) -> Tally:
    """Count cases by state."""
    states = [case.state for case in cases]
    return Tally(**{name: states.count(name) for name in set(states)})


def state(outcome: Outcome | None) -> State:
    """What an outcome is to a tool."""
    match outcome:
        case None | "not-run":
            return "absent"
        case "passed" | "xpassed":
            return "passed"
        case "failed":
            return "failed"
        case "error" | "crashed":
            return "error"
        case "skipped":
            return "skipped"
        case "xfailed":
            return "expected"
    assert_never(outcome)


def split(test_id: str) -> tuple[str, str, str]:
    """Return the file, the group and the name of a test id; what it does not say is "".

    "tests/test_a.py::TestB::test_c[1::2]" → "tests/test_a.py", "tests.test_a.TestB",
    "test_c[1::2]"; "shop.tests.TestB.test_c" → "", "shop.tests.TestB", "test_c".
    """
    head, bracket, parameters = test_id.partition("[")
    if "::" in head:
        file, *classes, name = head.split("::")
        module = file.removesuffix(".py").replace("/", ".")
        return file, ".".join((module, *classes)), name + bracket + parameters
    if test_id.endswith(".py"):
        return test_id, "", test_id
    head, space, rest = test_id.partition(" ")
    group, _, name = head.rpartition(".")
    return "", group, name + space + rest


def _cases(result: CellResult) -> Iterator[Case]:
    for test in suite(result):
        yield _case("test", test)
    dead = set(dead_modules(result))
    yield from (_case("module", test) for test in result.tests if test.id in dead)


def _case(what: Kind, test: Test) -> Case:
    return Case(
        kind=what,
        id=test.id,
        state=state(plainly(test)),
        test=test,
        reason=test.skip_reason or ("" if plainly(test) else "it was not run plainly"),
    )


def _whole(cell: RunCell, result: CellResult | None) -> Case | None:
    """The case that stands for a cell; None where its tests say it all."""
    said = ": ".join(filter(None, (cell.status, cell.reason)))
    match cell.status:
        case "passed" | "deprecated" | "failed" if result is None:
            # Without the cell's own file there would be no failure among no tests.
            found: State = "error" if cell.status == "failed" else "skipped"
            said = f"{said} ({cell.ran:,} tests ran; their cell.json is not in the run's folder)"
        case "passed" | "deprecated":
            return None
        case "failed":
            if cell.failing or cell.dead_modules:
                return None
            found = "error"
        case "unsupported":
            found = "skipped"
        case "not-run":
            # One that was not to run its suite has a result; one that was cut off has none.
            found = "skipped" if result else "error"
        case (
            "uncollectable" | "crashed" | "timed-out" | "no-tests" | "unresolvable"
            | "uninstallable" | "no-python" | "infra" | "interrupted"
        ):  # fmt: skip
            found = "error"
    return Case(kind="cell", id=CELL, state=found, reason=said)
