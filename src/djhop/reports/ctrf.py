"""A run as CTRF, the Common Test Report Format, written cell by cell: https://ctrf.io/

One document holds every cell; a test's suite begins with its cell.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import assert_never

import djhop
from djhop.reports import cases, tracebacks
from djhop.reports.cases import Case, State
from djhop.reports.clean import block, cut, one_line, spelled
from djhop.reports.json import flat
from djhop.reports.pairs import Pair
from djhop.store.record import Run, RunCell

#: Of the specification that the documents keep to.
SPEC = "0.0.0"
#: Characters of a name, of a message, and of a traceback.
NAME, MESSAGE, TEXT = 1_000, 500, 10_000
#: Tests per cause in one cell that come with a traceback; the others have equal ones.
TRACEBACKS = 20


def lines(run: Run, pairs: Iterable[Pair]) -> Iterator[str]:
    """Yield the document in pieces, one per cell; the summary comes last."""
    tool = {"name": "djhop", "version": djhop.__version__}
    head = {"reportFormat": "CTRF", "specVersion": SPEC, "generatedBy": f"djhop {run.djhop}"}
    yield flat(head)[:-1] + f',"results":{{"tool":{flat(tool)},"tests":['
    counted: Counter[str] = Counter()
    first = True
    for cell, result in pairs:
        rows = list(_rows(cell, cases.of(cell, result)))
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


def _rows(cell: RunCell, found: tuple[Case, ...]) -> Iterator[dict[str, object]]:
    seen: Counter[str] = Counter()
    for case in found:
        cause = case.test.cause if case.test else ""
        seen[cause] += 1
        yield _row(cell, case, whole=not cause or seen[cause] <= TRACEBACKS)


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
    if case.flaky and case.state == "passed":
        # The strict pass came first, the plain one after it.
        said = one_line(case.failure.message, MESSAGE) if case.failure else ""
        row |= {"flaky": True, "retries": 1}
        row["retryAttempts"] = [{"attempt": 1, "status": "failed", "message": said}]
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
