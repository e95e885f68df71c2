"""One count everywhere: what each output of a run says, against `run.json`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

import faces
import junitparser
from junitparser import xunit2

from djhop.reports import grid, issues, outputs, screen, text, workflow
from djhop.reports.summary import count
from djhop.results.results import CellResult
from djhop.store.record import Run

Made = tuple[Run, dict[str, CellResult]]


def made(form: str, run: Made) -> str:
    """One output of a run."""
    return "".join(outputs.pieces(form, *run))


def suites(text: str) -> dict[str, junitparser.TestSuite]:
    """The suites of JUnit XML by name, as a reader sees them."""
    return {suite.name: suite for suite in xunit2.JUnitXml.fromstring(text.encode())}


def check(run: Made) -> None:
    """Fail where any output of `run` counts otherwise than `run.json`."""
    faces.check(run)
    expected = bad(run)
    for form in ("junit", "gitlab-junit"):
        found = suites(made(form, run))
        assert {name: suite.failures + suite.errors for name, suite in found.items()} == expected
        listed = {name: sum(1 for _ in suite) for name, suite in found.items()}
        assert listed == {name: suite.tests for name, suite in found.items()}
    document = json.loads(made("ctrf", run))["results"]
    failed = Counter(t["suite"][0] for t in document["tests"] if t["status"] == "failed")
    assert {name: failed[name] for name in expected} == expected
    assert document["summary"]["failed"] == sum(expected.values())
    assert document["summary"]["tests"] == len(document["tests"])
    assert sum(suite.tests for suite in suites(made("junit", run)).values()) == len(
        document["tests"]
    )
    rows = [json.loads(line) for line in made("jsonl", run).splitlines()]
    for cell in run[0].cells:
        mine = [row for row in rows if row["cell"] == cell.id]
        tests = [row for row in mine if row["kind"] == "test"]
        red = [row for row in tests if row["state"] in ("failed", "error")]
        assert (len(red), len(tests) - sum(r["state"] == "absent" for r in tests)) == (
            cell.failing,
            cell.ran,
        )
        head = next(row for row in mine if row["kind"] == "cell")
        assert (head["failing"], head["ran"]) == (cell.failing, cell.ran)
        for face in (text.render(run[0]), made("markdown", run), made("github-summary", run)):
            assert count(cell) in face
        if cell.status in grid.COUNTED:
            assert count(cell) in screen.render(run[0])
    breaks = sum(1 for cause in run[0].causes if cause.hops)
    found_issues = issues.of(run[0])
    assert sum(issue.kind == "break" for issue in found_issues) == breaks
    told = {cell for issue in found_issues if issue.kind == "step" for cell in issue.cells}
    assert bool(told) == bool(bad_steps(run)) and told <= {cell for cell, _ in bad_steps(run)}
    red = [row for row in rows if row["kind"] == "step" and row["state"] in ("failed", "error")]
    steps = {(row["cell"], row["name"]) for row in red if not row["name"].startswith("upgrade")}
    assert steps == {(cell, name) for cell, name in bad_steps(run) if ".." not in name}
    assert sum(i.kind == "deprecation" for i in found_issues) == len(run[0].deprecations)
    for shown, said in (sarif_counts(run), quality_counts(run), workflow_counts(run)):
        assert shown + said == len(found_issues)


def cell_errors(run: Made) -> dict[str, int]:
    """1 for a cell whose status is told by no test, as this file has it and not as djhop does."""
    fine = {"passed", "deprecated", "failed", "unsupported"}
    asked = {"not-run"} if run[1] else set()
    return {
        cell.id: int(cell.status not in fine and not (cell.status in asked and cell.id in run[1]))
        for cell in run[0].cells
    }


def bad(run: Made) -> dict[str, int]:
    """Failures of each cell: failing tests, dead modules, steps, and the cell itself."""
    extra = cell_errors(run)
    found = {c.id: c.failing + len(c.dead_modules) + extra[c.id] for c in run[0].cells}
    for cell, _ in bad_steps(run):
        found[cell] += 1
    return found


def bad_steps(run: Made) -> set[tuple[str, str]]:
    """Cell and name of each of Django's own steps that fails, by what the cells hold."""
    failing = {
        (cell, name)
        for cell, result in run[1].items()
        for name, step in result.steps.items()
        if step.status in ("failed", "timed-out") or any(f.level == "error" for f in step.findings)
    }
    crossed = {(hop.after, hop.id) for hop in run[0].hops if hop.crossing and hop.crossing.broke}
    return failing | crossed


def said(texts: Iterable[str]) -> int:
    """How many issues a reader is told are not shown."""
    pattern = re.compile(r"([\d,]+) (?:issues|more) (?:have no|are)")
    return sum(int(n.replace(",", "")) for text in texts for n in pattern.findall(text))


def sarif_counts(run: Made) -> tuple[int, int]:
    (only,) = json.loads(made("sarif", run))["runs"]
    notes = only["invocations"][0]["toolExecutionNotifications"]
    return len(only["results"]), said(note["message"]["text"] for note in notes)


def quality_counts(run: Made) -> tuple[int, int]:
    rows = json.loads(made("gitlab-quality", run))
    shown = [row for row in rows if row["check_name"] != "djhop/note"]
    return len(shown), said(row["description"] for row in rows)


def workflow_counts(run: Made) -> tuple[int, int]:
    lines = made("github-annotations", run).splitlines()
    unjudged = len(issues.unjudged(run[0]))
    shown = [
        line for line in lines if "title=" in line and not line.startswith("::notice title=djh")
    ]
    alone = min(unjudged, workflow.EACH)
    assert len(lines) == len(shown) + alone + 1
    return len(shown), said(lines[-1:]) - (unjudged - alone)
