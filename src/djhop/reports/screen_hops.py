"""A hop's causes as pieces for a screen: whose, where, what to do; then what else the hop has."""

from __future__ import annotations

from collections.abc import Iterator

from djhop.reports.hops import CauseView, HopView
from djhop.reports.known import use_first
from djhop.reports.layout import Layout
from djhop.reports.pieces import Kind, Part, Piece
from djhop.reports.shown import Shown

CAUSE: Kind = ("cause", "causes")
DEPRECATION: Kind = ("new deprecation", "new deprecations")
COMMAND: Kind = ("command that runs a test again", "commands that run a test again")
ADVICE: Kind = ("piece of advice", "pieces of advice")
BLOCKER: Kind = ("hop with its blockers", "hops with their blockers")
DETAIL: Kind = ("detail", "details")
#: Ranks: the first cause of each hop comes before the second of any.
FIRST, HELP, BROKE, PEELED, SECOND, AGAIN, LIST, NEW = 0, 1, 2, 3, 5, 9, 11, 12
#: What stands under a cause.
DEEP = " " * 6
#: Items that stand with a list: the first breaks and ways out; others are in the whole text.
FEW = 2


class HopParts:
    """Lays out hops under their titles.

    The headline of a cause has at most `headline` lines, each line of help at most `helps`.
    """

    def __init__(self, layout: Layout, headline: int, helps: int) -> None:
        self._layout, self._headline, self._helps = layout, headline, helps

    def part(self, hop: HopView, head: tuple[str, ...]) -> Part:
        """One hop: its `head`, and what there may be room for."""
        pieces: list[Piece] = []
        if hop.details:
            kind, rank = (BLOCKER, FIRST) if hop.verdict == "blocked" else (DETAIL, LIST)
            pieces.append(self._listed("", hop.details, rank, kind))
        tone = "bad" if hop.verdict == "breaks" else hop.tone
        for nth, cause in enumerate(hop.causes):
            pieces += self._cause(cause, tone, nth, len(pieces))
        for shown in hop.steps:
            rank = BROKE if shown.label.startswith("broke") else LIST
            pieces.append(self._listed(f"{shown.total:,} {shown.label}", shown, rank, DETAIL))
        if hop.peel:
            pieces.append(self._listed(hop.peel.label, hop.peel, PEELED, DETAIL))
        for shown in hop.lists:
            pieces.append(self._said(f"{shown.total:,} {shown.label}", LIST))
        pieces += [self._said(told.label, LIST) for told in hop.crossing]
        pieces += [self._new(cause) for cause in hop.deprecated]
        pieces += [self._said(hop.moves.label, LIST)] if hop.moves else []
        more = ((CAUSE, hop.more_causes), (DEPRECATION, hop.more_deprecated))
        return Part(head=head, pieces=tuple(pieces), more=more)

    def cause(self, cause: CauseView, tone: str) -> tuple[str, ...]:
        """How many tests, what, whose and where it is."""
        few, paint = self._layout.few, self._layout.paint
        text = f"{cause.count}  {cause.headline}"
        first, *rest = few(text, self._headline, indent="    ", hanging=DEEP)
        counted = paint.tone(tone)(cause.count)
        where = few(f"in {cause.where}; cause {cause.id}", 2, indent=DEEP)
        return (first.replace(cause.count, counted, 1), *rest, *map(paint.dim, where))

    def helps(self, cause: CauseView) -> tuple[str, ...]:
        """What to do about it, as far as anything is known."""
        told = [f"→ {text}" for text in (use_first(cause.known), cause.remedy, cause.fix) if text]
        told += [f"bisect: {cause.blamed}"] if cause.blamed else []
        few, most = self._layout.few, self._helps
        return tuple(n for one in told for n in few(one, most, indent=DEEP, hanging=f"{DEEP}  "))

    def _cause(self, cause: CauseView, tone: str, nth: int, at: int) -> Iterator[Piece]:
        rank = SECOND + min(nth, 3) if nth else FIRST
        yield Piece(lines=self.cause(cause, tone), rank=rank, kind=CAUSE)
        if helps := self.helps(cause):
            yield Piece(lines=helps, rank=rank if nth else HELP, kind=ADVICE, needs=at)
        if cause.reproduce:
            lines = (f"{DEEP}$ {cause.reproduce}",)
            yield Piece(lines=lines, rank=AGAIN + (nth > 0), kind=COMMAND, needs=at)

    def _new(self, cause: CauseView) -> Piece:
        text = f"newly deprecated, {cause.count}  {cause.headline}"
        lines = self._layout.few(text, 2, indent="    ", hanging="      ")
        return Piece(lines=lines, rank=NEW, kind=DEPRECATION)

    def _said(self, text: str, rank: int) -> Piece:
        lines = self._layout.few(text, 1, indent="    ")
        return Piece(lines=lines, rank=rank, kind=DETAIL)

    def _listed(self, text: str, shown: Shown, rank: int, kind: Kind) -> Piece:
        """A list's first items under what it is."""
        few = self._layout.few
        lines = list(few(text, 2, indent="    ", hanging="      ")) if text else []
        for item in shown.items[:FEW]:
            lines += few(item, 2, indent="      " if text else "    ", hanging="        ")
        lines += self._layout.more(shown.total - FEW, "", "      ") if shown.total > FEW else ()
        return Piece(lines=tuple(lines), rank=rank, kind=kind)
