"""A run as GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/"""

from __future__ import annotations

from djhop.reports import issues
from djhop.reports.clean import spelled
from djhop.reports.issues import Issue, Level
from djhop.reports.json import indented
from djhop.store.record import Run

_SEVERITY: dict[Level, str] = {"error": "critical", "warning": "major", "note": "minor"}
#: A report shows no more than a person reads; the rest is counted in the last entry.
ENTRIES = 5_000
#: GitLab wants a place for each entry: what has no line in the target is counted at its root.
NOWHERE = "."


def render(run: Run, entries: int = ENTRIES) -> str:
    """Return `run` as a list of entries; what has no line in the target is counted in the last."""
    found = issues.of(run)
    placed = [issue for issue in found if issue.path]
    rows = [_entry(issue) for issue in placed[:entries]]
    nowhere, cut = len(found) - len(placed), len(placed[entries:])
    said = [*issues.unjudged(run)]
    said += [f"{nowhere:,} issues have no line in the target: djhop report names them"] * (
        nowhere > 0
    )
    said += [f"{cut:,} issues are left out here: djhop report names them"] * (cut > 0)
    rows += [_said(number, line) for number, line in enumerate(said)]
    return indented(rows) + "\n"


def _entry(issue: Issue) -> dict[str, object]:
    return {
        "description": issue.text,
        "check_name": issue.rule,
        "fingerprint": f"{issue.kind}-{issue.fingerprint}",
        "severity": _SEVERITY[issue.level],
        "location": {"path": spelled(issue.path), "lines": {"begin": issue.line}},
    }


def _said(number: int, line: str) -> dict[str, object]:
    return {
        "description": line,
        "check_name": "djhop/note",
        "fingerprint": f"note-{number}",
        "severity": "info",
        "location": {"path": NOWHERE, "lines": {"begin": 1}},
    }
