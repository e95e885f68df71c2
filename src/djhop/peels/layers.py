"""What peeling a cell has shown: `peel/<cell>.json`."""

from __future__ import annotations

from typing import Literal

import msgspec

from djhop.compare.causes import known
from djhop.compare.changes import dead_modules, kind, plainly, suite
from djhop.compare.groups import grouped, standing
from djhop.compare.verdicts import cut_short, life
from djhop.knowledge.explain import Known
from djhop.results.results import CellResult, Failure, Owner, Status

#: 1: the first.
FORMAT = 1

How = Literal["fixer", "shim", "left-out"]
#: "runs": the suite runs, and no cause that is left can be taken away; "stuck": nothing more can
#: be, and the suite still does not run as a whole; "budget": the time was over; "failed": a run
#: could not be made.
Ended = Literal["runs", "stuck", "budget", "failed"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A cause as it shows in one run of the cell."""

    #: Id of the cause.
    cause: str
    exception: str
    message: str
    owner: Owner
    #: Why it is this owner's.
    why: str = ""
    place: str = ""
    raised_at: str = ""
    known: Known | None = None
    #: How many tests fail for it, and what cannot be loaded because of it.
    tests: int = 0
    modules: tuple[str, ...] = ()
    #: Those of the tests that fail in the cell before as well.
    old: int = 0
    #: Ways of taking it away that did not help, and why.
    tried: tuple[str, ...] = ()


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that was taken away, and what that brought."""

    seen: Seen
    how: How
    #: What was done: "django-upgrade (django_urls) rewrote tests/urls.py".
    what: str
    #: The same cause shows again, for fewer tests or modules.
    partly: bool = False
    #: Nothing is known of it, and something was left out before it came to light: it may come of
    #: that.
    after_leaving: bool = False
    #: Tests that run now and did not, that fail no more, and that are not there any more.
    back: int = 0
    mended: int = 0
    lost: int = 0
    #: Tests that ran after that, and how many of them failed.
    ran: int = 0
    failing: int = 0


class Peel(msgspec.Struct, frozen=True, kw_only=True):
    """A red cell, layer by layer; nothing of it changes the cell's status."""

    format: int = FORMAT
    #: Id of the cell.
    id: str
    #: The cell's status in the run, and how many tests ran there and failed.
    status: Status
    ran: int = 0
    failing: int = 0
    #: "django-upgrade 1.33.0", where it was used.
    fixer: str = ""
    layers: tuple[Layer, ...] = ()
    #: Causes that are left, with what was tried.
    left: tuple[Seen, ...] = ()
    #: The nearest cell before it in which tests ran; "" for none.
    before: str = ""
    #: Tests that still fail, and those of them that fail in the cell before as well.
    still: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    #: Tests that ran in the cell before, and are not there in the end.
    missing: tuple[str, ...] = ()
    #: Tests that ran in the end.
    ran_in_the_end: int = 0
    ended: Ended = "runs"
    #: Why it ended early.
    reason: str = ""
    #: How many times the suite was run, and seconds that it took.
    runs: int = 0
    seconds: float = 0.0


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A cause in one run, and the failures that show it."""

    seen: Seen
    failures: tuple[Failure, ...]
    tests: frozenset[str] = frozenset()
    #: Nothing ran because of it.
    deadly: bool = False


def sights(result: CellResult) -> tuple[Sight, ...]:
    """Return the causes of a red cell, what hides most first: a dead run, modules, then tests."""
    found = standing(result)
    deadly = life(result) == "dead"
    made = []
    for group in grouped(found):
        failures = tuple(dict.fromkeys(one.failure for one in found if one.key == group.cause))
        first = next((one for one in failures if one.place), failures[0])
        seen = Seen(
            cause=group.cause,
            exception=first.exception,
            message=first.message,
            owner=first.owner,
            why=first.why,
            place=group.place or first.place,
            raised_at=first.raised_at,
            known=known(first, (result.id,)),
            tests=group.tests,
            modules=group.modules,
        )
        tests = frozenset(t for one in found if one.key == group.cause for t in one.tests)
        dead = deadly and not group.modules
        made.append(Sight(seen=seen, failures=failures, tests=tests, deadly=dead))
    made.sort(key=lambda one: (not one.deadly, -len(one.seen.modules), -one.seen.tests))
    return tuple(made)


def runs(result: CellResult) -> bool:
    """Whether the suite runs as a whole: nothing hides tests."""
    return life(result) == "ran" and not dead_modules(result) and not cut_short(result)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of one run, by how they went."""

    there: frozenset[str]
    failing: frozenset[str]

    @classmethod
    def of(cls, result: CellResult) -> Told:
        """Sort the tests of a run."""
        kinds = {test.id: kind(plainly(test)) for test in suite(result)}
        return cls(
            there=frozenset(name for name, what in kinds.items() if what != "absent"),
            failing=frozenset(name for name, what in kinds.items() if what == "failed"),
        )


def helped(layer: Layer, before: CellResult, after: CellResult) -> Layer:
    """Say what a layer brought: the run before it was taken away, and the one after."""
    was, now = Told.of(before), Told.of(after)
    again = any(one.seen.cause == layer.seen.cause for one in sights(after))
    return msgspec.structs.replace(
        layer,
        partly=again,
        back=len(now.there - was.there),
        mended=len(was.failing & now.there - now.failing),
        lost=len(was.there - now.there),
        ran=len(now.there),
        failing=len(now.failing),
    )


def useless(layer: Layer, before: CellResult, after: CellResult) -> str:
    """Why taking a cause away in this way is no way: "" where it is one."""
    if life(before) == "ran" and life(after) != "ran":
        return "then no test runs at all"
    if not layer.partly or layer.back or layer.mended:
        return ""
    modules = {one.seen.cause: len(one.seen.modules) for one in sights(after)}
    if modules.get(layer.seen.cause, 0) < len(layer.seen.modules):
        return ""
    return "the same cause came again"
