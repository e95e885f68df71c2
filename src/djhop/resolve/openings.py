"""For each blocker, the first release that would open the cell, by resolving; and hidden blockers.

What a package declares is not asked: uv resolves the package alone, from its version upwards, with
the cell's Django on the cell's Python, the lowest release first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from djhop.masking import mask
from djhop.resolve import blockers, locks
from djhop.resolve.attempts import Attempt
from djhop.resolve.blockers import Blocker
from djhop.resolve.locks import Lock
from djhop.resolve.request import DJANGO_OWN, django, is_version, own_words

if TYPE_CHECKING:
    from djhop.resolve.proofs import Failure
    from djhop.resolve.request import Request

Ask = Callable[[Attempt], "Lock | Failure"]

#: Releases without a wheel that cannot be built are passed over this many times.
TRIES = 3
#: Rounds of looking for caps behind the blockers.
ROUNDS = 5


def met(lock: Lock, found: tuple[Blocker, ...], request: Request) -> tuple[Blocker, ...]:
    """The blockers as they are in the forced lock: its versions, and the way down to each."""
    return tuple(_met(lock, blocker, request) for blocker in found)


def _met(lock: Lock, blocker: Blocker, request: Request) -> Blocker:
    version = mask(lock.packages.get(blocker.package, blocker.version))
    way = (*way_down(lock, blocker.package, request), blocker.constraint)
    return msgspec.structs.replace(
        blocker, version=version, chain=way if len(way) > 1 else blocker.chain
    )


def way_down(lock: Lock, package: str, request: Request) -> tuple[str, ...]:
    """From the project's own requirement down to `package`: ("shop~=3.0", "django-oscar==3.2.4").

    Empty where the lock does not hold it; credentials are masked.
    """
    asked, packages = frozenset(locks.ASKED.values()), lock.packages
    if package not in packages:
        return ()
    ways: list[tuple[str, ...]] = [(package,)]
    seen = {package}
    while ways:  # the nearest first
        way = ways.pop(0)
        parents = lock.via.get(way[0], ())
        if not parents or asked & set(parents):
            head, *rest = (_link(name, packages[name]) for name in way)
            return (mask(own_words(head, request)), *rest)
        ways += [(parent, *way) for parent in parents if parent in packages and parent not in seen]
        seen |= set(parents)
    return (_link(package, packages[package]),)


def _link(name: str, version: str) -> str:
    return mask(f"{name} @ {version}" if "://" in version else f"{name}=={version}")


def hidden(
    lock: Lock, rest: Lock | None, found: tuple[Blocker, ...], request: Request, ask: Ask
) -> tuple[Blocker, ...]:
    """Caps on Django of what only the blockers ask for: without them, nobody had met these.

    `rest` is the lock without the blockers. No process where they bring nothing along.
    """
    known = {blocker.package for blocker in found} | (rest.packages.keys() if rest else set())
    unseen = {n: v for n, v in lock.packages.items() if n not in known | DJANGO_OWN | {"django"}}
    more: tuple[Blocker, ...] = ()
    for _ in range(ROUNDS):
        pins = tuple(
            f"{name}=={version}" for name, version in unseen.items() if is_version(version)
        )
        if not pins:
            break
        away = (*(b.package for b in found), *(b.package for b in more))
        gone = tuple(f"{name} ; python_version < '0'" for name in away)
        files = {"behind.in": pins, "django.in": (django(request),)}
        answer = ask(Attempt(requirements=files, overrides=gone))
        if isinstance(answer, Lock):
            break
        caps = [b for b in blockers.against(answer, "django", unseen) if b.package in unseen]
        if not caps:
            break
        more += tuple(caps)
        unseen = {n: v for n, v in unseen.items() if n not in {b.package for b in caps}}
    return more


def opened(
    found: tuple[Blocker, ...], release: str, request: Request, ask: Ask
) -> tuple[Blocker, ...]:
    """Add to each blocker the first release of it that allows Django `release` on this Python."""
    return tuple(
        msgspec.structs.replace(b, first_allowing=_first(b, release, request, ask)) for b in found
    )


def _first(blocker: Blocker, release: str, request: Request, ask: Ask) -> str | None:
    """The version; "" where no release does; None where nobody can say."""
    name, version = blocker.package, blocker.version
    if not is_version(version):
        return None
    wheels: frozenset[str] = frozenset()
    files: dict[str, tuple[str, ...]] = {
        "blocker.in": (f"{name}>={version.partition('+')[0]}",),
        "django.in": (f"django=={release}" if release else django(request),),
    }
    for _ in range(TRIES):
        answer = ask(Attempt(requirements=files, wheels=tuple(sorted(wheels)), lowest=True))
        if isinstance(answer, Lock):
            return answer.packages.get(name)
        if answer.kind in {"conflict", "python"}:
            return "" if not wheels else None
        if answer.kind != "build" or answer.package in wheels:
            return None
        wheels |= {answer.package}
    return None
