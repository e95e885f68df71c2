"""Long lines, folded to a width."""

from __future__ import annotations

import re
import textwrap

#: A text is never folded to less than this many columns, nor laid out over more.
NARROWEST, WIDEST = 60, 100

#: "4.2 → 5.2" and commands stay on one line.
_WHOLE = re.compile(r" → |`[^`]{1,50}`")


def columns(width: int) -> int:
    """The columns that a text is laid out over where there are `width`."""
    return min(max(width, NARROWEST), WIDEST)


def fold(line: str, width: int, hang: int = 0) -> list[str]:
    """Fold at spaces to `width` columns; what follows the first line is indented by `hang`.

    A word that is longer than a line, such as a path, stays whole: it can be pasted.
    """
    words = line.lstrip()
    lines = textwrap.wrap(
        _WHOLE.sub(lambda found: found[0].replace(" ", "\xa0"), words),
        width,
        initial_indent=line[: len(line) - len(words)],
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [one.replace("\xa0", " ") for one in lines]
