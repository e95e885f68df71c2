"""The answer as text, Markdown, HTML and JSON: dumb, for all of it is computed before."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from djhop.readiness.judge import Readiness, Section
from djhop.readiness.verdict import Gate, State, Verdict
from djhop.reports import json
from djhop.reports.clean import inert, page
from djhop.reports.html import page as html_page
from djhop.reports.markdown import code, escape
from djhop.reports.signs import SIGNS, Tone

TONES: dict[State, Tone] = {
    "met": "good",
    "condition": "warn",
    "unmet": "bad",
    "unknown": "unknown",
    "told": "unknown",
}
VERDICTS: dict[Verdict, Tone] = {
    "ready": "good",
    "ready with conditions": "warn",
    "not ready": "bad",
    "unknown": "unknown",
}
#: What "told" has instead of a sign: it counts nowhere.
TOLD = "·"


def as_json(found: Readiness) -> str:
    """Return the answer as JSON, indented."""
    return json.indented(found)


def text(found: Readiness, *, width: int = 80) -> str:
    """Return the answer for a terminal of `width` columns."""
    return page("\n".join(_text(found, max(width, 40))) + "\n")


def _text(found: Readiness, width: int) -> Iterator[str]:
    yield from textwrap.wrap(f"{SIGNS[VERDICTS[found.verdict]]} {found.said}", width)
    yield from textwrap.wrap(_below(found), width)
    yield ""
    widest = max((len(one.name) for one in found.gates), default=0)
    for one in found.gates:
        start = f"  {sign(one)} {one.name:<{widest}}  "
        yield from _wrapped(start, one.said, width)
        for line in one.more:
            yield from _wrapped(f"{' ' * len(start)}- ", line, width)
        if one.hint:
            yield f"{' ' * len(start)}→ {one.hint}"
    for section in found.sections:
        yield ""
        yield section.title
        for shown in section.lists:
            yield from _wrapped("  ", shown.label, width)
            for item in shown.items:
                yield from _wrapped("    - ", item, width)
            if shown.more and shown.items:
                yield f"    … and {shown.more:,} more"


def _wrapped(start: str, words: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        words,
        width,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [start.rstrip()]


def sign(one: Gate) -> str:
    """What stands for a gate's state."""
    return TOLD if one.state == "told" else SIGNS[TONES[one.state]]


def _below(found: Readiness) -> str:
    today = f"Django {found.today} today, " if found.today else ""
    return f"{today}asked for {found.by}, read from run {found.run}"


def markdown(found: Readiness) -> str:
    """Return the answer as GitHub Markdown; text from the target is escaped."""
    return inert("\n".join(_markdown(found)) + "\n")


def _markdown(found: Readiness) -> Iterator[str]:
    yield f"## {SIGNS[VERDICTS[found.verdict]]} {escape(found.said)}"
    yield ""
    yield escape(_below(found))
    yield ""
    yield "| | gate | state | |"
    yield "|---|---|---|---|"
    for one in found.gates:
        more = "".join(f"<br>{escape(line)}" for line in one.more)
        hint = f"<br>→ {code(one.hint)}" if one.hint else ""
        yield f"| {sign(one)} | {one.name} | {one.state} | {escape(one.said)}{more}{hint} |"
    for section in found.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"### {section.title}"
    yield ""
    for shown in section.lists:
        yield f"- {escape(shown.label)}"
        yield from (f"  - {escape(item)}" for item in shown.items)
        if shown.more and shown.items:
            yield f"  - … and {shown.more:,} more"


def html(found: Readiness) -> str:
    """Return the answer as one HTML page that asks nobody for anything and runs no script."""
    style = html_page.part("ready.css")
    return (
        html_page.templates()
        .get_template("ready.html")
        .render(
            found=found,
            below=_below(found),
            tone=VERDICTS[found.verdict],
            signs={one.name: sign(one) for one in found.gates},
            tones=TONES,
            style=style,
            style_hash=html_page.digest(style),
        )
    )
