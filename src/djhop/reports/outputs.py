"""Every form of a run's report by its name, as pieces of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from djhop.reports import (
    ctrf,
    github,
    json,
    jsonl,
    junit,
    markdown,
    pairs,
    quality,
    sarif,
    text,
    workflow,
)
from djhop.results.results import CellResult
from djhop.store.record import Run

Cells: TypeAlias = Mapping[str, CellResult]
Form: TypeAlias = Callable[[Run, Cells], Iterable[str]]


def _whole(render: Callable[[Run], str]) -> Form:
    return lambda run, _: (render(run),)


def _gitlab_junit(run: Run, cells: Cells) -> Iterator[str]:
    return junit.lines(run, pairs.of(run, cells), junit.GITLAB)


#: Name → what makes it. Those that need every test read the cells one after the other.
FORMS: dict[str, Form] = {
    "text": _whole(text.render),
    "markdown": _whole(markdown.render),
    "json": _whole(json.render),
    "jsonl": lambda run, cells: jsonl.lines(run, pairs.of(run, cells)),
    "junit": lambda run, cells: junit.lines(run, pairs.of(run, cells)),
    "ctrf": lambda run, cells: ctrf.lines(run, pairs.of(run, cells)),
    "sarif": _whole(sarif.render),
    "github-summary": _whole(github.step_summary),
    "github-comment": _whole(github.comment),
    "github-annotations": _whole(workflow.render),
    "gitlab-junit": _gitlab_junit,
    "gitlab-quality": _whole(quality.render),
}
#: Forms of coverage: they need the target's sources too.
COVERAGE = ("cobertura", "lcov")
