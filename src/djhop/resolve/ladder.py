"""What to ask uv next, after what it said last; pure.

The order gives the smallest change that is true:

1. *swap*: Django is replaced, everything else stays as the project says, its exact pins hard (at
   the version of the lock before, where the path has already moved them). Satisfiable: nothing that
   is pinned moves, and one uv process was enough. That is the common case.
2. *release*: uv's proof names the pins in the way. Those that cap Django are freed first, else
   every pin that the proof names: its version becomes a floor and a preference. The proof is the
   reason for the move. Asked again until it holds. Only what is named is freed: with all pins freed
   at once a freed package's newest release may drag along a pin that could have stayed. After
   `ROUNDS` rounds the rest is freed together, which bounds the processes.
3. *without*: no pin is in the way any more and a package still caps Django: no release of it allows
   the series. It is a blocker. It is left out, to see whether the rest has more of them (all are
   found, not only the first) and where the rest moves.
4. *force*: from the rest's versions, with the blockers back in and `--overrides django==X.Y.*`, so
   that their metadata is not asked. The lock says `forced` and names the blockers. Forcing comes
   last, and not on the capped pins, because a release that allows the series is a better answer
   than one that is made to.

Every lock but a forced one is then made smaller (smallest.py): what moved goes to the lowest
release that fits. Under "frozen" nothing is released: swap, without, force.

Nothing goes below the lock before: an ancient release that had no cap yet satisfies a solver and no
project. Where such a release is met all the same and cannot be built, only wheels of that package
are taken; where it is the one in use, any other release. A package may sink only where another
asks for less of it, or where the Python is older.
"""

from __future__ import annotations

import msgspec

from djhop.masking import mask
from djhop.resolve.attempts import Stage
from djhop.resolve.blockers import Blocker, against
from djhop.resolve.locks import Lock
from djhop.resolve.proofs import Failure, absent
from djhop.resolve.request import (
    Request,
    applies,
    is_version,
    name_of,
    not_there,
    own_words,
    read,
)
from djhop.resolve.staying import floors, held, holdable

#: Rounds of releasing what a proof names, before the rest is released together.
ROUNDS = 8


class Climb(msgspec.Struct, frozen=True, kw_only=True):
    """Where the search stands, and what it has learned."""

    stage: Stage = Stage()
    #: The lock whose versions are kept.
    base: Lock | None = None
    rounds: int = 0
    blockers: tuple[Blocker, ...] = ()
    #: Package → why it was released.
    why: dict[str, str] = {}
    #: The first build that failed and was worked around.
    build: Failure | None = None


def after_failure(climb: Climb, failure: Failure, request: Request) -> Climb | None:
    """What to try next; None when no further attempt can help."""
    if failure.kind == "build":
        climb = msgspec.structs.replace(climb, build=climb.build or failure)
    caps = _caps(climb, failure, request)
    frozen = request.policy == "frozen"
    movable = frozenset() if frozen else _movable(failure, climb.stage, request)
    if movable:
        return _release(climb, failure, request, movable & {b.package for b in caps} or movable)
    if caps and not climb.stage.forced:
        return _staged(climb, caps, without=climb.stage.without | {b.package for b in caps})
    if frozen:
        return None
    if failure.kind == "build":
        return _other_release(climb, failure, request)
    sunk = _sinkable(climb, failure, request, bool(caps))
    released = climb.stage.released - sunk
    return _staged(climb, sunk=climb.stage.sunk | sunk, released=released) if sunk else None


def _other_release(climb: Climb, failure: Failure, request: Request) -> Climb | None:
    """Past a release that cannot be built; where it is not the one in use, to wheels alone."""
    name, version, stage = failure.package, failure.version, climb.stage
    if not version or name in stage.wheels:
        return None
    line = f"{name}!={version}"
    # What is preferred is taken again and again; all else that uv meets may be ancient.
    if version == held(request, climb.base).get(name) and line not in stage.unbuilt:
        return _staged(climb, unbuilt=stage.unbuilt | {line})
    return _staged(climb, wheels=stage.wheels | {name})


def _staged(climb: Climb, caps: tuple[Blocker, ...] = (), **changes: object) -> Climb:
    stage = msgspec.structs.replace(climb.stage, **changes)
    return msgspec.structs.replace(climb, stage=stage, blockers=climb.blockers + caps)


def _caps(climb: Climb, failure: Failure, request: Request) -> tuple[Blocker, ...]:
    """The packages that rule out this Django and are not known yet."""
    known = {blocker.package for blocker in climb.blockers}
    return tuple(
        msgspec.structs.replace(b, chain=(mask(own_words(b.chain[0], request)), *b.chain[1:]))
        for b in against(failure, "django", held(request, climb.base))
        if b.package not in known
    )


def _sinkable(climb: Climb, failure: Failure, request: Request, capped: bool) -> frozenset[str]:
    """The packages to let go below the lock before."""
    floored = floors(request, climb.base).keys() - climb.stage.sunk
    if failure.kind == "python" and not capped and failure.named & floored:
        return frozenset(floored)
    return frozenset(edge.needs for edge in failure.edges) & floored


def after_rest(climb: Climb, rest: Lock, request: Request) -> Climb:
    """Put the blockers back, forced, on top of the versions that the rest has without them."""
    kept = held(request, climb.base)
    # What only the blockers ask for is not in the rest; it stays where it was.
    back = tuple(f"{name}=={kept[name]}" for name in sorted(kept.keys() - rest.packages.keys()))
    return msgspec.structs.replace(
        climb,
        stage=msgspec.structs.replace(climb.stage, without=frozenset(), forced=True),
        base=msgspec.structs.replace(rest, pins=rest.pins + back),
    )


def _movable(failure: Failure, stage: Stage, request: Request) -> frozenset[str]:
    """The pins in the way that have not been released yet."""
    if stage.everything:
        return frozenset()
    named = frozenset({failure.package}) if failure.kind == "build" else failure.named
    return (named & holdable(request)) - stage.released - stage.without


def _release(climb: Climb, failure: Failure, request: Request, names: frozenset[str]) -> Climb:
    pins = held(request, climb.base)
    stage = msgspec.structs.replace(
        climb.stage,
        released=climb.stage.released | names,
        everything=climb.rounds + 1 >= ROUNDS,
    )
    why = {name: _reason(name, failure, request, pins) for name in sorted(names)}
    return msgspec.structs.replace(
        climb, stage=stage, rounds=climb.rounds + 1, why={**climb.why, **why}
    )


def _reason(name: str, failure: Failure, request: Request, pins: dict[str, str]) -> str:
    if failure.kind == "build":
        return f"{name} {failure.version} cannot be built on Python {request.python}"
    for wanted in ("django", "python"):
        for blocker in against(failure, wanted, pins):
            if blocker.package == name:
                return blocker.reason
    for edge in failure.edges:
        if edge.needs == name:
            version = edge.versions.removeprefix("==")
            return f"{edge.package} {version} requires {name}{edge.constraint}"
    for edge in failure.edges:
        if edge.package == name:
            return f"{name} {pins.get(name, '')} requires {edge.needs}{edge.constraint}"
    return _own_reason(name, failure, request, pins.get(name, ""))


def _own_reason(name: str, failure: Failure, request: Request, pin: str) -> str:
    """Why a pin does not hold where no other package is in its way."""
    if pin and absent(failure).get(name) == pin:
        return not_there(name, pin, request)
    for text in (*request.constraints, *request.requirements):
        requirement = read(text)
        if requirement is None or name_of(text) != name or not applies(requirement, request):
            continue
        if is_version(pin) and not requirement.specifier.contains(pin, prereleases=True):
            return f"the project requires {requirement}"
    return f"{name} {pin} does not fit the other requirements"
