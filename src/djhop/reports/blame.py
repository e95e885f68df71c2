"""What bisects found: the paragraph of each, and every run behind it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from djhop.reports.clean import one_line, page
from djhop.reports.json import indented
from djhop.reports.signs import SIGNS, Tone
from djhop.store.blame import Answer, Blame, Tried

_TONES: dict[Answer, Tone] = {"good": "good", "bad": "bad", "skip": "unknown"}
#: As much of one paragraph is shown: tests can be called anything.
LONGEST = 4000


def as_json(found: Iterable[Blame]) -> str:
    """Every record, as in `bisect/<id>.json`."""
    return indented(list(found)) + "\n"


def text(found: Iterable[Blame], *, width: int = 80) -> str:
    """For each bisect its runs, then the paragraph on a line of its own, to be pasted."""
    return page("\n".join(line for blame in found for line in _lines(blame, width)) + "\n")


def _lines(blame: Blame, width: int) -> Iterator[str]:
    for one in blame.tried:
        yield from textwrap.wrap(_tried(one), width, subsequent_indent="    ")
    yield ""
    yield one_line(blame.text, LONGEST)
    yield ""


def _tried(one: Tried) -> str:
    why = f": {one_line(one.said, 200)}" if one.said and one.answer != "bad" else ""
    return f"{SIGNS[_TONES[one.answer]]} {one.answer:4}  {one.label}{why}"
