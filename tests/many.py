"""Runs that were never run: every kind of outcome and of cell, as many tests as one asks for."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from pathlib import Path

import msgspec

from djhop.compare.causes import label
from djhop.compare.compare import compare
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.eventlog import Printed
from djhop.results.results import CellResult, Counts, Deprecation, Failure, Owner, Pass
from djhop.results.results import Test as Case
from djhop.results.steps import Finding, Step, StepName
from djhop.store import record
from djhop.store.record import Run
from djhop.store.store import RunFolder
from djhop.target.target import Suite, Target

STARTED = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
PROJECT = Owner("project")
SERIES = ("3.2", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2", "6.0")
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def failure(number: int, message: str = "assert 404 == 200", **changes: object) -> Failure:
    """A failure of the project's own, at a place that the number says."""
    file = f"tests/test_{number % 50}.py"
    frames = tuple((f"app/views_{n}.py", n + 1, "view", "return other(request)") for n in range(8))
    made = Failure(
        exception="AssertionError",
        message=f"{message} in view {number}",
        owner=PROJECT,
        place=f"{file}:{number % 90 + 1}",
        raised_at=f"{file}:{number % 90 + 1}",
        frames=(*frames, (file, number % 90 + 1, "test", "assert response.status_code == 200")),
        when="call",
    )
    return msgspec.structs.replace(made, **changes)


def tests(count: int, failing: int, causes: int = 7, message: str = "boom") -> tuple[Case, ...]:
    """`count` tests, of which `failing` fail, and beyond the first few all else passes."""
    warned = failure(0, "url() is deprecated", warning="RemovedInDjango40Warning")
    odd = [
        Case(id="tests/test_0.py::skipped", strict="skipped", plain="skipped", skip_reason="why"),
        Case(id="tests/test_0.py::xfailed", strict="xfailed", plain="xfailed"),
        Case(id="tests/test_0.py::xpassed", strict="xpassed", plain="xpassed"),
        Case(id="tests/test_0.py::warned", strict="failed", plain="passed", failure=warned),
        Case(id="tests/test_0.py::wobbly", strict="failed", plain="passed", flaky=True,
             failure=failure(1)),
        Case(id="tests/test_0.py::unsteady", strict="passed", plain="failed", flaky=True,
             failure=failure(2)),
        Case(id="tests/test_0.py::crashed", strict="passed", plain="crashed"),
        Case(id="tests/test_0.py::left", strict="not-run", plain="not-run"),
        Case(id="tests/test_0.py::unseen", strict="failed", failure=warned),
    ]  # fmt: skip
    names = [f"tests/test_{n % 50}.py::TestView::test_{n}[{n}::x]" for n in range(count)]
    red = (
        Case(
            id=name,
            strict="failed",
            plain="failed",
            seconds=0.25,
            failure=failure(n % causes, message),
            printed=Printed(head=f"--- stdout ---\n{message} {n}", tail="end", left_out=n),
        )
        for n, name in enumerate(names[:failing])
    )
    green = (
        Case(id=name, strict="passed", plain="passed", seconds=0.01) for name in names[failing:]
    )
    return (*odd[: max(count, 0)], *red, *green)


def result(cell: Cell, status: str, found: tuple[Case, ...] = (), **more: object) -> CellResult:
    """A cell's result, counted as `results.build` counts."""
    counts = {}
    for mode in ("strict", "plain"):
        outcomes = Counter(getattr(test, mode) for test in found)
        del outcomes[None]
        counts[mode] = Counts(**{name.replace("-", "_"): n for name, n in outcomes.items()})
    given = {"id": cell.id, "django": cell.django, "python": cell.python, "status": status}
    made = msgspec.convert(given | {"counts": counts, "tests": found} | more, CellResult,
                           from_attributes=True)  # fmt: skip
    return label(made)


def finished(plan: Plan, results: dict[str, CellResult], name: str = "shop") -> Run:
    """The run of these cells, judged."""
    target = Target(
        root="/home/me/shop",
        name=name,
        sources=(),
        django=plan.cells[0].django,
        suite=Suite(kind="pytest", argv=("pytest",)),
    )
    run = record.begin("20260101-000000-lts", target, Matrix(name="lts"), plan, started=STARTED)
    return record.finish(run, results, compare(plan, results, reproduce=run.reproduce), seconds=9.5)


def plan_of(cells: tuple[Cell, ...], unsupported: tuple[Cell, ...] = ()) -> Plan:
    """A path through `cells`."""
    pairs = itertools.pairwise(cells)
    hops = tuple(
        Hop(before=b, after=a, axis="django" if b.python == a.python else "python")
        for b, a in pairs
    )
    return Plan(cells=cells, path=cells, hops=hops, unsupported=unsupported)


def every_kind(message: str = "boom") -> tuple[Run, dict[str, CellResult]]:
    """A run with every kind of outcome, and cells that have no outcome at all."""
    made = [Cell(django=series, python="3.10") for series in SERIES]
    dead = failure(9, "cannot import name 'url'", exception="ImportError", place="tests/urls.py:3")
    lost = "tests/test_lost.py"
    statuses = {
        made[0]: result(made[0], "passed", tests(20, 0)[9:], steps=steps(0)),
        made[1]: result(made[1], "failed", (*tests(20, 6, message=message),
                        Case(id=lost, strict="error", plain="error", failure=dead)),
                        failures=((lost, dead),), deprecations=uses(), allow_failure=False,
                        steps=steps(1)),
        made[2]: result(made[2], "crashed", tests(12, 3), reason="the process died in tests/a",
                        steps=steps(2)),
        made[3]: result(made[3], "uncollectable", failures=(("plain", dead),),
                        passes=(Pass(mode="plain", died="import"),), reason="no test ran"),
        made[4]: result(made[4], "unresolvable", reason="django-oscar does not allow it"),
        made[5]: result(made[5], "not-run", reason="installed, as asked (--install-only)"),
        made[6]: result(made[6], "infra", reason="the registry did not answer"),
    }  # fmt: skip
    results = {cell.id: one for cell, one in statuses.items()}
    plan = plan_of(tuple(made), (Cell(django="6.0", python="3.8"),))
    return finished(plan, results), results


def steps(number: int) -> dict[StepName, Step]:
    """Django's own steps of the first cells: fine, then with what each can fail for."""
    wrong = Finding(id="models.E304", about="shop.Order", level="error", text="Reverse accessor",
                    hint="add a related_name", place="shop/models.py:7")  # fmt: skip
    old = Finding(id="broken", about="shop.0001", level="error", text="no module", place="0001.py")
    return {
        "checks": Step(status="found", findings=(wrong,)) if number else Step(status="ok"),
        "migrations": Step(status="found", findings=(old,)),
        "database": Step(status="failed", reason="TypeError: no table", seconds=1.5)
        if number == 2
        else Step(status="ok"),
        "settings": Step(status="not-available", reason="they cannot be read"),
    }


def uses() -> tuple[Deprecation, ...]:
    """Deprecated uses: two in one file, one in a package, one at no line."""
    mine = Deprecation(
        category="RemovedInDjango40Warning",
        message="url() is deprecated",
        place="tests/urls.py:7",
        owner=PROJECT,
        removed_in="4.0",
        count=4,
    )
    again = msgspec.structs.replace(mine, place="tests/urls.py:9")
    theirs = msgspec.structs.replace(
        mine, place="jsonfield/__init__.py:1", owner=Owner("package", "jsonfield")
    )
    setting = msgspec.structs.replace(mine, place="django/conf/__init__.py:12", message="USE_L10N")
    return (theirs, again, mine, setting)


def big(cells: int, count: int, failing: int, causes: int = 7) -> tuple[Run, dict[str, CellResult]]:
    """A run of many cells with many tests each, of which so many fail from the second cell on."""
    pairs = [(python, series) for python in PYTHONS for series in SERIES][:cells]
    made = tuple(Cell(django=series, python=python) for python, series in pairs)
    results = {
        cell.id: result(cell, "failed" if n else "passed", tests(count, failing * (n > 0), causes))
        for n, cell in enumerate(made)
    }
    return finished(plan_of(made), results), results


def write(folder: Path, run: Run, results: dict[str, CellResult]) -> RunFolder:
    """Write a run to `folder` as djhop does."""
    made = RunFolder(folder)
    folder.mkdir(parents=True)
    for one in results.values():
        made.write_cell(one)
    made.write_run(run)
    return made
