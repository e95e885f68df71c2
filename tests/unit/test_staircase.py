"""The search for the best staircase, against an oracle that tries every way there is."""

import itertools
from collections.abc import Collection, Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djhop import releases
from djhop.errors import UsageError
from djhop.matrix import staircase

PYTHONS = ("3.8", "3.9", "3.10", "3.11")
SERIES = ("4.1", "4.2", "5.0", "9.2", "2028")
Walk = tuple[tuple[str, str], ...]


def walks(series: tuple[str, ...], table: Mapping[str, Collection[str]]) -> Iterator[Walk]:
    """Every way to stand on each series on one supported Python, or on two in turn."""
    stands = []
    for version in series:
        ones = [((version, p),) for p in table[version]]
        twos = [((version, p), (version, q)) for p, q in itertools.permutations(table[version], 2)]
        stands.append([*ones, *twos])
    for choice in itertools.product(*stands):
        if all(a[-1][1] == b[0][1] for a, b in itertools.pairwise(choice)):
            yield tuple(step for stand in choice for step in stand)


def is_valid(walk: Walk, table: Mapping[str, Collection[str]], start: str, goal: str) -> bool:
    """Starts and ends as asked, and moves Python only where the next series or the goal asks."""
    last = walk[-1][0]
    if walk[0][1] != start or (goal and walk[-1][1] != goal):
        return False
    order = list(dict.fromkeys(version for version, _ in walk))
    for (version, python), (after, _) in itertools.pairwise(walk):
        if version != after:
            continue
        if version == last:
            if not goal:
                return False
        elif python in table[order[order.index(version) + 1]]:
            return False
    return True


def price(walk: Walk, available: Collection[str]) -> tuple[int, int, int]:
    moves = [(p, q) for (_, p), (_, q) in itertools.pairwise(walk) if p != q]
    return (
        sum(python not in available for _, python in walk),
        len(moves),
        sum(abs(PYTHONS.index(p) - PYTHONS.index(q)) for p, q in moves),
    )


some_pythons = st.sets(st.sampled_from(PYTHONS)).map(sorted)


@st.composite
def problems(draw: st.DrawFn) -> tuple[tuple[str, ...], dict[str, list[str]], list[str], str, str]:
    """Series to visit, who supports what, what is available, the first Python and the last."""
    known = SERIES[: draw(st.integers(1, 5))]
    supported = st.sets(st.sampled_from(PYTHONS), min_size=1, max_size=3).map(sorted)
    table = {version: draw(supported) for version in known}
    kept = [draw(st.booleans()) for _ in known[1:-1]]
    inner = tuple(itertools.compress(known[1:-1], kept))
    series = known[:1] if len(known) == 1 else (known[0], *inner, known[-1])
    start = draw(st.sampled_from(table[series[0]]))
    goal = draw(st.sampled_from(["", *table[series[-1]]]))
    return series, table, draw(some_pythons), start, goal


def cheapest(
    series: tuple[str, ...],
    table: dict[str, list[str]],
    available: list[str],
    start: str,
    goal: str,
) -> tuple[int, int, int, int] | None:
    """The least (series put in, missing, Python hops, distance) over every walk there is."""
    others = [version for version in table if version not in series]
    for size in range(len(others) + 1):
        prices = [
            (size, *price(walk, available))
            for added in itertools.combinations(others, size)
            for walk in walks(tuple(v for v in table if v in (*series, *added)), table)
            if is_valid(walk, table, start, goal)
        ]
        if prices:
            return min(prices)
    return None


def as_releases(
    table: Mapping[str, Collection[str]], lts: Collection[str] = ()
) -> releases.Releases:
    rows = [
        {"version": version, "pythons": list(pythons), "lts": version in lts}
        for version, pythons in table.items()
    ]
    return releases.parse({"series": rows, "removed_in": {}})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_the_staircase_is_valid_and_none_is_cheaper(
    problem: tuple[tuple[str, ...], dict[str, list[str]], list[str], str, str],
) -> None:
    series, table, available, start, goal = problem
    least = cheapest(series, table, available, start, goal)
    known = as_releases(table)
    if least is None:
        with pytest.raises(UsageError):
            staircase.best(series, start, releases=known, available=available, goal=goal)
        return
    steps, note = staircase.best(series, start, releases=known, available=available, goal=goal)
    assert is_valid(steps, table, start, goal)
    assert steps in list(walks(tuple(dict.fromkeys(v for v, _ in steps)), table))
    visited = set(dict(steps))
    assert visited >= set(series)
    assert (len(visited) - len(series), *price(steps, available)) == least
    assert bool(note) == (len(visited) > len(series))


def climb(
    table: dict[str, str], start: str, available: str = "", goal: str = ""
) -> list[tuple[str, str]]:
    """Climb over all series of a table of Python minors, written as in {"4.2": "8 9 10"}."""
    supports = {v: tuple(f"3.{m}" for m in minors.split()) for v, minors in table.items()}
    here = {f"3.{m}" for m in available.split()} or {p for ps in supports.values() for p in ps}
    found = staircase.climb(tuple(table), start, supports=supports, available=here, goal=goal)
    assert found is not None
    return list(found.steps)


def test_python_stays_where_it_can() -> None:
    table = {"4.2": "8 9 10", "5.0": "10 11"}
    assert climb(table, "3.10") == [("4.2", "3.10"), ("5.0", "3.10")]


def test_python_moves_before_the_series_that_needs_it() -> None:
    table = {"3.2": "8 9", "4.2": "8 9 10", "5.2": "10 11"}
    assert climb(table, "3.8") == [
        ("3.2", "3.8"),
        ("4.2", "3.8"),
        ("4.2", "3.10"),
        ("5.2", "3.10"),
    ]


def test_one_long_move_beats_two_short_ones() -> None:
    table = {"4.2": "8 9 10 12", "5.2": "9 10 12", "6.0": "12 13"}
    assert [p for _, p in climb(table, "3.8")] == ["3.8", "3.12", "3.12", "3.12"]


def test_what_is_here_beats_a_shorter_way() -> None:
    table = {"4.2": "8 10 12", "5.2": "10 12 13", "6.0": "12 13"}
    assert [p for _, p in climb(table, "3.8", "8 10 13")] == ["3.8", "3.10", "3.10", "3.13", "3.13"]


def test_the_nearest_of_equals() -> None:
    table = {"4.2": "8 9 10 11", "5.2": "9 10 11"}
    assert [p for _, p in climb(table, "3.8")] == ["3.8", "3.9", "3.9"]


def test_of_equal_costs_the_older_python_longer() -> None:
    table = {"4.2": "8 9 10", "5.0": "9 10", "5.2": "11 9", "6.0": "11"}
    ways = climb(table, "3.8")
    assert [p for _, p in ways] == ["3.8", "3.9", "3.9", "3.9", "3.11", "3.11"]


def test_a_move_that_is_needed_goes_to_the_goal_if_it_can() -> None:
    table = {"4.2": "8 9 10 12", "5.2": "10 11 12"}
    assert [p for _, p in climb(table, "3.8", goal="3.12")] == ["3.8", "3.12", "3.12"]
    assert [p for _, p in climb(table, "3.10", goal="3.12")] == ["3.10", "3.10", "3.12"]


def test_a_single_series_moves_python_only() -> None:
    assert climb({"5.2": "10 13"}, "3.10", goal="3.13") == [("5.2", "3.10"), ("5.2", "3.13")]
    assert climb({"5.2": "10 13"}, "3.10") == [("5.2", "3.10")]


def test_python_does_not_move_only_because_it_is_missing() -> None:
    """It would be a hop that nobody needs; the cells say no-python, and how to get it."""
    table = {"4.2": "12 13", "5.2": "12 13"}
    assert [p for _, p in climb(table, "3.12", "13")] == ["3.12", "3.12"]


def test_a_bridge_prefers_an_lts_then_the_newest() -> None:
    table = {"2.2": ["3.8"], "3.1": ["3.8", "3.10"], "3.2": ["3.8", "3.10"]}
    table |= {"4.2": ["3.8", "3.10"], "4.3": ["3.8", "3.10"], "5.2": ["3.10"]}
    for lts, chosen in ((("3.2", "4.2"), "4.2"), (("3.1",), "3.1"), ((), "4.3")):
        steps, note = staircase.best(
            ("2.2", "5.2"), "3.8", releases=as_releases(table, lts), available=PYTHONS
        )
        assert list(dict(steps)) == ["2.2", chosen, "5.2"]
        assert f"by way of Django {chosen}:" in note


def test_a_bridge_of_cells_that_run_beats_an_lts() -> None:
    table = {"2.2": ["3.8"], "3.2": ["3.8", "3.9"], "4.0": ["3.8", "3.10"], "5.2": ["3.9", "3.10"]}
    steps, _ = staircase.best(
        ("2.2", "5.2"), "3.8", releases=as_releases(table, ("3.2",)), available=("3.8", "3.10")
    )
    assert list(dict(steps)) == ["2.2", "4.0", "5.2"]


def test_nothing_joins_the_ends() -> None:
    known = as_releases({"2.2": ["3.8"], "4.2": ["3.9"], "5.2": ["3.10"]})
    with pytest.raises(UsageError, match=r"no chain of Pythons leads from Django 2\.2 to 5\.2"):
        staircase.best(("2.2", "5.2"), "3.8", releases=known, available=PYTHONS)
    assert staircase.detour(("2.2", "5.2"), known) == ()


def test_planned_series_are_no_bridge() -> None:
    rows = [
        {"version": "4.2", "pythons": ["3.8"]},
        {"version": "5.0", "pythons": ["3.8", "3.9"], "planned": "2099-01"},
        {"version": "5.2", "pythons": ["3.9"]},
    ]
    known = releases.parse({"series": rows, "removed_in": {}})
    assert staircase.detour(("4.2", "5.2"), known) == ()


def test_the_detours_of_the_real_table() -> None:
    known = releases.load()
    assert staircase.detour(("1.11", "3.2"), known) == ("1.11", "3.2")
    assert staircase.detour(("2.2", "4.2"), known) == ("2.2", "4.2")
    assert len(staircase.detour(("2.2", "5.2"), known)) == 3
    assert len(staircase.detour(("1.11", "6.1"), known)) == 4


def test_distance_is_counted_in_minor_versions() -> None:
    supports = {"4.1": ("3.8", "3.10", "3.11"), "4.2": ("3.8", "3.11")}
    climbed = staircase.climb(("4.1", "4.2"), "3.10", supports=supports, available=supports["4.1"])
    assert climbed is not None
    assert climbed.steps == (("4.1", "3.10"), ("4.1", "3.11"), ("4.2", "3.11"))
    assert climbed.cost.distance == 1


def test_the_bends_are_told_with_the_series_that_asks_for_them() -> None:
    steps = (("3.2", "3.9"), ("4.2", "3.9"), ("4.2", "3.10"), ("5.2", "3.10"), ("5.2", "3.13"))
    assert staircase.bends(steps, releases.load()) == (
        "Python moves from 3.9 to 3.10 before Django 5.2, which does not run on 3.9.",
    )
