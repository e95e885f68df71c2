"""The Markdown report, cut to what GitHub takes: a step's summary, a pull request's comment."""

from __future__ import annotations

from collections.abc import Callable

from djhop import releases
from djhop.reports import markdown
from djhop.reports.summary import summarise
from djhop.store.record import Run

#: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions (1 MiB)
SUMMARY_BYTES = 1 << 20
COMMENT_CHARACTERS = 65_535
#: By this a later run finds its comment again.
MARK = "<!-- djhop -->"
#: How long the lists are, from all that helps to what has to be said.
LIMITS = (100, 30, 8, 3, 1)


def step_summary(run: Run, room: int = SUMMARY_BYTES) -> str:
    """Return the report for `$GITHUB_STEP_SUMMARY`, of at most `room` bytes."""
    return _fitting(run, "", room, lambda text: len(text.encode()), LIMITS)


def comment(run: Run, room: int = COMMENT_CHARACTERS) -> str:
    """Return the report for a pull request's comment, of at most `room` characters."""
    return _fitting(run, f"{MARK}\n", room, len, LIMITS[2:])


def _fitting(
    run: Run, head: str, room: int, size: Callable[[str], int], limits: tuple[int, ...]
) -> str:
    """The report with the longest lists that fit: each says how many more there are."""
    known = releases.load()
    text = ""
    for limit in limits:
        text = head + markdown.from_summary(summarise(run, known, limit=limit))
        if size(text) <= room:
            return text
    return _cut(text, room, size)


def _cut(text: str, room: int, size: Callable[[str], int]) -> str:
    """The first lines that fit, and how many are left out; a line is whole or not there."""
    lines = text.splitlines(keepends=True)
    left = room - 200
    kept = 0
    for line in lines:
        left -= size(line)
        if left < 0:
            break
        kept += 1
    more = f"\n{len(lines) - kept:,} more lines are left out for want of room: djhop report\n"
    return "".join(lines[:kept]) + more
