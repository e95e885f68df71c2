"""Texts of a target, as a page may show them: several lines, nothing hidden, cut and counted."""

from __future__ import annotations

from djhop.reports.clean import one_line, spelled

#: Characters of one message; of those that follow the first few of a cause; when space is short.
LONG, SHORT, SHORTEST = 4_000, 600, 160
#: Messages of one cause that may be long.
FIRST = 20
#: Characters of messages that a page holds before all further ones are cut to the shortest.
ROOM = 6_000_000
#: Characters of an id, a place or another text of one line.
LINE = 1_000


class Texts:
    """Makes texts safe to show, and counts what it cuts."""

    def __init__(self) -> None:
        #: How many messages were cut.
        self.cut = 0
        self._used = 0
        self._of_cause: dict[str, int] = {}

    def message(self, text: str, cause: str) -> str:
        """Return a message of several lines, as long as there is room for it."""
        seen = self._of_cause[cause] = self._of_cause.get(cause, 0) + 1
        limit = LONG if seen <= FIRST else SHORT
        limit = limit if self._used < ROOM else SHORTEST
        self.cut += len(text) > limit
        kept = block(text, limit)
        self._used += len(kept)
        return kept


def block(text: str, limit: int) -> str:
    """Spell out what a page must not hold, line by line; what is cut ends in "…"."""
    lines = text[:limit].replace("\r\n", "\n").expandtabs(4).split("\n")
    kept = "\n".join(spelled(line) for line in lines)
    return kept[: 2 * limit] + ("…" if len(text) > limit else "")


def line(text: str) -> str:
    """Return the first line that says something, safe to show."""
    return one_line(text, LINE)
