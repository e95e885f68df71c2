"""What failing tests printed, each distinct text once, as long as a page has room for it."""

from __future__ import annotations

from djhop.reports.html.texts import block
from djhop.reports.signs import number
from djhop.results.eventlog import Printed

#: Characters of one text, which a cell has cut to about eight thousand; and of all together.
LONG, ROOM = 10_000, 3_000_000


class Prints:
    """Gives each text a number; `rows` is what the page gets."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        #: Texts of which the middle is left out, or all.
        self._cut = 0
        self._numbers: dict[Printed, int | None] = {}
        self._room = ROOM

    def number(self, printed: Printed) -> int | None:
        """Return the number of a text, a new one where it was not seen before; None: no room."""
        if printed not in self._numbers:
            text = block(printed.text, LONG)
            self._cut += bool(printed.left_out) or len(text) > self._room
            if len(text) > self._room:
                self._numbers[printed] = None
                return None
            self._room -= len(text)
            self._numbers[printed] = len(self.rows)
            self.rows.append(text)
        return self._numbers[printed]

    def left_out(self) -> list[str]:
        """Say what is not there."""
        if not self._cut:
            return []
        return [f"of {number(self._cut, 'text')} that failing tests printed, the middle or all"]
