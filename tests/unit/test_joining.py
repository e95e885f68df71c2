"""The parts of a suite, joined: what one machine would have said that ran it all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djhop import releases
from djhop.matrix.plan import Cell
from djhop.processes.process import Completed
from djhop.results import joining, passes, results
from djhop.results.eventlog import Exc, Seen, Sharded, Warned
from djhop.results.events import PassEvents, SeenWarning
from djhop.results.paths import Paths
from djhop.results.results import CellResult

CELL = Cell(django="5.2", python="3.12")
KINDS = ("passed", "warns", "fails", "skipped", "xfailed", "xpassed", "crashes")
OUTCOMES = {
    "passed": ("passed", "passed"),
    "warns": ("failed", "passed"),
    "fails": ("failed", "failed"),
    "skipped": ("skipped", "skipped"),
    "xfailed": ("xfailed", "xfailed"),
    "xpassed": ("xpassed", "xpassed"),
    "crashes": ("crashed", "crashed"),
}
WARNS = Exc(type="w.W", name="W", mro=("W", "DeprecationWarning"), message="old")
FAILS = Exc(type="KeyError", name="KeyError", mro=("KeyError",), message="new")


def seen(kind: str, mode: str) -> Seen:
    outcome = OUTCOMES[kind][mode == "plain"]
    exc = {"warns": WARNS}.get(kind, FAILS) if outcome in ("failed", "crashed") else None
    return Seen(outcome=outcome, when="call", exc=exc)


def one_pass(mode: passes.Mode, tests: dict[str, str], dead: bool, part: Any) -> passes.Ran:
    """A pass over `tests` (id → kind), of a suite with a module that does not load if `dead`."""
    raised = {name for name, kind in tests.items() if kind == "warns"}
    warned = [
        SeenWarning(
            event=Warned(category="w.W", mro=WARNS.mro, message="old", file="/tree/a.py", line=3),
            count=len(raised),
            tests=dict.fromkeys(sorted(raised)),
        )
    ] * bool(raised)
    ends = {name: "crash" for name, kind in tests.items() if kind == "crashes"}
    events = PassEvents(
        began=True,
        ended=True,
        code=0,
        framework="pytest 9",
        canary_ok=True,
        collected=dict.fromkeys(tests),
        tests={name: seen(kind, mode) for name, kind in tests.items()},
        collect_errors={"tests/dead.py": FAILS} if dead else {},
        raised=raised if mode == "strict" else set(),
        warned=raised,
        warnings=tuple(warned),
        ends=ends,
        starts=1 + len(ends),
        sharded=part,
    )
    return passes.finish(mode, Completed(argv=(), returncode=0, seconds=1.0), events)


def cell(tests: dict[str, str], *, dead: bool = False, part: Any = None) -> CellResult:
    """What a machine says that runs these tests: as many passes as it takes."""
    runs = [one_pass("strict", tests, dead, part)]
    while following := passes.next_pass(runs):
        runs.append(one_pass(following.mode, tests, dead, part))
    paths = Paths(root="/tree", site_packages=("/site",), stdlib=("/lib",))
    return results.build(CELL, runs, paths=paths, releases=releases.load())


def parts(tests: dict[str, str], of: int, where: list[int], *, dead: bool) -> list[CellResult]:
    found = []
    for number in range(1, of + 1):
        mine = {
            n: k for at, (n, k) in zip(where, tests.items(), strict=False) if at % of == number - 1
        }
        part = Sharded(number=number, of=of, total=len(tests), digest="d")
        found.append(cell(mine, dead=dead, part=part))
    return found


def told(result: CellResult) -> dict[str, Any]:
    """What does not depend on the order of tests, nor on the number of processes."""
    uses = [
        (use.place, use.message, frozenset(use.tests), use.fatal) for use in result.deprecations
    ]
    return {
        "status": result.status,
        "counts": result.counts,
        "tests": {test.id: test for test in result.tests},
        "failures": frozenset(result.failures),
        "uses": sorted(uses, key=repr),
        "part": result.part,
    }


@settings(max_examples=80, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=9),
    where=st.lists(st.integers(0, 59), min_size=9, max_size=9),
    of=st.integers(2, 5),
    dead=st.booleans(),
    turn=st.integers(0, 4),
)
def test_parts_joined_say_what_one_machine_says(
    kinds: list[str], where: list[int], of: int, dead: bool, turn: int
) -> None:
    tests = {f"tests/test_a.py::test_{n}": kind for n, kind in enumerate(kinds)}
    whole = cell(tests, dead=dead)
    found = parts(tests, of, where, dead=dead)
    joined = joining.join([*found[turn % of :], *found[: turn % of]])
    assert told(joined) == told(whole)
    # In which test it ended is told of the first that did: which that is depends on the order.
    if kinds.count("crashes") < 2:
        assert joined.reason == whole.reason


def fine(number: int = 1, **more: Any) -> CellResult:
    part = Sharded(number=number, of=2, total=2, digest="d")
    found = cell({f"t::{number}": "passed"}, part=part)
    return msgspec.structs.replace(found, packages={"asgiref": "3.8"}, **more)


@pytest.mark.parametrize("status", ["interrupted", "infra", "no-python", "uninstallable"])
def test_a_part_that_says_nothing_makes_the_cell_say_nothing(status: Any) -> None:
    lost = msgspec.structs.replace(fine(2), status=status, reason="why", tests=())
    joined = joining.join([fine(), lost])
    assert joined.status == status
    assert joined.reason == "part 2/2: why"
    assert joined.tests == ()


@pytest.mark.parametrize("counted", [(True, True), (True, False)])
def test_queries_are_counted_where_each_part_has_counted_them(counted: tuple[bool, bool]) -> None:
    found = [fine(number, counts_queries=one) for number, one in enumerate(counted, 1)]
    assert joining.join(found).counts_queries is all(counted)


def test_parts_that_saw_different_suites_are_no_cell() -> None:
    part = results.Part(number=2, of=2, total=3, digest="other")
    joined = joining.join([fine(), msgspec.structs.replace(fine(2), part=part)])
    assert joined.status == "infra"
    assert joined.reason == "its parts collected different tests (1/2: 2, 2/2: 3)"


def test_parts_with_different_packages_are_no_cell() -> None:
    other = msgspec.structs.replace(fine(2), packages={"asgiref": "3.9"})
    joined = joining.join([fine(), other])
    assert joined.status == "infra"
    assert joined.reason == "its parts ran with different packages (asgiref: 3.8, 3.9)"


def test_a_test_of_two_parts_is_named() -> None:
    both = msgspec.structs.replace(fine(2), tests=fine().tests)
    assert joining.join([fine(), both]).reason == "a test was run in two of its parts: t::1"
