"""What of a hop can be done today, one small change each, and what must move with the hop.

Not read from what packages declare, but proven by resolving. The cell *before* is taken as it is,
and one package after the other is put at the version that the cell *after* has:

1. alone: everything else that the project names stays where it is (what the package itself
   requires, and the project does not name, may move along). Holds: a change for today, and the next
   package is tried on top of it, so that the order of the steps is one that works.
2. Where the version after does not fit the cell before, an older one that does is tried on the cell
   after: a release that runs on both sides opens the hop as well.
3. as a group: what else moves in this hop is set free up to its version after. Holds: what moved is
   one group.

What is left moves with the hop, and the proof of the first failure says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

import msgspec
from packaging.version import Version

from djhop.resolve.attempts import Attempt
from djhop.resolve.blockers import against
from djhop.resolve.holding import hold
from djhop.resolve.locks import Lock
from djhop.resolve.moves import Move, diff, moves
from djhop.resolve.proofs import Failure
from djhop.resolve.request import DJANGO_OWN, Request, applies, is_version, name_of, read

#: Asks uv one thing about a cell, and waits.
Ask: TypeAlias = Callable[[Request, Attempt], Lock | Failure]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the hop: what its lock was made from, and the lock."""

    request: Request
    lock: Lock


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change on the cell before: a package, or a group that only moves together."""

    moves: tuple[Move, ...]
    #: What moves along without a line of the project naming it.
    along: tuple[Move, ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The moves of a hop in an order that works."""

    today: tuple[Step, ...] = ()
    #: What moves in the same change as the hop; Django first.
    hop: tuple[Move, ...] = ()
    #: What moves along with the hop without a line of the project naming it.
    along: tuple[Move, ...] = ()
    #: Package → why it cannot move before the hop.
    because: dict[str, str] = {}


class _Work(msgspec.Struct, kw_only=True):
    """The cell before with the steps so far, and what is still to move."""

    request: Request
    lock: Lock
    after: Side
    #: Packages the project has a line for; all others follow.
    named: frozenset[str]
    #: What is to move: versions at first and in the end.
    todo: dict[str, Move]
    because: dict[str, str] = {}
    #: Package that cannot move alone → what the proof of that names.
    failed: dict[str, frozenset[str]] = {}
    #: Packages that were tried as a group.
    grouped: set[str] = set()
    #: Packages that stay below the version of the cell after, where they run as well.
    enough: set[str] = set()


Way: TypeAlias = Callable[[_Work, str, Ask], Step | None]


def order(before: Side, after: Side, ask: Ask) -> Order:
    """Say which moves of a hop can be made before it, one by one, and which move with it.

    `ask` is called once for each package, and again for what cannot move alone.

    Raises:
        InfraError: as `asking.ask`.
    """
    raised = [m for m in diff(before.lock, after.lock) if m.direction == "upgraded"]
    here, there = _lines(before.request), _lines(after.request)
    work = _Work(
        request=before.request,
        lock=before.lock,
        after=after,
        named=frozenset(here) | frozenset(there),
        todo={
            m.package: m
            for m in raised
            if m.package not in DJANGO_OWN | {"django"}
            # Else the project itself says what each side takes: nothing is to be done before.
            and here.get(m.package) == there.get(m.package)
        },
    )
    today = tuple(_today(work, ask))
    left = moves(work.lock.packages, after.lock.packages, after.lock.moves_why)
    left = tuple(m for m in left if m.package not in work.enough)
    own = work.named | {"django"}
    return Order(
        today=today,
        hop=tuple(m for m in left if m.package in own),
        along=tuple(m for m in left if m.package not in own),
        because={n: why for n, why in work.because.items() if n in work.todo},
    )


def _lines(request: Request) -> dict[str, frozenset[str]]:
    """Package → the project's lines on it that apply to the cell's Python."""
    found: dict[str, frozenset[str]] = {}
    for text in (*request.requirements, *request.constraints, *request.packages):
        if applies(read(text), request):
            found[name_of(text)] = found.get(name_of(text), frozenset()) | {text}
    return found


def _today(work: _Work, ask: Ask) -> Iterator[Step]:
    """Take step after step for as long as one holds; what the project names goes first.

    A package that can go alone does; only when none can any more are groups tried.
    """
    for only in (work.named, work.todo.keys() - work.named):
        while step := _next(work, only, _alone, ask) or _next(work, only, _group, ask):
            yield step


def _next(work: _Work, only: Collection[str], way: Way, ask: Ask) -> Step | None:
    """The first step that holds."""
    for name in [name for name in work.todo if name in only]:
        if step := way(work, name, ask):
            return step
    return None


def _alone(work: _Work, name: str, ask: Ask) -> Step | None:
    """One package, everything else that the project names staying where it is."""
    if name in work.failed:
        return None
    answer = ask(work.request, _attempt(work, name))
    if isinstance(answer, Lock):
        return _checked(work, name, answer, ask)
    work.failed[name] = answer.named
    work.because[name] = _reason(answer, work.todo[name])
    return None


def _group(work: _Work, name: str, ask: Ask) -> Step | None:
    """One package with others, where the proof against it alone names some that move as well."""
    others = work.todo.keys() & work.named
    if not (others & work.failed.get(name, frozenset())) - {name} or name in work.grouped:
        return None
    work.grouped.add(name)
    for exactly in (False, True):  # uv may stop at a release that does not run on the cell after
        answer = ask(work.request, _attempt(work, name, free=others, exactly=exactly))
        if isinstance(answer, Lock) and (step := _checked(work, name, answer, ask)):
            return step
    return None


def _checked(work: _Work, name: str, lock: Lock, ask: Ask) -> Step | None:
    """The step, unless it needs releases that the cell after does not take."""
    low = _below(work, lock)
    # What stopped below in steps before stays there on the cell after, too.
    stays = {name: lock.packages[name] for name in work.enough & lock.packages.keys()}
    early = any(Version(version).is_prerelease for version in low.values())
    if early or (low and not _runs_after(work, stays | low, ask)):
        ends = ", ".join(f"{name} up to {version}" for name, version in low.items())
        why = "is no final release" if early else "does not run after it"
        work.because[name] = f"what runs before the hop ({ends}) {why}"
        # No proof says who keeps it from going on: it may be any that moves.
        work.failed.setdefault(name, frozenset(work.todo))
        return None
    work.enough |= low.keys()
    return _taken(work, name, lock)


def _below(work: _Work, lock: Lock) -> dict[str, str]:
    """Packages that were moved, but not as far as the cell after has them."""
    return {
        name: version
        for name, version in lock.packages.items()
        if name in work.todo
        and name in work.named
        and version not in (work.todo[name].after, work.lock.packages.get(name))
    }


def _runs_after(work: _Work, versions: dict[str, str], ask: Ask) -> bool:
    """Whether the cell after takes these versions, everything else being as its lock has it."""
    request, lock = work.after.request, work.after.lock
    pins = {name: f"=={version}" for name, version in versions.items()}
    return isinstance(ask(request, hold(request, lock, pins)), Lock)


def _taken(work: _Work, name: str, lock: Lock) -> Step:
    """Note a step that holds: the next one stands on it."""
    changes = moves(work.lock.packages, lock.packages, work.after.lock.moves_why)
    own = work.named | {name}
    moved = {move.package for move in changes}
    work.todo = {n: move for n, move in work.todo.items() if n not in moved}
    # What has failed is asked again where the proof against it names what has moved now.
    work.failed = {n: named for n, named in work.failed.items() if not named & moved}
    work.grouped = work.grouped & work.failed.keys()
    work.lock = msgspec.structs.replace(lock, forced=work.lock.forced)
    return Step(
        moves=tuple(m for m in changes if m.package in own),
        along=tuple(m for m in changes if m.package not in own),
    )


def _attempt(
    work: _Work, name: str, free: Collection[str] = (), *, exactly: bool = False
) -> Attempt:
    """The cell before with `name` above its version, at most, or exactly, at its last one."""
    loose = {*free, *(n for n in work.todo if n not in work.named)} - {name}
    pins = {other: _range(work.todo[other], ">=") for other in loose}
    pins[name] = f"=={work.todo[name].after}" if exactly else _range(work.todo[name], ">")
    kept = work.named - pins.keys()
    # What is new comes in the version that the cell after has.
    preferred = {**work.after.lock.packages, **work.lock.packages}
    seeds = {n: v for n, v in preferred.items() if is_version(v) and n not in (name, "django")}
    attempt = hold(work.request, work.lock, pins, held=kept)
    return msgspec.structs.replace(attempt, seeds=tuple(f"{n}=={v}" for n, v in seeds.items()))


def _range(move: Move, operator: str) -> str:
    return f"{operator}{str(move.before).partition('+')[0]},<={move.after}"


def _reason(failure: Failure, move: Move) -> str:
    """Why the cell before does not take the package: the constraint of uv's proof."""
    name = move.package
    if failure.kind == "build":
        return f"{failure.package} {failure.version} cannot be built there"
    for wanted in ("django", "python"):
        for blocker in against(failure, wanted, {name: str(move.after)}):
            if blocker.package == name:
                return blocker.reason
    for edge in failure.edges:
        if edge.package == name:
            version = edge.versions.removeprefix("==")
            return f"{name} {version} requires {edge.needs}{edge.constraint}"
    return next((line for line in failure.text.splitlines() if "Because" in line), "")
