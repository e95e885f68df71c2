"""Paired runs: the interval is that of the signed-rank test, by an oracle of every sign."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djhop import paired
from djhop.paired import Paired, Ratio

#: Logarithms in which no two Walsh averages are equal: powers of two and a little.
logs = st.lists(st.integers(-300, 300), min_size=6, max_size=8, unique=True).map(
    lambda found: [n / 1000 + 2.0**-k / 1e6 for k, n in enumerate(found)]
)


def p_value(differences: list[float]) -> float:
    """Two-sided, of the signed-rank statistic: by going through all ways of signs."""
    ranked = sorted(differences, key=abs)
    positive = sum(rank for rank, d in enumerate(ranked, 1) if d > 0)
    total = len(ranked) * (len(ranked) + 1) // 2
    extreme = min(positive, total - positive)
    sums = [
        sum(rank for rank, sign in enumerate(signs, 1) if sign)
        for signs in itertools.product((False, True), repeat=len(ranked))
    ]
    return min(1.0, 2 * sum(one <= extreme for one in sums) / len(sums))


@given(logs)
@settings(max_examples=40)
def test_the_interval_holds_what_the_test_does_not_reject(found: list[float]) -> None:
    ratio = paired.ratio([(1.0, math.exp(one)) for one in found])
    assert ratio is not None and ratio.low <= ratio.estimate <= ratio.high
    for edge, outwards in ((math.log(ratio.low), -1), (math.log(ratio.high), 1)):
        outside, inside = edge + outwards * 1e-3, edge - outwards * 1e-3
        assert p_value([one - outside for one in found]) < 0.05
        # Between two averages that are closer than that, the inside may be the outside.
        if ratio.high - ratio.low > 0.01:
            assert p_value([one - inside for one in found]) >= 0.02


@pytest.mark.parametrize("count", range(1, 14))
def test_the_confidence_is_what_all_ways_of_signs_give(count: int) -> None:
    ways = [
        sum(rank for rank, sign in enumerate(signs, 1) if sign)
        for signs in itertools.product((False, True), repeat=count)
    ]
    assert paired.signed_ranks(count) == [ways.count(n) for n in range(max(ways) + 1)]
    found = paired.ratio([(1.0, 1.0 + n / 100) for n in range(count)])
    assert (found is None) == (count < 6), "five pairs give no interval of 95 %"
    assert found is None or found.confidence >= 0.95


TABLE = [
    (None, "unmeasured", "not measured"),
    (Paired(hop="h"), "unmeasured", "not measured"),
    (Paired(hop="h", reason="the time was over"), "unmeasured", "not measured: the time was over"),
    ((0.9, 1.05), "within", "within 5 %"),
    ((1.02, 1.04), "within", "within 5 %"),
    ((1.04, 1.06), "noisy", "too noisy"),
    ((0.5, 2.0), "noisy", "too noisy"),
    ((1.0501, 1.2), "slower", "more than 5 %"),
    ((1.06, 1.06), "slower", "more than 5 %"),
]


@pytest.mark.parametrize(("found", "answer", "words"), TABLE)
def test_only_a_whole_interval_decides(
    found: tuple[float, float] | Paired | None, answer: str, words: str
) -> None:
    if isinstance(found, tuple):
        low, high = found
        ratio = Ratio(estimate=(low + high) / 2, low=low, high=high, confidence=0.96)
        found = Paired(hop="h", pairs=((1.0, 1.0),) * 8, ratio=ratio)
    assert paired.answer(found, 5) == answer
    assert words in paired.said(found, 5)


def test_noise_does_not_decide_and_a_real_loss_does() -> None:
    noisy = [(1.0, 1.3), (1.0, 0.8), (1.0, 1.2), (1.0, 0.9), (1.0, 1.25), (1.0, 0.85),
             (1.0, 1.1), (1.0, 1.0)]  # fmt: skip
    assert paired.answer(paired.measured("h", noisy), 5) == "noisy"
    slower = [(1.0, 1.2 + n / 100) for n in range(8)]
    assert paired.answer(paired.measured("h", slower), 5) == "slower"
    assert paired.answer(paired.measured("h", [(b, a) for a, b in slower]), 5) == "within"
