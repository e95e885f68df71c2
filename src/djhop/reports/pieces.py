"""Which pieces of a text find room on a screen; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

#: What a piece is one of: ("cause", "causes").
Kind: TypeAlias = tuple[str, str]
#: How many rows of a screen lines take.
Rows: TypeAlias = Callable[[Sequence[str]], int]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A few lines that stand together, or are left out together."""

    lines: tuple[str, ...]
    #: What matters most has the lowest.
    rank: int
    kind: Kind
    #: How many of that kind it stands for.
    count: int = 1
    #: Place in its part of the piece without which it says nothing.
    needs: int | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A section: lines that are always there, and pieces for which there may be room."""

    head: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    #: What no piece tells: kind, and how many.
    more: tuple[tuple[Kind, int], ...] = ()

    def lines(self, chosen: set[int]) -> Iterator[str]:
        """The section with the pieces that were chosen, in their own order."""
        yield from self.head
        for at, piece in enumerate(self.pieces):
            if at in chosen:
                yield from piece.lines


def choose(parts: Sequence[Part], room: int, rows: Rows) -> list[set[int]]:
    """Return which pieces of each part fit in `room` rows of a screen, beside all heads.

    Lower ranks first, part by part. Of one kind in a part none is taken after one that found no
    room: the first of a list are shown, never the third without the second.
    """
    room -= sum(rows(part.head) for part in parts)
    chosen: list[set[int]] = [set() for _ in parts]
    closed: set[tuple[int, Kind]] = set()
    order = sorted(
        (piece.rank, number, at)
        for number, part in enumerate(parts)
        for at, piece in enumerate(part.pieces)
    )
    for _, number, at in order:
        piece, taken = parts[number].pieces[at], chosen[number]
        alone = piece.needs is not None and piece.needs not in taken
        if alone or rows(piece.lines) > room or (number, piece.kind) in closed:
            closed.add((number, piece.kind))
            continue
        taken.add(at)
        room -= rows(piece.lines)
    return chosen


def left_out(parts: Sequence[Part], chosen: Sequence[set[int]]) -> Counter[Kind]:
    """Count by kind what is not told."""
    counts: Counter[Kind] = Counter()
    for part, taken in zip(parts, chosen, strict=True):
        counts.update(dict(part.more))
        for at, piece in enumerate(part.pieces):
            if at not in taken:
                counts[piece.kind] += piece.count
    return counts
