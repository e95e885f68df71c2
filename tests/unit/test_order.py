"""The order of a hop's moves, against a small index that is searched by brute force."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop.resolve.attempts import Attempt
from djhop.resolve.locks import Lock
from djhop.resolve.order import Order, Side, order
from djhop.resolve.proofs import Edge, Failure
from djhop.resolve.request import Request

#: Package → version → what it requires.
Index = dict[str, dict[str, tuple[str, ...]]]
DJANGO: dict[str, tuple[str, ...]] = {"3.2": (), "4.2": ()}


class Resolver:
    """uv, for an index of a dozen releases: every combination is tried, the best one taken."""

    def __init__(self, index: Index) -> None:
        self.index = {"django": DJANGO, **index}
        self.asked: list[Attempt] = []

    def __call__(self, request: Request, attempt: Attempt) -> Lock | Failure:
        self.asked.append(attempt)
        roots = [*attempt.requirements["project.in"], *attempt.requirements["django.in"]]
        seeds = dict(seed.split("==") for seed in attempt.seeds)
        names = list(self.index)
        columns = [[None, *sorted(self.index[n], key=_rank(seeds.get(n)))] for n in names]
        best: tuple[list[tuple[int, ...]], dict[str, str]] | None = None
        for versions in itertools.product(*columns):
            pins = {n: v for n, v in zip(names, versions, strict=True) if v}
            if self._holds(pins, roots, attempt):
                rank = [(0, columns[i].index(v)) for i, v in enumerate(versions)]
                if best is None or rank < best[0]:
                    best = rank, pins
        return self._lock(best[1]) if best else self._failure(attempt)

    def _holds(self, pins: dict[str, str], roots: list[str], attempt: Attempt) -> bool:
        wanted = [*roots, *(r for n, v in pins.items() for r in self._needs(n, v, attempt))]
        needed = {canonicalize_name(Requirement(text).name) for text in wanted}
        if needed != set(pins):
            return False
        parsed = map(Requirement, (*wanted, *attempt.constraints))
        return all(one.specifier.contains(pins[one.name]) for one in parsed if one.name in pins)

    def _needs(self, name: str, version: str, attempt: Attempt) -> list[str]:
        needs = self.index[name][version]
        forced = bool(attempt.overrides)
        return [n for n in needs if not (forced and Requirement(n).name == "django")]

    def _lock(self, pins: dict[str, str]) -> Lock:
        return lock_of(**{name.replace("-", "_"): version for name, version in pins.items()})

    def _failure(self, attempt: Attempt) -> Failure:
        edges = []
        for text in attempt.constraints:
            one = Requirement(text)
            for version in self.index.get(one.name, {}):
                if one.specifier.contains(version):
                    for need in map(Requirement, self.index[one.name][version]):
                        found = (one.name, f"=={version}", need.name, str(need.specifier))
                        edges.append(Edge(*found))
        named = {edge.package for edge in edges} | {edge.needs for edge in edges}
        return Failure(kind="conflict", text="", edges=tuple(edges), named=frozenset(named))


def _rank(seed: str | None):  # type: ignore[no-untyped-def]
    return lambda version: (version != seed, tuple(-n for n in Version(version).release))


def lock_of(forced: bool = False, **pins: str) -> Lock:
    named = {name.replace("_", "-"): version for name, version in pins.items()}
    return Lock(
        pins=tuple(f"{name}=={version}" for name, version in sorted(named.items())),
        django_release=named["django"],
        forced=forced,
    )


def ordered(index: Index, before: Lock, after: Lock, *named: str) -> tuple[Order, Resolver]:
    """The order of the moves between two locks of a project that names these packages."""
    resolver = Resolver(index)
    sides = [
        Side(
            lock=lock,
            request=Request(
                requirements=("Django<4", *(f"{name}>=0" for name in named)),
                django=lock.django_release,
                python="3.10",
                interpreter_path="/opt/python",
            ),
        )
        for lock in (before, after)
    ]
    return order(*sides, resolver), resolver


def told(found: Order) -> tuple[list[dict[str, str | None]], dict[str, str | None]]:
    """Each step of today, and what moves with the hop: package → version after."""
    today = [{m.package: m.after for m in step.moves} for step in found.today]
    return today, {m.package: m.after for m in found.hop}


def test_a_release_that_runs_on_both_sides_moves_today() -> None:
    index: Index = {"a": {"1": ("django<4",), "2": ("django>=3",)}}
    found, resolver = ordered(
        index, lock_of(django="3.2", a="1"), lock_of(django="4.2", a="2"), "a"
    )
    assert told(found) == ([{"a": "2"}], {"django": "4.2"})
    assert len(resolver.asked) == 1
    # It was asked of the Django before, not of a newer one.
    assert resolver.asked[0].requirements["django.in"] == ("django==3.2",)


def test_what_the_project_says_for_each_python_itself_is_no_step() -> None:
    lines = ('a==1 ; python_version < "3.9"', 'a==2 ; python_version >= "3.9"')
    sides = [
        Side(
            lock=lock_of(django="4.2", a=version),
            request=Request(
                requirements=lines, django="4.2", python=python, interpreter_path="/opt/python"
            ),
        )
        for python, version in (("3.8", "1"), ("3.10", "2"))
    ]
    resolver = Resolver({"a": {"1": (), "2": ()}})
    assert told(order(*sides, resolver)) == ([], {"a": "2"})
    assert resolver.asked == []


def test_what_needs_the_new_django_moves_with_it_and_says_why() -> None:
    index: Index = {"a": {"1": ("django<4",), "2": ("django>=4",)}}
    found, _ = ordered(index, lock_of(django="3.2", a="1"), lock_of(django="4.2", a="2"), "a")
    assert told(found) == ([], {"django": "4.2", "a": "2"})
    assert found.because == {"a": "a 2 requires django>=4"}


def test_a_declaration_is_not_believed_where_another_requirement_forbids() -> None:
    """`a` says that it runs on both, but its `b` does not."""
    index: Index = {
        "a": {"1": ("django<4", "b"), "2": ("django>=3", "b>=2")},
        "b": {"1": (), "2": ("django>=4",)},
    }
    found, _ = ordered(
        index, lock_of(django="3.2", a="1", b="1"), lock_of(django="4.2", a="2", b="2"), "a"
    )
    assert told(found) == ([], {"django": "4.2", "a": "2"})
    assert [move.package for move in found.along] == ["b"]


def test_steps_stand_on_each_other_in_an_order_that_works() -> None:
    """`beat` needs the new `queue`; `queue` can go first, alone."""
    index: Index = {
        "beat": {"1": ("queue<3", "django<4"), "2": ("queue>=2",)},
        "queue": {"1": (), "2": ()},
    }
    before = lock_of(django="3.2", beat="1", queue="1")
    after = lock_of(django="4.2", beat="2", queue="2")
    found, _ = ordered(index, before, after, "beat", "queue")
    assert told(found)[0] == [{"queue": "2"}, {"beat": "2"}]


def test_what_only_fits_together_is_one_group() -> None:
    index: Index = {
        "a": {"1": ("b<2", "django<4"), "2": ("b>=2",)},
        "b": {"1": ("a<2",), "2": ("a>=2",)},
        "c": {"1": ("django<4",), "2": ()},
    }
    before = lock_of(django="3.2", a="1", b="1", c="1")
    after = lock_of(django="4.2", a="2", b="2", c="2")
    found, _ = ordered(index, before, after, "a", "b", "c")
    assert told(found) == ([{"c": "2"}, {"a": "2", "b": "2"}], {"django": "4.2"})


def test_a_release_in_between_does_not_hide_a_group() -> None:
    index: Index = {
        "cms": {"1": ("django<4",), "2": ("tags<2", "django<4"), "3": ("tags>=2",)},
        "tags": {"1": (), "2": ()},
        "other": {"1": ("django<4",), "2": ()},
    }
    before = lock_of(django="3.2", cms="1", tags="1", other="1")
    after = lock_of(django="4.2", cms="3", tags="2", other="2")
    found, _ = ordered(index, before, after, "cms", "other", "tags")
    today, hop = told(found)
    assert {"cms": "3", "tags": "2"} in today or {"cms": "3"} in today
    assert {name for step in today for name in step} == {"cms", "tags", "other"}
    assert hop == {"django": "4.2"}


def test_what_the_project_does_not_name_moves_along() -> None:
    index: Index = {
        "a": {"1": ("b<2", "django<4"), "2": ("b>=2", "c")},
        "b": {"1": (), "2": ()},
        "c": {"1": (), "2": ()},
    }
    before = lock_of(django="3.2", a="1", b="1")
    after = lock_of(django="4.2", a="2", b="2", c="1")
    found, _ = ordered(index, before, after, "a")
    (step,) = found.today
    assert [move.package for move in step.moves] == ["a"]
    # What is new comes in the version that the cell after has.
    assert {m.package: m.after for m in step.along} == {"b": "2", "c": "1"}
    assert found.along == ()


def test_an_older_release_that_runs_on_both_sides_is_found() -> None:
    index: Index = {"a": {"1": ("django<4",), "2": (), "3": ("django>=4",)}}
    before, after = lock_of(django="3.2", a="1"), lock_of(django="4.2", a="3")
    found, _ = ordered(index, before, after, "a")
    assert told(found) == ([{"a": "2"}], {"django": "4.2"})


def test_an_older_release_is_no_step_where_it_does_not_run_after() -> None:
    index: Index = {"a": {"1": ("django<4",), "2": ("django<4",), "3": ("django>=4",)}}
    before, after = lock_of(django="3.2", a="1"), lock_of(django="4.2", a="3")
    found, _ = ordered(index, before, after, "a")
    assert told(found) == ([], {"django": "4.2", "a": "3"})
    assert found.because == {"a": "what runs before the hop (a up to 2) does not run after it"}


def test_a_release_that_is_not_final_is_no_step() -> None:
    """uv takes one where no final one fits; nobody is to be sent there."""
    index: Index = {"a": {"1": ("django<4",), "2a1": (), "3": ("django>=4",)}}
    before, after = lock_of(django="3.2", a="1"), lock_of(django="4.2", a="3")
    found, _ = ordered(index, before, after, "a")
    assert told(found) == ([], {"django": "4.2", "a": "3"})
    assert found.because == {"a": "what runs before the hop (a up to 2a1) is no final release"}


def test_what_stops_below_must_run_after_with_what_stopped_below_before() -> None:
    """On the cell after, b 2 needs a 3; that `a` stops at 2 was said in the step before."""
    index: Index = {
        "a": {"1": ("django<4",), "2": (), "3": ("django>=4",)},
        "b": {"1": ("django<4",), "2": ("x",), "3": ("django>=4",)},
        "x": {"1": ("django<4",), "2": ("a>=3",)},
    }
    before = lock_of(django="3.2", a="1", b="1")
    after = lock_of(django="4.2", a="3", b="3")
    found, _ = ordered(index, before, after, "a", "b")
    assert told(found) == ([{"a": "2"}], {"django": "4.2", "b": "3"})
    assert found.because == {"b": "what runs before the hop (b up to 2) does not run after it"}


def test_what_only_runs_after_with_what_stopped_below_before_is_a_step() -> None:
    index: Index = {
        "a": {"1": ("django<4",), "2": (), "3": ("django>=4",)},
        "b": {"1": ("django<4",), "2": ("a<3",), "3": ("django>=4",)},
    }
    before = lock_of(django="3.2", a="1", b="1")
    after = lock_of(django="4.2", a="3", b="3")
    found, _ = ordered(index, before, after, "a", "b")
    assert told(found) == ([{"a": "2"}, {"b": "2"}], {"django": "4.2"})


def test_packages_of_djangos_own_are_not_asked_about() -> None:
    index: Index = {"asgiref": {"3.4": (), "3.6": ()}}
    before = lock_of(django="3.2", asgiref="3.4")
    found, resolver = ordered(index, before, lock_of(django="4.2", asgiref="3.6"))
    assert (resolver.asked, [move.package for move in found.along]) == ([], ["asgiref"])


def test_nothing_moves_nothing_is_asked() -> None:
    before, after = lock_of(django="3.2", a="1"), lock_of(django="4.2", a="1")
    found, resolver = ordered({"a": {"1": ()}}, before, after, "a")
    assert (told(found), resolver.asked) == (([], {"django": "4.2"}), [])


@pytest.mark.parametrize("forced", [True, False])
def test_a_forced_cell_before_stays_forced(forced: bool) -> None:
    index: Index = {"stuck": {"1": ("django<3",)}, "a": {"1": ("django<4",), "2": ()}}
    before = lock_of(django="3.2", a="1", stuck="1", forced=forced)
    after = lock_of(django="4.2", a="2", stuck="1", forced=True)
    found, _ = ordered(index, before, after, "a", "stuck")
    assert bool(found.today) is forced


def test_every_step_is_a_lock_that_holds() -> None:
    """Replayed from the start, each step resolves on the cell before."""
    index: Index = {
        "a": {"1": ("b<2", "django<4"), "2": ("b>=2",)},
        "b": {"1": ("django<4",), "2": ("django>=3",)},
        "c": {"1": ("a<2", "django<4"), "2": ("a>=2", "django>=4")},
    }
    before = lock_of(django="3.2", a="1", b="1", c="1")
    after = lock_of(django="4.2", a="2", b="2", c="2")
    found, resolver = ordered(index, before, after, "a", "b", "c")
    now = dict(before.packages)
    for step in found.today:
        now |= {m.package: str(m.after) for m in (*step.moves, *step.along)}
        needs = [r for n, v in now.items() for r in resolver.index[n][v]]
        assert all(
            SpecifierSet(str(r.specifier)).contains(now[r.name]) for r in map(Requirement, needs)
        )
    assert msgspec.to_builtins(found)  # as JSON has it
