"""A run as GitHub Markdown: the same rows as the text, for a summary page or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from djhop import releases
from djhop.reports.clean import inert
from djhop.reports.hops import CauseView, HopView
from djhop.reports.shown import Shown
from djhop.reports.signs import SIGNS
from djhop.reports.summary import Summary, summarise
from djhop.store.record import Run

#: What Markdown could read as more than a character; a backslash stops each.
SPECIAL = re.compile(r"[\\`*_{}\[\]|~$]|^[-+=]")
#: GitHub makes links of these, escaped or not: @name, #12, GH-12, www., http://.
LINKS = re.compile(r"[@#]|://|\bwww\.|\bGH-", re.IGNORECASE)


def render(run: Run) -> str:
    """Return the report of `run` as GitHub Markdown; text from the target is escaped."""
    return from_summary(summarise(run, releases.load()))


def from_summary(summary: Summary) -> str:
    """Lay out a summary that is already made."""
    return inert(re.sub(r"\n{3,}", "\n\n", "\n".join(_lines(summary))) + "\n")


def escape(text: str) -> str:
    """Make `text` mean nothing but itself: no markup, link, mention, table cell or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = SPECIAL.sub(lambda found: "\\" + found[0], text)
    # A zero-width non-joiner breaks a mention or a link, and nothing that a reader sees.
    return LINKS.sub(lambda found: found[0][:-1] + "&#8204;" + found[0][-1:]
                     if len(found[0]) > 1 else found[0] + "&#8204;", text)  # fmt: skip


def code(text: str) -> str:
    """Show `text` as code: fenced by more backticks than it holds, fit for a table cell."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") or not text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _lines(summary: Summary) -> Iterator[str]:
    yield f"## {escape(summary.title)}"
    yield ""
    yield f"**{escape(summary.answer)}**"
    yield ""
    yield from _since(summary)
    yield from _grid(summary)
    for hop in summary.path:
        yield from _hop(hop)
    if summary.beside:
        yield from _heading("Beside the path")
        for hop in summary.beside:
            yield f"- {hop.sign} **{escape(hop.title)}** {hop.verdict} on {escape(hop.fixed)}: " + (
                escape(hop.sentence)
            )
    yield from _standing(summary)
    yield from _steps(summary)
    if summary.coverage:
        yield from _heading("Coverage")
        yield "| cell | covered |"
        yield "|---|---:|"
        yield from (f"| {one.cell} | {one.percent} |" for one in summary.coverage)
    yield from _removals(summary)
    if summary.foretold:
        yield from _heading("What deprecations foretold")
        yield from (f"- {escape(line)}" for line in summary.foretold)
    if summary.flaky.total:
        yield from _heading("Flaky: passed and failed in one cell, counted as neither")
        yield from _items(summary.flaky)
    yield from _doubts(summary)
    yield ""
    yield f"<sub>{escape(summary.footer)}</sub>"


def _since(summary: Summary) -> Iterator[str]:
    if summary.since is None:
        return
    yield from _heading(escape(summary.since.title))
    for row in summary.since.rows:
        yield f"- {row.sign} {escape(row.text)}" + (f": {escape(row.note)}" if row.note else "")
        yield from (f"  {line}" for line in _items(row.tests))
        if row.hint:
            yield f"  - {code(row.hint)}"
    yield ""


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield f"### {text}"
    yield ""


def _grid(summary: Summary) -> Iterator[str]:
    yield "| | " + " | ".join(f"Django {series}" for series in summary.series) + " |"
    yield "|---" * (len(summary.series) + 1) + "|"
    for python in summary.pythons:
        row = [f"**Python {python}**"]
        for series in summary.series:
            square = summary.grid.get((python, series))
            if square is None:
                row.append("")
                continue
            text = f"{square.sign} {escape(square.count)}".strip() + f"<br>{square.status}"
            row.append(f"▸ {text}" if square.on_path else text)
        yield "| " + " | ".join(row) + " |"
    yield ""
    yield "▸ the path"


def _hop(hop: HopView) -> Iterator[str]:
    may_fail = ", may fail" if hop.may_fail else ""
    yield from _heading(
        f"{hop.sign} {escape(hop.title)}: {hop.verdict} (on {escape(hop.fixed)}{may_fail})"
    )
    yield escape(hop.sentence)
    yield ""
    if hop.details:
        yield from _items(hop.details)
    for cause in hop.causes:
        yield from _cause(cause)
    yield from _more(hop.more_causes, "causes")
    for shown in (*hop.lists, *hop.steps):
        yield f"- {shown.total:,} {escape(shown.label)}"
        yield from (f"  {line}" for line in _items(shown))
    if hop.peel:
        yield f"- {escape(hop.peel.label)}"
        yield from (f"  {line}" for line in _items(hop.peel))
    for told in hop.crossing:
        yield f"- {escape(told.label)}"
        yield from (f"  {line}" for line in _items(told))
    if hop.deprecated:
        yield ""
        yield "Newly deprecated:"
        yield ""
        for cause in hop.deprecated:
            yield from _cause(cause)
        yield from _more(hop.more_deprecated, "causes")
    if hop.moves:
        yield ""
        yield escape(hop.moves.label)
        yield ""
        yield from _items(hop.moves)


def _cause(cause: CauseView) -> Iterator[str]:
    why = f" ({escape(cause.why)})" if cause.why else ""
    where = f"in {escape(cause.where)}{why}; cause {code(cause.id)}"
    yield f"- **{cause.count}** {code(cause.headline)}<br>{where}"
    if cause.known:
        yield f"  - {escape(cause.known)} ([release notes]({cause.link}))"
    if cause.remedy:
        yield f"  - {escape(cause.remedy)}"
    if cause.fix:
        yield f"  - {escape(cause.fix)}"
    if cause.modules:
        more = f", … and {cause.modules.more:,} more" if cause.modules.more else ""
        yield f"  - behind it: {', '.join(code(item) for item in cause.modules.items)}{more}"
    if cause.blamed:
        yield f"  - bisect: {' '.join((escape(cause.blamed), *(f'<{u}>' for u in cause.links)))}"
    if cause.example and cause.example not in cause.reproduce:
        yield f"  - e.g. {code(cause.example)}"
    if cause.reproduce:
        yield f"  - {code(cause.reproduce)}"


def _standing(summary: Summary) -> Iterator[str]:
    if summary.standing:
        yield from _heading("Red, and no hop of this run is to blame")
    for red in summary.standing:
        yield f"{red.sign} **{red.cell}** {red.status}"
        yield ""
        for cause in red.causes:
            yield from _cause(cause)
        yield from _more(red.more, "causes")
        yield ""


def _steps(summary: Summary) -> Iterator[str]:
    if not summary.steps.cells:
        return
    yield from _heading("Django's own upgrade steps")
    yield "| cell | |"
    yield "|---|---|"
    for cell in summary.steps.cells:
        sign = f"{SIGNS['bad']} " * cell.bad
        yield f"| {sign}{cell.cell} | {escape(cell.line).replace('; ', '<br>')} |"
    facts = summary.steps.facts
    if facts.total:
        yield ""
        yield f"{facts.total:,} {facts.label}:"
        yield ""
        yield from _items(facts)


def _removals(summary: Summary) -> Iterator[str]:
    if not summary.removals:
        return
    yield from _heading("Deprecations")
    for removal in summary.removals:
        relation = f" ({escape(removal.relation)})" if removal.relation else ""
        yield f"- **{escape(removal.title)}**{relation}: {escape(removal.count)}"
        for use in removal.uses:
            yield f"  - {code(use.place)} {code(use.headline)}, {escape(use.owner)}, " + escape(
                use.seen
            )
        yield from (f"  {line}" for line in _more(removal.more, "uses"))


def _doubts(summary: Summary) -> Iterator[str]:
    if summary.unknowns:
        yield from _heading("What djhop could not know")
    for unknown in summary.unknowns:
        hint = f" {code(unknown.hint)}" if unknown.hint else ""
        yield f"- {escape(unknown.text)}{hint}"
    if summary.notes:
        yield from _heading("Assumed, and noted")
    yield from (f"- {escape(note)}" for note in summary.notes)


def _items(shown: Shown) -> Iterator[str]:
    yield from (f"- {code(item)}" for item in shown.items)
    if shown.items:
        yield from _more(shown.more, "")


def _more(count: int, what: str) -> Iterator[str]:
    if count:
        yield f"- … and {count:,} more {what}".rstrip()
