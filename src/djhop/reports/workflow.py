"""A run as GitHub's workflow commands: a step that prints them annotates the lines they name.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from djhop import releases
from djhop.reports import issues
from djhop.reports.issues import Issue, Level
from djhop.reports.summary import summarise
from djhop.store.record import Run

#: GitHub shows so many of each kind that one step prints (and 50 of a job).
EACH = 10
_COMMANDS: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}


def render(run: Run, each: int = EACH) -> str:
    """Return the commands, one a line; the last notice says the answer, and what is left out."""
    return "".join(f"{line}\n" for line in _lines(run, each))


def _lines(run: Run, each: int) -> Iterator[str]:
    found = issues.of(run)
    unjudged = issues.unjudged(run)
    left = 0
    for level in _COMMANDS:
        said = [("", line) for line in unjudged] if level == "warning" else []
        mine = [issue for issue in found if issue.level == level]
        # The last notice is djhop's own.
        room = each - len(said[:each]) - (level == "note")
        left += max(len(mine) - room, 0) + len(said[each:])
        yield from (_command("warning", {}, line) for _, line in said[:each])
        yield from (_issue(issue) for issue in mine[:room])
    more = f" {left:,} more are not shown here: djhop report names them." if left else ""
    yield _command("notice", {"title": "djhop"}, summarise(run, releases.load()).answer + more)


def _issue(issue: Issue) -> str:
    where = {"file": issue.path, "line": str(issue.line)} if issue.path else {}
    return _command(_COMMANDS[issue.level], {**where, "title": issue.title}, issue.text)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' * bool(said)}{said}::{_data(message)}"


def _data(text: str) -> str:
    """Escape as the runner unescapes: nothing ends the line, nothing else is a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
