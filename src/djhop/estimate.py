"""How long a run will still take, as far as an earlier run tells; pure."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import msgspec


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell, or a hop, took in an earlier run."""

    #: Seconds of work, without waiting for a lock.
    seconds: float
    #: Tests of one pass.
    tests: int = 0


def left(
    expected: Mapping[str, Expected],
    *,
    done: Mapping[str, float],
    running: Mapping[str, float],
    waiting: Sequence[str],
    jobs: int,
) -> float | None:
    """Return the seconds that are left; None where anything is to be done that no run has told of.

    All are cells and hops by id: what `done` took, and `running` has taken so far, in seconds. What
    is left is expected to go as fast, or slow, against the earlier run as what is done.
    """
    if not all(one in expected for one in (*running, *waiting)):
        return None
    pace = _pace(expected, done)
    workers = [max(expected[one].seconds * pace - so_far, 0.0) for one, so_far in running.items()]
    workers += [0.0] * (jobs - len(workers))
    heapq.heapify(workers)
    for one in waiting:
        heapq.heapreplace(workers, workers[0] + expected[one].seconds * pace)
    return max(workers, default=0.0)


def _pace(expected: Mapping[str, Expected], done: Mapping[str, float]) -> float:
    """Seconds that this run takes for each second of the earlier one.

    It begins at 1: a usual cell counts as done in the time it took, so that the first one to be
    done does not decide alone.
    """
    usual = sum(one.seconds for one in expected.values()) / max(len(expected), 1)
    known = [one for one in done if one in expected]
    then = usual + sum(expected[one].seconds for one in known)
    return (usual + sum(done[one] for one in known)) / then if then else 1.0


def in_words(seconds: float) -> str:
    """Say about how long: "about 40 s left", "about 12 min left"."""
    if seconds < 1:
        return "longer than the last time"
    if seconds < 57.5:
        return f"about {max(round(seconds / 5) * 5, 5)} s left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {max(minutes, 1)} min left"
    return f"about {minutes // 60} h {minutes % 60:02} min left"


def lasted(seconds: float) -> str:
    """Say how long something has gone on: "12 s", "3 min 07 s"."""
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"
