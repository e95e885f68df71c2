"""The search of a bisect, in every small world there is, against what each world itself says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import strategies as st

from djhop.bisect.search import between, enough, smallest
from djhop.store.blame import Answer

ANSWERS: tuple[Answer, ...] = ("good", "bad", "skip")


def lines(longest: int) -> Iterator[tuple[Answer, ...]]:
    """Every line of points that begins good and ends bad."""
    for inside in range(longest - 1):
        for middle in itertools.product(ANSWERS, repeat=inside):
            yield ("good", *middle, "bad")


def test_of_every_line_two_points_are_found_that_differ_with_nothing_known_between() -> None:
    for line in lines(8):
        asked: list[int] = []

        def ask(n: int, line: tuple[Answer, ...] = line, asked: list[int] = asked) -> Answer:
            asked.append(n)
            return line[n]

        found = between(len(line), ask)
        assert (line[found.good], line[found.bad]) == ("good", "bad")
        inside = range(found.good + 1, found.bad)
        assert {line[n] for n in inside} <= {"skip"}
        assert found.skipped == tuple(inside)
        assert len(asked) == len(set(asked))
        assert not {0, len(line) - 1} & set(asked)


@pytest.mark.parametrize("count", [2, 3, 4, 9, 33, 100])
def test_where_nothing_is_a_skip_the_first_bad_is_found_in_as_few_steps_as_can_be(
    count: int,
) -> None:
    for first in range(1, count):
        asked = 0

        def ask(n: int, first: int = first) -> Answer:
            nonlocal asked
            asked += 1
            return "bad" if n >= first else "good"

        found = between(count, ask)
        assert (found.good, found.bad, found.skipped) == (first - 1, first, ())
        assert asked <= math.ceil(math.log2(count))


def sets(changes: tuple[str, ...]) -> list[tuple[str, ...]]:
    sizes = range(len(changes) + 1)
    return [one for size in sizes for one in itertools.combinations(changes, size)]


def worlds(changes: tuple[str, ...]) -> Iterator[dict[tuple[str, ...], Answer]]:
    """Every answer to every set of changes; none of them is good, all of them bad."""
    unknown = [one for one in sets(changes) if 0 < len(one) < len(changes)]
    for answers in itertools.product(ANSWERS, repeat=len(unknown)):
        yield {(): "good", changes: "bad", **dict(zip(unknown, answers, strict=True))}


@pytest.mark.parametrize("changes", [("a",), ("a", "b"), ("a", "b", "c")])
def test_of_every_world_the_smallest_ways_to_the_bad_end_are_found(
    changes: tuple[str, ...],
) -> None:
    for world in worlds(changes):
        ways = enough(changes, lambda one, world=world: world[one])
        single = [(one,) for one in changes if world[one,] == "bad"]
        if single:
            assert list(ways) == single
            continue
        (way,) = ways
        assert world[way] == "bad"
        assert "bad" not in {world[tuple(c for c in way if c != out)] for out in way}


@hypothesis.settings(max_examples=40)
@hypothesis.given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1, max_size=4))
    )
)
def test_of_many_changes_those_that_are_needed_together_are_found(
    world: tuple[int, set[int]],
) -> None:
    count, needed = world
    found = smallest(range(count), lambda one: "bad" if needed <= set(one) else "good")
    assert set(found) == needed


def test_changes_that_only_go_together_are_found_together() -> None:
    """1 is to blame; 2 cannot be installed without 1, nor 1 without 2."""

    def ask(one: tuple[int, ...]) -> Answer:
        if (1 in one) != (2 in one):
            return "skip"
        return "bad" if 1 in one else "good"

    assert set(smallest(range(8), ask)) == {1, 2}
