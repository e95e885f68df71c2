"""A run as CTRF, the Common Test Report Format, written cell by cell: https://ctrf.io/

One document holds every cell; a test's suite begins with its cell.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

import djhop
from djhop.reports import cases, tracebacks
from djhop.reports.cases import Case, State
from djhop.reports.clean import block, cut, one_line, spelled
from djhop.reports.json import flat
from djhop.reports.pairs import Pair
from djhop.reports.rerun_tests import Doubt, by_cell, doubts
from djhop.results.reruns import HOW, Again, Reruns
from djhop.store.record import Run, RunCell

#: Of the specification that the documents keep to.
SPEC = "0.0.0"
#: Characters of a name, of a message, and of a traceback.
NAME, MESSAGE, TEXT = 1_000, 500, 10_000
#: Tests per cause in one cell that come with a traceback; the others have equal ones.
TRACEBACKS = 20


def lines(
    run: Run, pairs: Iterable[Pair], *, reruns: Mapping[str, Reruns] | None = None
) -> Iterator[str]:
    """Yield the document in pieces, one per cell; the summary comes last.

    `reruns` says what was run again, by hops' ids. The outcome in the suite stands for the last
    attempt, as it is what is counted everywhere.
    """
    tool = {"name": "djhop", "version": djhop.__version__}
    head = {"reportFormat": "CTRF", "specVersion": SPEC, "generatedBy": f"djhop {run.djhop}"}
    yield flat(head)[:-1] + f',"results":{{"tool":{flat(tool)},"tests":['
    counted: Counter[str] = Counter()
    first = True
    again, doubted = by_cell(run, reruns or {}), doubts(run)
    for cell, result in pairs:
        found = cases.of(cell, result, run.hops)
        rows = list(_rows(cell, found, again.get(cell.id, {}), doubted.get(cell.id, {})))
        counted.update(str(row["status"]) for row in rows)
        counted["flaky"] += sum("flaky" in row for row in rows)
        if rows:
            yield ("" if first else ",") + ",\n".join(map(flat, rows))
            first = False
    summary = _summary(run, counted)
    environment = {"reportName": f"djhop {run.name}", "appName": run.target.name}
    yield f'],"summary":{flat(summary)},"environment":{flat(environment)}}}}}\n'


def status(state: State) -> str:
    """Return CTRF's word for a state."""
    match state:
        case "passed":
            return "passed"
        case "failed" | "error":
            return "failed"
        case "skipped":
            return "skipped"
        case "absent":
            return "pending"
        case "expected":
            return "other"
    assert_never(state)


def _summary(run: Run, counted: Counter[str]) -> dict[str, int]:
    start = int(datetime.datetime.fromisoformat(run.started).timestamp() * 1000)
    words = ("passed", "failed", "skipped", "pending", "other")
    return {
        "tests": sum(counted[word] for word in words),
        **{word: counted[word] for word in words},
        "flaky": counted["flaky"],
        "suites": len(run.cells),
        "start": start,
        "stop": start + int(run.seconds * 1000),
    }


def _rows(
    cell: RunCell,
    found: tuple[Case, ...],
    again: Mapping[str, list[Again]],
    doubted: Mapping[str, Doubt],
) -> Iterator[dict[str, object]]:
    seen: Counter[str] = Counter()
    for case in found:
        cause = case.test.cause if case.test else ""
        seen[cause] += 1
        row = _row(cell, case, whole=not cause or seen[cause] <= TRACEBACKS)
        yield row | _attempts(case, again.get(case.id, ()), doubted.get(case.id))


def _row(cell: RunCell, case: Case, *, whole: bool) -> dict[str, object]:
    file, group, name = (_name(part) for part in cases.split(case.id))
    row: dict[str, object] = {
        "name": name or "(no name)",
        "status": status(case.state),
        "duration": round(case.seconds * 1000),
        "suite": [cell.id, *([group] if group else [])],
        "rawStatus": _raw(case),
        "labels": _labels(cell, case),
    }
    if file:
        row["filePath"] = file
    if case.failure and (case.bad or case.strictly):
        row["message"] = one_line(case.failure.message or case.failure.exception, MESSAGE)
        row["trace"] = block(tracebacks.text(case.failure, case.test, whole=whole), TEXT)
    if case.printed:
        row["stdout"] = block(case.printed, TEXT).split("\n")
    if "message" not in row and case.reason:
        row["message"] = one_line(case.reason, MESSAGE)
    return row


def _attempts(case: Case, again: Sequence[Again], doubt: Doubt | None) -> dict[str, object]:
    """What else is known of how it ends: in the strict pass, and when it was run again."""
    found: list[dict[str, object]] = []
    if case.flaky and case.state == "passed":
        # The strict pass came first, the plain one after it.
        said = one_line(case.failure.message, MESSAGE) if case.failure else ""
        found.append({"status": "failed", "message": said})
    found += [
        {"status": status(cases.state(one.outcome)), "message": f"run again, {HOW[one.how]}"}
        for one in again
    ]
    row: dict[str, object] = {}
    if found:
        row["retries"] = len(found)
        row["retryAttempts"] = [{"attempt": n, **one} for n, one in enumerate(found, 1)]
    failed = any(one["status"] == "failed" for one in found)
    if case.flaky or doubt == "flaky" or (case.state == "passed" and failed):
        row["flaky"] = True
    if doubt:
        row["tags"] = [doubt]
    return row


def _raw(case: Case) -> str:
    """The outcome in djhop's own words: the plain one, and the strict one where that differs."""
    if case.test is None:
        return case.state
    plain, strict = case.test.plain or "none", case.test.strict or "none"
    return plain if plain == strict else f"{plain}, strict: {strict}"


def _labels(cell: RunCell, case: Case) -> dict[str, object]:
    labels: dict[str, object] = {"django": cell.django, "python": cell.python, "kind": case.kind}
    if case.test and case.test.cause:
        labels["cause"] = case.test.cause
    if case.failure:
        labels["owner"] = _name(case.failure.owner.name or case.failure.owner.kind)
    return labels


def _name(text: str) -> str:
    return cut(spelled(text), NAME)
