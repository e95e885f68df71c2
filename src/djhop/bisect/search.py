"""The search alone: which of several changes it takes, and between which two points; pure.

Whoever asks may answer "skip": then nothing is known of that point, as in `git bisect`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias, TypeVar

import msgspec

from djhop.store.blame import Answer

T = TypeVar("T")
#: What does this set of changes, on top of the good end, give?
AskSet: TypeAlias = Callable[[tuple[T, ...]], Answer]
#: What does the point with this number give?
AskPoint: TypeAlias = Callable[[int], Answer]


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Two points of a line that were seen to differ; nothing between them could be judged."""

    good: int
    bad: int
    #: Points between the two, each of which was a skip.
    skipped: tuple[int, ...] = ()


def enough(changes: Sequence[T], ask: AskSet[T]) -> tuple[tuple[T, ...], ...]:
    """Return every smallest way to the bad end: each single change that is enough by itself.

    Where none is, one set of which no member can be left out. All changes together are known to
    be bad, and none of them to be good.
    """
    if len(changes) == 1:
        return (tuple(changes),)
    single = tuple((change,) for change in changes if ask((change,)) == "bad")
    return single or (smallest(changes, ask),)


def smallest(changes: Sequence[T], ask: AskSet[T]) -> tuple[T, ...]:
    """Return a set of changes that is bad, and is not seen to be bad without any one of them.

    All together are known to be bad. This is delta debugging: "Simplifying and Isolating
    Failure-Inducing Input", Zeller and Hildebrandt, 2002.
    """
    left, parts = tuple(changes), 2
    while len(left) > 1:
        chunks = _split(left, min(parts, len(left)))
        found = _reduced(left, chunks, ask)
        if found is None:
            if len(chunks) == len(left):
                break
            parts = 2 * len(chunks)
            continue
        # What is left of a part is split anew; what is left without one keeps its parts.
        parts = 2 if found in chunks else max(len(chunks) - 1, 2)
        left = found
    return left


def _reduced(
    left: tuple[T, ...], chunks: list[tuple[T, ...]], ask: AskSet[T]
) -> tuple[T, ...] | None:
    """A part of `left` that is bad, else all but a part that is; None where there is neither."""
    for chunk in chunks:
        if ask(chunk) == "bad":
            return chunk
    if len(chunks) > 2:  # of two parts each is the rest of the other
        for chunk in chunks:
            rest = tuple(change for change in left if change not in chunk)
            if ask(rest) == "bad":
                return rest
    return None


def _split(items: tuple[T, ...], parts: int) -> list[tuple[T, ...]]:
    ends = [len(items) * n // parts for n in range(parts + 1)]
    return [items[a:b] for a, b in pairwise(ends)]


def between(count: int, ask: AskPoint) -> Range:
    """Narrow down where points 0 (good) to `count` - 1 (bad) begin to be bad.

    Where points come and go, the result is one of the places where a good one is followed by a
    bad one.
    """
    good, bad, skipped = 0, count - 1, set[int]()
    while inside := [n for n in range(good + 1, bad) if n not in skipped]:
        at = _middle(inside, good, bad)
        match ask(at):
            case "good":
                good = at
            case "bad":
                bad = at
            case "skip":
                skipped.add(at)
    return Range(good=good, bad=bad, skipped=tuple(sorted(n for n in skipped if good < n < bad)))


def _middle(inside: list[int], good: int, bad: int) -> int:
    """The point nearest to the middle that is not known yet."""
    return min(inside, key=lambda n: (abs(2 * n - good - bad), n))
