"""A lock in which something moved → the same with the smallest step of each.

What had to move went to its newest release, because that is what uv takes. Here it is asked again
with those packages as requirements of their own, from where they are upwards, the lowest release
first; everything that did not move stays as it was found. Wheels are preferred: an old release
without one may not build, and would cost the whole lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import msgspec
from packaging.version import Version

from djhop.resolve import attempts, locks, moves
from djhop.resolve.attempts import Attempt, Stage
from djhop.resolve.locks import Lock
from djhop.resolve.request import DJANGO_OWN, is_version, name_of
from djhop.resolve.staying import held

if TYPE_CHECKING:
    from djhop.resolve.proofs import Failure
    from djhop.resolve.request import Request

#: Asks uv once.
Ask = Callable[[Attempt], "Lock | Failure"]

#: With wheels only, then with source distributions of what has no wheel, then of all.
TRIES = 3
#: Releases that cannot be built and are passed over on the way up.
BUILDS = 8


def smallest(request: Request, base: Lock | None, stage: Stage, found: Lock, ask: Ask) -> Lock:
    """Return the lock with the smallest steps; `found` itself where none is smaller.

    `base` is the lock before, `stage` that at which `found` was found. No process is started where
    nothing but Django and what it requires has moved up, under another policy than "minimal", or
    where the metadata of a package was overruled (nothing would have to move).
    """
    before = held(request, base)
    up = moved_up(before, found)
    if not up or stage.forced or request.policy != "minimal":
        return found
    first, every = attempts.build(request, base, stage), frozenset(up)
    small = _lowest(first, found, before, every, ask)
    # What the project has without a wheel today has a nearer release, perhaps, without one.
    sources = {name_of(line) for line in stage.unbuilt}
    if sources and (small is None or sources & _major(before, small)):
        small = _lowest(first, found, before, every - sources, ask) or small
    return small or found


def _lowest(
    first: Attempt, found: Lock, before: dict[str, str], wheels: frozenset[str], ask: Ask
) -> Lock | None:
    """The lock with the lowest releases, of `wheels` those with a wheel while there are any."""
    up = moved_up(before, found).keys()
    unbuilt: tuple[str, ...] = ()
    tries = TRIES
    while tries:
        answer = ask(attempt(first, found, before, wheels, unbuilt))
        if isinstance(answer, Lock):
            small = locks.pruned(answer)
            # What the newest releases no longer ask for, and the smallest do, took no small step.
            if back := moved_up(before, small).keys() - up:
                answer = ask(attempt(first, small, before, wheels | back, unbuilt))
            return locks.pruned(answer) if isinstance(answer, Lock) else small
        if _passed_over(answer, up - wheels) and len(unbuilt) < BUILDS:
            unbuilt += (f"{answer.package}!={answer.version}",)
            continue
        if not wheels:
            break
        built = (answer.named | {answer.package}) & wheels
        wheels = wheels - built if built and answer.kind != "build" else frozenset()
        tries -= 1
    return None


def _major(before: dict[str, str], lock: Lock) -> frozenset[str]:
    """The packages that cross a major version."""
    moved = moves.moves(before, lock.packages, {})
    return frozenset(move.package for move in moved if move.major)


def _passed_over(failure: Failure, names: Collection[str]) -> bool:
    """Whether it is a release of one of these that cannot be built."""
    return failure.kind == "build" and bool(failure.version) and failure.package in names


def moved_up(before: dict[str, str], found: Lock) -> dict[str, str]:
    """Package → version before, of what is newer in `found`; not of what Django requires."""
    return {
        name: before[name]
        for name, version in found.packages.items()
        if name in before.keys() - DJANGO_OWN
        and is_version(version)
        and Version(version) > Version(before[name])
    }


def attempt(
    first: Attempt,
    found: Lock,
    before: dict[str, str],
    wheels: frozenset[str],
    unbuilt: tuple[str, ...] = (),
) -> Attempt:
    """Say what uv is asked for the lowest releases of what moved up; `first` is what found it.

    `unbuilt` are releases to be passed over, "name!=version".
    """
    up = moved_up(before, found)
    stays = tuple(
        f"{name}=={version}"
        for name, version in found.packages.items()
        if name not in up and is_version(version) and _stays(name, before, found)
    )
    moving = tuple(f"{name}>={version.partition('+')[0]}" for name, version in up.items())
    # Where a package was is preferred: what moved only because another took a large step may stay.
    seeds = {n: v for n, v in {**found.packages, **before}.items() if is_version(v)}
    return msgspec.structs.replace(
        first,
        requirements={**first.requirements, "moved.in": moving},
        constraints=first.constraints + stays + unbuilt,
        seeds=tuple(f"{name}=={version}" for name, version in seeds.items()),
        wheels=tuple(sorted({*first.wheels, *wheels})),
        lowest=True,
    )


def _stays(name: str, before: dict[str, str], found: Lock) -> bool:
    """What was there before, or is asked for by no package: else the lowest would be taken."""
    asked = frozenset(locks.ASKED.values())
    known = before.keys() | DJANGO_OWN | {"django"}
    return name in known or bool(asked & set(found.via.get(name, ())))
