"""Seconds of many tests in a byte each, and which of them are beyond noise; pure."""

from __future__ import annotations

import math
import statistics
import zlib
from collections.abc import Mapping, Sequence

#: A step of one is seven per cent; 1 is a millisecond and less, 0 a test without seconds.
STEP = math.log(1.07)
MOST = 255
#: Slower: by more than half than in any of the last nights, of which there are at least so many…
TIMES, NIGHTS = 1.5, 3
#: …and by at least so many seconds. A whole suite: by a quarter, and a second.
LEAST = 0.1
SUITE_TIMES, SUITE_LEAST = 1.25, 1.0


def pack(seconds: Mapping[int, float]) -> bytes:
    """Return the seconds of tests by their numbers, as bytes."""
    column = bytearray(max(seconds, default=-1) + 1)
    for number, one in seconds.items():
        column[number] = min(MOST, 1 + round(math.log(max(one, 0.001) / 0.001) / STEP))
    return zlib.compress(bytes(column), 6)


def unpack(packed: bytes) -> bytes:
    """Return the column that `pack` made: a byte for each test's number."""
    return zlib.decompress(packed)


def seconds(code: int) -> float:
    """Return the seconds that a byte stands for; 0.0 for a test without."""
    return math.exp((code - 1) * STEP) / 1000 if code else 0.0


def slower(
    tonight: Mapping[int, float], earlier: Sequence[bytes]
) -> dict[int, tuple[float, float]]:
    """Return the tests that took longer than ever in the nights of `earlier`, beyond noise.

    A machine that is slower tonight slows every test: what each took before is scaled by the median
    of all. Returns number → (seconds, the most before, scaled).
    """
    if len(earlier) < NIGHTS:
        return {}
    long = {number: one for number, one in tonight.items() if one >= LEAST}
    most: dict[int, float] = {}
    for number in long:
        known = [column[number] for column in earlier if number < len(column) and column[number]]
        if len(known) >= NIGHTS:
            most[number] = seconds(max(known))
    drift = _drift(tonight, earlier)
    return {
        number: (round(long[number], 3), round(before * drift, 3))
        for number, before in most.items()
        if long[number] > TIMES * before * drift and long[number] - before * drift >= LEAST
    }


def _drift(tonight: Mapping[int, float], earlier: Sequence[bytes]) -> float:
    """How much slower this night is than the one before it; never less than 1."""
    column = earlier[-1]
    ratios = [
        one / seconds(column[number])
        for number, one in tonight.items()
        if one >= LEAST / 10 and number < len(column) and column[number]
    ]
    return max(1.0, statistics.median(ratios)) if len(ratios) >= 2 * NIGHTS else 1.0


def suite_slower(tonight: float, earlier: Sequence[float]) -> float:
    """Return the most that a suite took before, where tonight it is slower beyond noise; else 0."""
    known = [one for one in earlier if one]
    if len(known) < NIGHTS:
        return 0.0
    most = max(known)
    beyond = tonight > SUITE_TIMES * most and tonight - most >= SUITE_LEAST
    return most if beyond else 0.0
