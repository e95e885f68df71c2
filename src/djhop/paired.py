"""Runs of a suite in pairs, before and after a hop → how much slower it is; pure.

Each pair gives one ratio. The estimate is the Hodges-Lehmann one (the median of the Walsh averages
of their logarithms), the interval that of the Wilcoxon signed-rank test, by exact counting:
https://en.wikipedia.org/wiki/Wilcoxon_signed-rank_test
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Literal, assert_never

import msgspec

#: That the interval holds the true ratio is at least this sure.
CONFIDENCE = 0.95

#: within: surely no slower than what is allowed. slower: surely slower. noisy: neither is sure.
Answer = Literal["within", "slower", "noisy", "unmeasured"]


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as long the suite takes after a hop as before it."""

    estimate: float
    #: The interval; `confidence` says how sure it is.
    low: float
    high: float
    confidence: float


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """The suite of a hop run in pairs: nothing else at work, nothing measured but the time."""

    #: Id of the hop.
    hop: str
    #: Seconds before and after the hop, pair by pair.
    pairs: tuple[tuple[float, float], ...] = ()
    #: None where there are too few pairs for an interval.
    ratio: Ratio | None = None
    #: Why it was not measured, or not to its end.
    reason: str = ""
    #: Tests that ran on one side only: a part of the difference may be theirs.
    uneven: int = 0
    #: UTC, ISO 8601.
    at: str = ""


def measured(
    hop: str,
    pairs: Sequence[tuple[float, float]],
    *,
    reason: str = "",
    uneven: int = 0,
    at: str = "",
) -> Paired:
    """Describe a hop whose suite was run in `pairs`; the rest is as in `Paired`."""
    return Paired(
        hop=hop, pairs=tuple(pairs), ratio=ratio(pairs), reason=reason, uneven=uneven, at=at
    )


def ratio(pairs: Sequence[tuple[float, float]]) -> Ratio | None:
    """Return how much longer the second of each pair took; None where no interval can be had."""
    logs = [math.log(after / before) for before, after in pairs]
    cut = _cut(len(logs))
    if cut is None:
        return None
    averages = sorted((a + b) / 2 for a, b in combinations_with_replacement(logs, 2))
    counts = signed_ranks(len(logs))
    outside = 2 * sum(counts[: cut + 1]) / 2 ** len(logs)
    return Ratio(
        estimate=round(math.exp(statistics.median(averages)), 4),
        low=round(math.exp(averages[cut]), 4),
        high=round(math.exp(averages[-1 - cut]), 4),
        confidence=round(1 - outside, 4),
    )


def signed_ranks(count: int) -> list[int]:
    """In how many of the 2^count ways of signs the sum of positive ranks is 0, 1, 2 …"""
    ways = [1]
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        ways = [n + (longer[at - rank] if at >= rank else 0) for at, n in enumerate(longer)]
    return ways


def _cut(count: int) -> int | None:
    """How many of the averages are left out on each end; None where even 0 is not sure enough."""
    tail, cut = 0, None
    for at, ways in enumerate(signed_ranks(count)):
        tail += ways
        if 2 * tail > (1 - CONFIDENCE) * 2**count:
            break
        cut = at
    return cut


def answer(found: Paired | None, allowed: float) -> Answer:
    """Decide whether the suite is slower than `allowed` per cent."""
    if found is None or found.ratio is None:
        return "unmeasured"
    limit = 1 + allowed / 100
    if found.ratio.high <= limit:
        return "within"
    return "slower" if found.ratio.low > limit else "noisy"


def said(found: Paired | None, allowed: float) -> str:
    """Say it in words: "1.2 % slower (0.4 % to 2.1 %, 95.3 % sure, 8 pairs): within 5 %"."""
    decided = answer(found, allowed)
    if found is None or found.ratio is None:
        return f"not measured: {found.reason}" if found and found.reason else "not measured"
    one = found.ratio
    words = (
        f"{_change(one.estimate)} ({_signed(one.low)} to {_signed(one.high)}, "
        f"{100 * one.confidence:.1f} % sure, {len(found.pairs)} pairs)"
    )
    match decided:
        case "within":
            return f"{words}: within {allowed:g} %"
        case "slower":
            return f"{words}: more than {allowed:g} %"
        case "noisy":
            return f"{words}: too noisy to say whether it is within {allowed:g} %"
        case "unmeasured":
            return "not measured"
    assert_never(decided)


def _change(times: float) -> str:
    per_cent = 100 * (times - 1)
    return f"{abs(per_cent):.1f} % {'slower' if per_cent >= 0 else 'faster'}"


def _signed(times: float) -> str:
    return f"{100 * (times - 1):+.1f} %"
