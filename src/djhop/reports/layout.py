"""Lines of a terminal: folded to its width, indented, cut where they are too many."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from djhop.reports.clean import cut
from djhop.reports.paint import Paint
from djhop.reports.shown import Shown

NARROWEST, WIDEST = 60, 120
#: What `Paint` puts around a text.
COLOR = re.compile("\x1b\\[\\d+m")


class Layout:
    """What texts for a terminal are made with: `width` columns, colours or none."""

    def __init__(self, paint: Paint, width: int) -> None:
        self.paint = paint
        self.width = min(max(width, NARROWEST), WIDEST)

    def heading(self, text: str) -> Iterator[str]:
        yield ""
        yield self.paint.bold(text)

    def items(self, shown: Shown, indent: str) -> Iterator[str]:
        for item in shown.items:
            yield from self.wrap(item, indent=indent, hanging=f"{indent}  ")
        yield from self.more(shown.more, "", indent)

    def more(self, count: int, what: str, indent: str) -> Iterator[str]:
        if count:
            yield self.paint.dim(f"{indent}… and {count:,} more {what}".rstrip())

    def columns(self, items: list[str]) -> Iterator[str]:
        """Put short items side by side, as many as fit."""
        wide = max(len(item) for item in items) + 4
        per_line = max((self.width - 2) // wide, 1)
        for start in range(0, len(items), per_line):
            yield "  " + "".join(f"{item:<{wide}}" for item in items[start : start + per_line])

    def wrap(
        self, text: str, *, indent: str = "", hanging: str | None = None, style: object = None
    ) -> Iterator[str]:
        lines = textwrap.wrap(
            text.replace(" → ", "\xa0→\xa0"),  # "4.2 → 5.2" stays on one line
            self.width,
            initial_indent=indent,
            subsequent_indent=" " * len(indent) if hanging is None else hanging,
            break_on_hyphens=False,
        )
        for line in lines:
            spaced = line.replace("\xa0", " ")
            yield style(spaced) if callable(style) else spaced

    def rows(self, lines: Sequence[str]) -> int:
        """How many rows of the terminal these lines take: what is not folded runs over."""
        return sum(-(-max(len(COLOR.sub("", line)), 1) // self.width) for line in lines)

    def few(
        self, text: str, most: int, *, indent: str = "", hanging: str | None = None
    ) -> tuple[str, ...]:
        """Fold like `wrap`, to at most so many lines; what is cut is seen to be."""
        lines = tuple(self.wrap(text, indent=indent, hanging=hanging))
        if len(lines) <= most:
            return lines
        return (*lines[: most - 1], cut(f"{lines[most - 1]} {lines[most].lstrip()}", self.width))
