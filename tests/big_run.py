"""A run as big as djhop promises to bear, made up: 20 cells, 20,000 tests, 5,000 that fail.

python tests/big_run.py FOLDER     writes run.json and cells/*/cell.json there
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from djhop.compare.compare import compare
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.results.eventlog import Printed
from djhop.results.outcomes import count
from djhop.results.results import CellResult, Deprecation, Failure, Owner, Pass
from djhop.results.results import Test as Case
from djhop.results.steps import Finding, Step
from djhop.store import record
from djhop.store.store import RunFolder
from djhop.target.target import Suite, Target

STARTED = datetime.datetime(2026, 11, 21, 1, 44, 52, tzinfo=datetime.UTC)
#: Series, Python: the path, then cells beside it.
PATH = (
    *(("2.2", "3.8"), ("3.0", "3.8"), ("3.1", "3.8"), ("3.2", "3.8"), ("4.0", "3.8")),
    *(("4.1", "3.8"), ("4.2", "3.8"), ("4.2", "3.10"), ("5.0", "3.10"), ("5.1", "3.10")),
    *(("5.2", "3.10"), ("5.2", "3.12")),
)
BESIDE = (
    *(("3.2", "3.9"), ("4.0", "3.9"), ("4.1", "3.9"), ("4.2", "3.9")),
    *(("4.2", "3.12"), ("5.0", "3.12"), ("5.1", "3.12"), ("5.2", "3.11")),
)
#: Series → the share of all failures that begin there.
BREAKS = {"4.0": 0.3, "5.0": 0.3, "5.2": 0.4}
#: Roots per series that breaks.
ROOTS = 15
FRAMES = 25
OWNERS = (Owner("project"), Owner("package", "django-filter"), Owner("django"))
GONE = Failure(
    exception="ModuleNotFoundError",
    message="No module named 'shop.gone'",
    owner=OWNERS[0],
    place="tests/test_gone.py:1",
    raised_at="tests/test_gone.py:1",
    frames=(("tests/test_gone.py", 1, "<module>", "import shop.gone"),),
    when="collect",
)
CHECKS = Step(
    status="found",
    findings=(Finding(id="models.W042", about="shop.Order", text="Auto-created primary key"),),
)


def make(path: Path, *, tests: int = 20_000, failing: int = 5_000, cells: int = 20) -> RunFolder:
    """Write the run into `path`, which is made; the same arguments give the same run."""
    folder = RunFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    plan = _plan(cells)
    begins = _begins(tests, failing)
    for cell in plan.cells:
        folder.write_cell(_result(cell, tests, begins))
    target = Target(
        root="/home/me/shop",
        name="shop",
        sources=(),
        django=plan.path[0].django,
        suite=Suite(kind="pytest", argv=("pytest",)),
    )
    run = record.begin(path.name, target, Matrix(name="big"), plan, started=STARTED)
    results = folder.results()
    compared = compare(plan, results, reproduce=run.reproduce)
    folder.write_run(record.finish(run, results, compared, seconds=3600.0))
    return folder


def _plan(many: int) -> Plan:
    path = tuple(Cell(django=django, python=python) for django, python in PATH[:many])
    beside = tuple(Cell(django=django, python=python) for django, python in BESIDE)
    pairs = [(before, after, True) for before, after in pairwise(path)]
    beside = beside[: max(many - len(path), 0)]
    pairs += [(b, a, False) for b, a in pairwise(beside) if b.python == a.python]
    hops = tuple(
        Hop(before=b, after=a, axis="django" if b.python == a.python else "python", on_path=on)
        for b, a, on in pairs
    )
    return Plan(cells=(*path, *beside), path=path, hops=hops)


def _begins(tests: int, failing: int) -> dict[int, str]:
    """Which tests fail, and from which series on."""
    chosen = random.Random(1).sample(range(tests), failing)
    begins: dict[int, str] = {}
    for series, share in BREAKS.items():
        part, chosen = chosen[: round(failing * share)], chosen[round(failing * share) :]
        begins |= dict.fromkeys(part, series)
    return begins | dict.fromkeys(chosen, "5.2")


def _result(cell: Cell, tests: int, begins: dict[int, str]) -> CellResult:
    rows = tuple(_cases(cell, tests, begins))
    late = _key(cell.django) >= (4, 2)
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status="failed" if any(row.plain == "failed" for row in rows) else "deprecated",
        tests=rows,
        counts={
            "strict": count([row.strict for row in rows]),
            "plain": count([row.plain for row in rows]),
        },
        django_release=f"{cell.django}.9",
        python_release=f"{cell.python}.1",
        reason="a module cannot be loaded" if late else "",
        coverage=87.5,
        failures=(("tests/test_gone.py", GONE),) if late else (),
        steps={"checks": CHECKS},
        notes=("the suite says so",),
        moves_why={"django": "the hop"},
        packages={"django": cell.django, **{f"package-{n}": f"1.{n}" for n in range(60)}},
        deprecations=tuple(_use(n, rows) for n in range(min(200, tests // 5))),
        passes=(Pass(mode="strict", argv=("pytest",), ran=tests, log="strict.txt"),),
        seconds={"environment": 2.0, "strict": 90.0, "plain": 80.0},
    )


def _cases(cell: Cell, tests: int, begins: dict[int, str]) -> Iterator[Case]:
    at = _key(cell.django)
    noise = random.Random(cell.id)
    for n in range(tests):
        series = begins.get(n)
        red = series is not None and at >= _key(series)
        warns = series is not None and not red
        skipped = series is None and n % 40 == 7
        flaky = series is None and n % 200 == 11
        yield Case(
            id=f"tests/orders/test_module_{n // 50:03}.py::TestOrders{n // 10 % 5}"
            f"::test_what_happens_when_an_order_is_placed_{n:05}",
            strict="failed" if red or warns else "skipped" if skipped else "passed",
            plain="failed" if red else "skipped" if skipped else "passed",
            seconds=round(0.01 + noise.random() * 0.1, 4),
            failure=_failure(n, series, cell) if series and (red or warns) else None,
            skip_reason="no printer here" if skipped else "",
            subtests=("order 1", "order 2") if red and n % 10 == 0 else (),
            printed=Printed(head=f"--- Captured stdout call ---\norder {n} in {cell.id}")
            if red and n % 2 == 0
            else None,
            flaky=flaky,
        )


def _failure(n: int, series: str, cell: Cell) -> Failure:
    root = n % ROOTS
    frames = tuple(
        (f"django/core/part_{root}_{depth}.py", 10 * depth, f"step_{depth}", f"call_{depth}(it)")
        for depth in range(FRAMES)
    )
    place = f"tests/orders/test_module_{n // 50:03}.py:{n % 300 + 1}"
    mine = (place.rpartition(":")[0], n % 300 + 1, f"test_{n}", f"order_{n}.place(customer)")
    red = _key(cell.django) >= _key(series)
    return Failure(
        exception="builtins.TypeError" if red else "RemovedInDjangoWarning",
        message=f"part_{root}() of Django {series} got an unexpected argument: "
        f"<Order object at 0x{n * 7919:012x}\n" + f"while placing order {n}\n" * 8,
        owner=OWNERS[root % 3],
        place=place,
        raised_at=f"django/core/part_{root}_{FRAMES - 1}.py:240",
        frames=(mine, *frames),
        warning="" if red else "RemovedInDjangoWarning",
        when="call",
    )


def _use(n: int, rows: tuple[Case, ...]) -> Deprecation:
    return Deprecation(
        category="RemovedInDjango50Warning",
        message=f"use number {n} is deprecated",
        place=f"shop/module_{n}.py:{n}",
        owner=Owner("project"),
        removed_in="5.0",
        tests=tuple(row.id for row in rows[n * 20 : n * 20 + 500]),
        count=500,
    )


def _key(series: str) -> tuple[int, ...]:
    return tuple(map(int, series.split(".")))
