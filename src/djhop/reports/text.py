"""A run as text, whole: the answer, the grid, each hop with all it has, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator

from djhop import releases
from djhop.reports import grid
from djhop.reports.ahead import RemovalView
from djhop.reports.clean import inert
from djhop.reports.hops import CauseView, HopView
from djhop.reports.layout import Layout
from djhop.reports.paint import Paint
from djhop.reports.shown import Shown
from djhop.reports.since import SinceView, lines
from djhop.reports.steps import StepsView
from djhop.reports.summary import Standing, Summary, summarise
from djhop.store.record import Run


def render(run: Run, *, color: bool = False, width: int = 80) -> str:
    """Return the report of `run` as text of at most `width` columns.

    Commands and addresses are never broken, however long they are. Colour adds ANSI escapes and
    nothing else: every state has a sign and a word too.
    """
    return from_summary(summarise(run, releases.load()), color=color, width=width)


def from_summary(summary: Summary, *, color: bool = False, width: int = 80) -> str:
    """Lay out a summary that is already made."""
    page = _Page(Paint(color), width)
    return inert("\n".join(line.rstrip() for line in page.lines(summary)) + "\n")


class _Page(Layout):
    def lines(self, summary: Summary) -> Iterator[str]:
        yield self.paint.bold(summary.title)
        yield ""
        yield from self.wrap(summary.answer, style=self.paint.tone(summary.tone))
        if summary.since:
            yield from self.since(summary.since)
        yield ""
        yield from grid.lines(summary, self.paint, self.width)
        for hop in summary.path:
            yield ""
            yield from self.hop(hop)
        if summary.beside:
            yield from self.heading("Beside the path")
            for hop in summary.beside:
                yield from self.short(hop)
        yield from self.standing(summary.standing)
        if summary.steps.cells:
            yield from self.steps(summary.steps)
        if summary.coverage:
            yield from self.heading("Coverage")
            yield from self.columns([f"{one.cell}  {one.percent:>7}" for one in summary.coverage])
        if summary.removals:
            yield from self.heading("Deprecations")
            for removal in summary.removals:
                yield from self.removal(removal)
        if summary.foretold:
            yield from self.heading("What deprecations foretold")
            for line in summary.foretold:
                yield from self.wrap(line, indent="  ", hanging="    ")
        if summary.flaky.total:
            yield from self.heading("Flaky: passed and failed in one cell, counted as neither")
            yield from self.items(summary.flaky, "  ")
        yield from self.doubts(summary)
        yield ""
        for line in (summary.footer, "everything, lists uncut: its run.json and cells/*/cell.json"):
            yield from self.wrap(line, style=self.paint.dim)

    def since(self, since: SinceView) -> Iterator[str]:
        yield from self.heading(since.title)
        for depth, tone, text in lines(since):
            style = self.paint.tone(tone) if tone else None
            indent = "    " * depth if depth > 1 else "  "
            yield from self.wrap(text, indent=indent, hanging=f"{indent}  ", style=style)

    def hop(self, hop: HopView) -> Iterator[str]:
        yield self.title(hop)
        yield from self.wrap(hop.sentence, indent="  ")
        if hop.details:
            yield from self.items(hop.details, "    ")
        for cause in hop.causes:
            yield from self.cause(cause, "bad" if hop.verdict == "breaks" else hop.tone)
        yield from self.more(hop.more_causes, "causes", "    ")
        for shown in (*hop.lists, *hop.steps):
            yield from self.shown(shown)
        if hop.peel:
            yield from self.wrap(hop.peel.label, indent="  ")
            yield from self.items(hop.peel, "    ")
        for told in hop.crossing:
            yield from self.wrap(told.label, indent="    ")
            yield from self.items(told, "      ")
        if hop.deprecated:
            yield f"  newly deprecated, for {_count(len(hop.deprecated) + hop.more_deprecated)}"
            for cause in hop.deprecated:
                yield from self.cause(cause, "warn")
            yield from self.more(hop.more_deprecated, "causes", "    ")
        if hop.moves:
            yield from self.wrap(hop.moves.label, indent="  ")
            yield from self.items(hop.moves, "    ")

    def title(self, hop: HopView) -> str:
        mark = self.paint.tone(hop.tone)(f"{hop.sign} {hop.title}  {hop.verdict}")
        may_fail = ", may fail" if hop.may_fail else ""
        return f"{self.paint.bold(mark)}  {self.paint.dim(f'on {hop.fixed}{may_fail}')}"

    def cause(self, cause: CauseView, tone: str) -> Iterator[str]:
        first, *rest = self.wrap(cause.headline, indent=f"    {cause.count}  ", hanging="      ")
        counted = f"    {cause.count}"
        yield (
            counted.replace(cause.count, self.paint.tone(tone)(cause.count)) + first[len(counted) :]
        )
        yield from rest
        why = f" ({cause.why})" if cause.why else ""
        where = f"in {cause.where}{why}; cause {cause.id}"
        yield from self.wrap(where, indent="      ", style=self.paint.dim)
        if cause.known:
            yield from self.wrap(cause.known, indent="      → ", hanging="        ")
            yield self.paint.dim(f"        {cause.link}")
        if cause.remedy:
            yield from self.wrap(cause.remedy, indent="      → ", hanging="        ")
        if cause.fix:
            yield from self.wrap(cause.fix, indent="      → ", hanging="        ")
        if cause.modules:
            yield from self.wrap(_joined(cause.modules), indent="      behind it: ")
        if cause.blamed:
            yield from self.wrap(cause.blamed, indent="      bisect: ", hanging="        ")
            yield from (f"        {link}" for link in cause.links)
        if cause.example and cause.example not in cause.reproduce:
            yield from self.wrap(f"e.g. {cause.example}", indent="      ", style=self.paint.dim)
        if cause.reproduce:
            yield f"      $ {cause.reproduce}"

    def short(self, hop: HopView) -> Iterator[str]:
        yield f"  {self.title(hop)}"
        if hop.verdict != "clean":
            yield from self.wrap(hop.sentence, indent="    ")
        if hop.details:
            yield from self.items(hop.details, "      ")
        for cause in hop.causes[:2]:
            yield from self.wrap(f"{cause.count}: {cause.headline}", indent="    ")
        yield from self.more(len(hop.causes[2:]) + hop.more_causes, "causes", "    ")

    def standing(self, cells: tuple[Standing, ...]) -> Iterator[str]:
        if cells:
            yield from self.heading("Red, and no hop of this run is to blame")
        for red in cells:
            yield f"  {self.paint.tone(red.tone)(f'{red.sign} {red.cell}  {red.status}')}"
            for cause in red.causes:
                yield from self.cause(cause, red.tone)
            yield from self.more(red.more, "causes", "    ")

    def steps(self, steps: StepsView) -> Iterator[str]:
        yield from self.heading("Django's own upgrade steps")
        for cell in steps.cells:
            style = self.paint.tone("bad") if cell.bad else None
            text = f"{cell.cell}  {cell.line}"
            yield from self.wrap(text, indent="  ", hanging="    ", style=style)
        if steps.facts.total:
            yield from self.shown(steps.facts)

    def removal(self, removal: RemovalView) -> Iterator[str]:
        relation = f" ({removal.relation})" if removal.relation else ""
        yield from self.wrap(f"{removal.title}{relation}: {removal.count}", indent="  ")
        for use in removal.uses:
            yield from self.wrap(f"{use.place}  {use.headline}", indent="    ", hanging="      ")
            yield self.paint.dim(f"      {use.owner}, {use.seen}")
        yield from self.more(removal.more, "uses", "    ")

    def doubts(self, summary: Summary) -> Iterator[str]:
        if summary.unknowns:
            yield from self.heading("What djhop could not know")
        for unknown in summary.unknowns:
            yield from self.wrap(unknown.text, indent="  - ", hanging="    ")
            if unknown.hint:
                yield f"    → {unknown.hint}"
        if summary.notes:
            yield from self.heading("Assumed, and noted")
        for note in summary.notes:
            yield from self.wrap(note, indent="  - ", hanging="    ")

    def shown(self, shown: Shown) -> Iterator[str]:
        yield from self.wrap(f"{shown.total:,} {shown.label}", indent="    ")
        if shown.items:
            yield from self.items(shown, "      ")


def _joined(shown: Shown) -> str:
    more = f", … and {shown.more:,} more" if shown.more else ""
    return ", ".join(shown.items) + more


def _count(causes: int) -> str:
    return "1 cause" if causes == 1 else f"{causes:,} causes"
