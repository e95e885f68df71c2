"""What a climb comes to: a Lock that says what it took, or Unresolvable that says why; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from packaging.version import Version

from djhop.masking import mask
from djhop.resolve import blockers, moves, openings, proofs
from djhop.resolve.blockers import Blocker
from djhop.resolve.locks import Lock, Unresolvable
from djhop.resolve.request import applies, django, exempt, name_of, own_words, read, replaced
from djhop.resolve.staying import below, held, today

if TYPE_CHECKING:
    from djhop.resolve.ladder import Climb
    from djhop.resolve.proofs import Failure
    from djhop.resolve.request import Request

#: Why a package moved that nothing kept.
LATEST = "policy latest: the newest release that fits"


def finished(lock: Lock, climb: Climb, request: Request, previous: Lock | None) -> Lock:
    """The lock, with what the climb has learned; its `blockers` are those it already names."""
    return msgspec.structs.replace(
        lock,
        forced=climb.stage.forced,
        moves_why=_whys(lock, climb, request, previous),
        notes=lock.notes + _notes(lock, climb, request),
    )


def _whys(lock: Lock, climb: Climb, request: Request, previous: Lock | None) -> dict[str, str]:
    """Package → why it moved: from the lock before, or from what the project has today."""
    pins = tuple(f"{name}=={version}" for name, version in today(request).items())
    before = previous or Lock(pins=pins, django_release="")
    # Under "latest" whatever there was moves for no other reason than that it can.
    free = before.packages if request.policy == "latest" else {}
    known = {**dict.fromkeys(free, LATEST), **_said(request, before), **climb.why}
    why = moves.reasons(before, lock, {n: w for n, w in known.items() if n in lock.packages})
    if previous is None:  # it had no hop, and nothing is new in it
        both = before.packages.keys() & lock.packages.keys() - {"django"}
        why = {name: why[name] for name in why if name in both}
    return why


def _said(request: Request, before: Lock) -> dict[str, str]:
    """Package → the words of the project that rule out where it was: a line for this Python."""
    packages, texts = before.packages, (*request.constraints, *request.requirements)
    there = [one for one in map(read, texts) if one is not None and applies(one, request)]
    return {
        name_of(str(one)): f"the project requires {one}"
        for one in there
        if below(packages.get(name_of(str(one)), ""), one)
    }


def _allows(text: str, release: str) -> bool:
    requirement = read(text)
    return requirement is not None and requirement.specifier.contains(release or "0", True)


def _notes(lock: Lock, climb: Climb, request: Request) -> tuple[str, ...]:
    notes = []
    for text in replaced(request):
        if not _allows(text, lock.django_release):
            notes.append(f"{text!r} of the project gives way to {django(request)!r}")
    for name in sorted(climb.why.keys() & _overruled(lock, request)):
        notes.append(f"the project's own requirement on {name} was released: {climb.why[name]}")
    if climb.stage.everything:
        notes.append("many pins were in the way: all of them were released together")
    for blocker in lock.blockers:
        notes.append(f"forced: {blocker.sentence}")
    if lock.django_release and Version(lock.django_release).is_prerelease:
        notes.append(f"Django {lock.django_release} is a pre-release: there is no final one yet")
    if "django" in exempt(request):
        notes.append(
            f"Django {request.django} is younger than {request.exclude_newer}: its date is free"
        )
    return tuple(mask(note) for note in notes)


def _overruled(lock: Lock, request: Request) -> frozenset[str]:
    """The packages whose version in the lock is not what the project asks for."""
    found, packages = set(), lock.packages
    for requirement in map(read, (*request.requirements, *request.constraints)):
        if requirement is None or not applies(requirement, request):
            continue
        name = name_of(str(requirement))
        version = packages.get(name, "")
        if version and not requirement.specifier.contains(version, prereleases=True):
            found.add(name)
    return frozenset(found)


def unresolvable(
    failure: Failure,
    request: Request,
    *,
    found: tuple[Blocker, ...],
    log: str,
    processes: int,
) -> Unresolvable:
    """Say why there is no lock; `found` are all the blockers."""
    text = proofs.explain(failure, 40) if failure.kind == "build" else failure.text
    return Unresolvable(
        kind=failure.kind,
        reason=mask(_reason(failure, found, request)),
        blockers=found,
        text=text,
        log=log,
        processes=processes,
    )


def blocking(failure: Failure, climb: Climb, request: Request) -> tuple[Blocker, ...]:
    """The blockers that the climb knows, and those that the last proof names."""
    found = climb.blockers
    for wanted in ("django", "python"):
        known = {blocker.package for blocker in found}
        pins = held(request, climb.base)
        found += tuple(b for b in blockers.against(failure, wanted, pins) if b.package not in known)
    return tuple(_asked_for(blocker, climb.base, request) for blocker in found)


def _asked_for(blocker: Blocker, base: Lock | None, request: Request) -> Blocker:
    """The blocker with the way down to it from the project's own words; none where not known.

    uv's proof begins with whatever holds a package, a pin of the lock file as well.
    """
    way = openings.way_down(base, blocker.package, request) if base else ()
    if way:
        return msgspec.structs.replace(blocker, chain=(*way, blocker.constraint))
    words = own_words(blocker.chain[0], request) if blocker.chain else ""
    named = words in (*request.packages, *request.requirements, *request.suite_packages)
    chain = (mask(words), *blocker.chain[1:]) if named else ()
    return msgspec.structs.replace(blocker, chain=chain)


def _reason(failure: Failure, found: tuple[Blocker, ...], request: Request) -> str:
    match failure.kind:
        case "build":
            built = f"{failure.package} {failure.version}".strip()
            return f"{built} cannot be built on Python {request.python}"
        case "missing":
            where = f"at its URL: {failure.url}" if failure.url else "on the index"
            return f"{failure.package} is not {where}"
        case "requirement":
            # uv breaks long lines, but its carets are always below the requirement.
            lines = [line.strip() for line in failure.text.splitlines() if line.strip()]
            carets = [n for n, line in enumerate(lines) if n > 1 and not line.strip("^")]
            said = reversed(lines[carets[0] - 2 : carets[0]] if carets else lines[:1])
            return f"a requirement cannot be read: {': '.join(said)}"
        case _:
            return _conflict(failure, found, request)


def _conflict(failure: Failure, found: tuple[Blocker, ...], request: Request) -> str:
    for edge in failure.edges:
        if edge.package == "django" and edge.needs == "python":
            return f"Django {request.django} requires Python{edge.constraint}, not {request.python}"
    gap = re.search(r"only (django[<>=!]\S*) is available", failure.text)
    if gap:
        return f"there is no release of Django {request.django} (only {gap[1]})"
    if len(found) == 1:
        return found[0].reason
    if found:
        names = ", ".join(blocker.package for blocker in found)
        return f"{len(found)} packages do not allow it: {names}"
    return next((li for li in failure.text.splitlines() if "Because" in li), failure.text[:300])
