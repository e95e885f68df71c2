"""Every form of a run's report by its name, as pieces of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from djhop.reports import (
    ctrf,
    durations,
    github,
    json,
    jsonl,
    junit,
    markdown,
    pairs,
    picture,
    quality,
    sarif,
    text,
    workflow,
)
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult
from djhop.store.record import Run

Cells: TypeAlias = Mapping[str, CellResult]
#: What was run again, by hops' ids.
Again: TypeAlias = Mapping[str, Reruns]
Form: TypeAlias = Callable[[Run, Cells, Again], Iterable[str]]


def _whole(render: Callable[[Run], str]) -> Form:
    return lambda run, *_: (render(run),)


#: Name → what makes it. Those that need every test read the cells one after the other.
FORMS: dict[str, Form] = {
    "text": _whole(text.render),
    "markdown": _whole(markdown.render),
    "json": _whole(json.render),
    "svg": _whole(picture.render),
    "badge": _whole(picture.badge),
    "durations": _whole(durations.render),
    "jsonl": lambda run, cells, again: jsonl.lines(run, pairs.of(run, cells), reruns=again),
    "ctrf": lambda run, cells, again: ctrf.lines(run, pairs.of(run, cells), reruns=again),
    "sarif": _whole(sarif.render),
    "github-summary": _whole(github.step_summary),
    "github-comment": _whole(github.comment),
    "github-annotations": _whole(workflow.render),
    "gitlab-quality": _whole(quality.render),
}
#: JUnit XML, and what its reader takes.
JUNIT: dict[str, junit.Budget | None] = {"junit": None, "gitlab-junit": junit.GITLAB}
#: One page, which shows the lines that coverage saw: it needs the run's folder.
HTML = "html"
#: Forms of coverage: they need the target's sources too.
COVERAGE = ("cobertura", "lcov")


def pieces(form: str, run: Run, cells: Cells, reruns: Again | None = None) -> Iterable[str]:
    """Return a run's report in a form of `FORMS` or `JUNIT`, piece by piece."""
    if form in JUNIT:
        return junit.lines(run, pairs.of(run, cells), JUNIT[form], reruns=reruns)
    return FORMS[form](run, cells, reruns or {})
