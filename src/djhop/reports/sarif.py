"""A run as SARIF 2.1.0: what breaks and what is deprecated, at its line of the target.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

import gzip
import re
from urllib.parse import quote

import djhop
from djhop.reports import issues
from djhop.reports.issues import Issue
from djhop.reports.json import flat
from djhop.store.record import Run

#: What GitHub takes: results of a run (of which it shows 5,000), and bytes when compressed.
#: https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads
RESULTS, GZIPPED = 25_000, 10_000_000
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: Paths are relative to the target's root, which each reader knows for itself.
BASE = "SRCROOT"

_LINK = re.compile(r"\[(?=[^\]]*\]\()")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def render(run: Run, results: int = RESULTS, gzipped: int = GZIPPED) -> str:
    """Return `run` as SARIF; what has no line in the target, or no room, is counted in it."""
    found = issues.of(run)
    placed = [issue for issue in found if issue.path]
    shown = placed[:results]
    while True:
        said = [*issues.unjudged(run), *_left_out(found, len(placed), len(shown))]
        text = flat(_log(run, shown, said)) + "\n"
        if not shown or len(gzip.compress(text.encode(), 6)) <= gzipped:
            return text
        shown = shown[: len(shown) // 2]


def _left_out(found: tuple[Issue, ...], placed: int, shown: int) -> list[str]:
    nowhere = len(found) - placed
    said = [f"{nowhere:,} issues have no line in the target: djhop report names them"]
    more = [f"{placed - shown:,} issues are left out for want of room, the least important first"]
    return said * bool(nowhere) + more * (placed > shown)


def _log(run: Run, shown: list[Issue], said: list[str]) -> dict[str, object]:
    rules: dict[str, Issue] = {}
    for issue in shown:
        rules.setdefault(issue.rule, issue)
    index = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "djhop",
        "semanticVersion": djhop.__version__,
        "rules": [_rule(name, first) for name, first in rules.items()],
    }
    done = {
        "executionSuccessful": run.complete,
        "startTimeUtc": run.started,
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": line}} for line in said
        ],
    }
    base = {"description": {"text": "the root of the project that was tested"}}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": "djhop/"},
                "invocations": [done],
                "originalUriBaseIds": {BASE: base},
                "columnKind": "unicodeCodePoints",
                "results": [_result(issue, index[issue.rule]) for issue in shown],
            }
        ],
    }


def _rule(name: str, first: Issue) -> dict[str, object]:
    said = {
        "break": f"{first.what} where a test passed before a hop",
        "red": f"{first.what} in a test that no hop of the run is to blame for",
        "step": f"{first.what}: what fails one of Django's own upgrade steps",
        "deprecation": f"{first.what}: a use of what will be removed",
    }[first.kind]
    how = "Each result says what it breaks, whose code it is, and what to type to see it."
    return {
        "id": name,
        "name": f"{first.kind.title()}{first.what}",
        "shortDescription": {"text": said},
        "fullDescription": {"text": f"{said}."},
        "help": {"text": how},
        "defaultConfiguration": {"level": first.level},
        "properties": {"tags": ["django", first.kind]},
    }


def _result(issue: Issue, rule: int) -> dict[str, object]:
    place = {
        "artifactLocation": {"uri": quote(issue.path, errors="replace"), "uriBaseId": BASE},
        "region": {"startLine": issue.line},
    }
    run_it = f" To see it: {issue.reproduce}" if issue.reproduce else ""
    return {
        "ruleId": issue.rule,
        "ruleIndex": rule,
        "level": issue.level,
        "message": {"text": _plain(issue.text + run_it)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"djhop/v1": issue.fingerprint},
        "properties": {"owner": issue.owner, "tests": issue.tests, "cells": list(issue.cells)},
    }


def _plain(text: str) -> str:
    """Keep a message from holding links and placeholders: SARIF 2.1.0, 3.11.5 and 3.11.6."""
    return _PLACEHOLDER.sub(r"{{\1}}", _LINK.sub(r"\\[", text))
