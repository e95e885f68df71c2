"""A run as text that fits a screen: the answer, the grid, the hops with their first causes.

It tells what the whole text tells (`reports.text`) as far as there is room, what matters most
first; what is left out is counted, with what to type to see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from djhop import releases
from djhop.reports import grid
from djhop.reports.clean import inert, spelled
from djhop.reports.hops import HopView
from djhop.reports.layout import Layout
from djhop.reports.paint import Paint
from djhop.reports.pieces import Kind, Part, Piece, choose, left_out
from djhop.reports.screen_hops import ADVICE, CAUSE, COMMAND, DETAIL, FIRST, HopParts
from djhop.reports.signs import listed, number
from djhop.reports.since import Row, SinceView
from djhop.reports.summary import Summary, summarise
from djhop.store.record import Run

#: Lines of a screen, at least and at most: more is not read at one look.
FEWEST, MOST = 24, 40
#: Lines of a hop's sentence, of a cause's headline and of what helps, at most: the first that let
#: each hop have a cause, else the last.
LINES = ((2, 2, 3), (2, 2, 1), (2, 1, 1), (1, 1, 1))
#: Lines kept for the end: an empty one, what is left out, the command that shows it, the run.
END = 5


def render(
    run: Run, *, color: bool = False, width: int = 80, height: int = MOST, whole: str = ""
) -> str:
    """Return the report of `run` as text of `width` columns, and `height` lines if it can.

    The answer, the grid and a line for each hop of the path are always there. `whole` is the
    command that shows all of it.
    """
    summary = summarise(run, releases.load())
    page = _Screen(Paint(color), width)
    page.first = 0 if run.complete else 1
    lines = page.lines(
        summary, min(max(height, FEWEST), MOST), spelled(whole or f"djhop report {run.name}")
    )
    return inert("\n".join(line.rstrip() for line in lines) + "\n")


class _Screen(Layout):
    #: How many of the things that djhop could not know stand with the answer: that the run was cut
    #: short is the first of them.
    first = 0

    def lines(self, summary: Summary, height: int, whole: str) -> Iterator[str]:
        for title, headline, helps in LINES:
            parts = self._parts(summary, HopParts(self, headline, helps), title)
            chosen = choose(parts, height - END, self.rows)
            if not any(piece.rank == FIRST and at not in taken
                       for part, taken in zip(parts, chosen, strict=True)
                       for at, piece in enumerate(part.pieces)):  # fmt: skip
                break
        for part, taken in zip(parts, chosen, strict=True):
            yield from part.lines(taken)
        yield ""
        yield from self._end(summary, left_out(parts, chosen), whole)

    def _parts(self, summary: Summary, hops: HopParts, title: int) -> list[Part]:
        """Every section of the report, in its order."""
        return [
            Part(head=tuple(self._top(summary))),
            self._since(summary.since),
            Part(head=("",) if summary.since else ()),
            *(hops.part(hop, self._title(hop, title)) for hop in summary.path),
            self._beside(summary.beside, summary.path),
            self._red(summary, hops),
            Part(pieces=tuple(self._known(summary))),
        ]

    def _top(self, summary: Summary) -> Iterator[str]:
        yield self.paint.bold(summary.title)
        yield ""
        yield from self.wrap(summary.answer, style=self.paint.tone(summary.tone))
        for one in summary.unknowns[: self.first]:
            yield from self.wrap(f"? {one.text}", hanging="  ")
        yield ""
        yield from grid.short(summary, self.paint, self.width)
        yield self.paint.dim(f"{grid.MARK} the path")
        yield ""

    def _since(self, since: SinceView | None) -> Part:
        """What changed since the night before, the worst first."""
        if since is None:
            return Part()
        pieces = [
            Piece(
                lines=tuple(self._row(row)),
                rank=FIRST + at if row.tone in ("bad", "unknown") else 6 + at,
                kind=("change since the night before", "changes since the night before"),
            )
            for at, row in enumerate(since.rows)
        ]
        return Part(head=tuple(self.few(since.title, 2, hanging="  ")), pieces=tuple(pieces))

    def _row(self, row: Row) -> Iterator[str]:
        """A change in two lines at most, and what may be behind it."""
        named = ", ".join(row.tests.items[:1]) + (", …" if row.tests.total > 1 else "")
        text = f"{row.sign} {row.text}" + (f": {named}" if named else "")
        style = self.paint.tone(row.tone)
        lines = self.few(text, 2, indent="  ", hanging="    ")
        yield from (style(line) for line in lines)
        if row.note:
            yield from self.few(row.note, 2, indent="    ", hanging="    ")

    def _title(self, hop: HopView, lines: int, indent: str = "") -> tuple[str, ...]:
        """A hop in a sentence, the verdict in colour."""
        may_fail = ", may fail" if hop.may_fail else ""
        name = f"{hop.sign} {hop.title} on {hop.fixed}{may_fail}, {hop.verdict}"
        text = f"{name}: {hop.sentence}"
        first, *rest = self.few(text, lines, indent=indent, hanging=f"{indent}  ")
        bold = self.paint.bold(self.paint.tone(hop.tone)(name))
        return (first.replace(name, bold, 1), *rest)

    def _beside(self, hops: Sequence[HopView], path: Sequence[HopView]) -> Part:
        """Hops beside the path: those with a verdict that the path does not have there first."""
        if not hops:
            return Part()
        counts = Counter(hop.verdict for hop in hops)
        said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.most_common())
        told = {(hop.title, hop.verdict) for hop in path}
        pieces = [
            Piece(
                lines=self._title(hop, 1, "  "),
                rank=8 if (hop.title, hop.verdict) in told else 4,
                kind=("hop beside the path", "hops beside the path"),
            )
            for hop in hops
            if hop.verdict != "clean"
        ]
        head = f"Beside the path: {number(len(hops), 'hop')} ({said})"
        causes = sum(len(hop.causes) + hop.more_causes for hop in hops)
        more = ((("cause beside the path", "causes beside the path"), causes),)
        return Part(head=(head,), pieces=tuple(pieces), more=more)

    def _red(self, summary: Summary, hops: HopParts) -> Part:
        """Cells that are red for causes that no hop accounts for, each with the first of them."""
        pieces = []
        for red in summary.standing:
            name = f"{red.sign} {red.cell} {red.status}; no hop of this run is to blame"
            lines = [self.paint.tone(red.tone)(name)]
            for cause in red.causes[:1]:
                lines += [*hops.cause(cause, red.tone), *hops.helps(cause)]
            pieces.append(Piece(lines=tuple(lines), rank=4, kind=("red cell", "red cells")))
        more = sum(len(red.causes[1:]) + red.more for red in summary.standing)
        return Part(pieces=tuple(pieces), more=((CAUSE, more),))

    def _known(self, summary: Summary) -> Iterator[Piece]:
        """What is known beside breaks, what djhop could not know first."""
        unknown = ("thing djhop could not know", "things djhop could not know")
        for at, one in enumerate(summary.unknowns[self.first :]):
            lines = self.few(f"? {one.text}", 2, hanging="  ")
            hint = (f"  → {one.hint}",) if one.hint else ()
            yield Piece(lines=(*lines, *hint), rank=1 if not at else 8, kind=unknown)
        for removal in summary.removals:
            relation = f" ({removal.relation})" if removal.relation else ""
            lines = self.few(f"! {removal.title}{relation}: {removal.count}", 2, hanging="  ")
            yield Piece(
                lines=lines,
                rank=14,
                kind=("deprecated use", "deprecated uses"),
                count=len(removal.uses) + removal.more,
            )
        if summary.flaky.total:
            said = f"? {number(summary.flaky.total, 'flaky outcome')}, counted as neither"
            flaky = ("flaky outcome", "flaky outcomes")
            yield Piece(lines=(said,), rank=13, kind=flaky, count=summary.flaky.total)
        if summary.coverage:
            last = summary.coverage[-1]
            yield Piece(lines=(f"Coverage: {last.cell} {last.percent}",), rank=15, kind=DETAIL)

    def _end(self, summary: Summary, counts: Counter[Kind], whole: str) -> Iterator[str]:
        further = (len(summary.coverage) > 1) + bool(summary.steps.cells) + bool(summary.foretold)
        counts[DETAIL] += counts.pop(COMMAND, 0) + counts.pop(ADVICE, 0) + further
        counts["note", "notes"] += len(summary.notes)
        said = [number(count, *kind) for kind, count in counts.items() if count]
        if said:
            yield from self.wrap(f"Not shown: {listed(said)}.", style=self.paint.dim)
        yield f"All of it: {whole}"
        yield from self.wrap(summary.footer, style=self.paint.dim)
