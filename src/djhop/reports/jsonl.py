"""A run as JSON lines, for people's own analysis: an object for each cell, and for each test in it.

The keys are `docs/outputs.md`'s; every object of a kind has all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from djhop.reports import cases
from djhop.reports.cases import Case
from djhop.reports.clean import cut
from djhop.reports.json import flat
from djhop.reports.pairs import Pair
from djhop.reports.rerun_tests import Doubt, by_cell, doubts
from djhop.results.reruns import Again, Reruns
from djhop.store.record import Run, RunCell

#: Characters of a text, but for a test's id; the whole is in the cell's `cell.json`.
MESSAGE = 2_000


def lines(
    run: Run, pairs: Iterable[Pair], *, reruns: Mapping[str, Reruns] | None = None
) -> Iterator[str]:
    """Yield one JSON object a line, all those of a cell in one piece.

    `reruns` says what was run again, by hops' ids.
    """
    again, doubted = by_cell(run, reruns or {}), doubts(run)
    for cell, result in pairs:
        ours, unsure = again.get(cell.id, {}), doubted.get(cell.id, {})
        found = cases.of(cell, result, run.hops)
        rows = [_cell(run, cell, found)]
        rows += [
            _test(cell, case, ours.get(case.id, ()), unsure.get(case.id))
            for case in found
            if case.kind != "cell"
        ]
        yield "".join(f"{flat(row)}\n" for row in rows)


def _cell(run: Run, cell: RunCell, found: tuple[Case, ...]) -> dict[str, object]:
    counted = cases.tally(tuple(case for case in found if case.kind == "test"))
    return {
        "kind": "cell",
        "run": run.name,
        "cell": cell.id,
        "django": cell.django,
        "python": cell.python,
        "django_release": cell.django_release,
        "python_release": cell.python_release,
        "status": cell.status,
        "reason": cut(cell.reason, MESSAGE),
        "allow_failure": cell.allow_failure,
        "tests": counted.total,
        "ran": cell.ran,
        "failing": cell.failing,
        "modules": len(cell.dead_modules),
        "coverage": cell.coverage,
        "seconds": round(sum(cell.seconds.values()), 3),
    }


def _test(
    cell: RunCell, case: Case, again: Sequence[Again], doubt: Doubt | None
) -> dict[str, object]:
    test, failure = case.test, case.failure
    file, group, name = cases.split(case.id)
    return {
        "kind": case.kind,
        "cell": cell.id,
        "django": cell.django,
        "python": cell.python,
        "test": case.id,
        "file": file,
        "group": group,
        "name": name,
        "state": case.state,
        "plain": test.plain if test else None,
        "strict": test.strict if test else None,
        "flaky": case.flaky or doubt == "flaky",
        "not_counted": doubt or "",
        "rerun": len(again),
        "rerun_failed": sum(cases.state(one.outcome) in ("failed", "error") for one in again),
        "seconds": case.seconds,
        "reason": cut(case.reason, MESSAGE),
        "cause": test.cause if test else "",
        "exception": cut(failure.exception, MESSAGE) if failure else "",
        "message": cut(failure.message, MESSAGE) if failure else "",
        "place": cut(failure.place, MESSAGE) if failure else "",
        "owner": " ".join(filter(None, (failure.owner.kind, failure.owner.name)))
        if failure
        else "",
    }
