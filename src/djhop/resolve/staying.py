"""Which packages have a version to stay at, and what says so; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop.resolve.request import (
    GIVES_WAY,
    Request,
    applies,
    capped,
    is_version,
    name_of,
    pinned,
    read,
)

if TYPE_CHECKING:
    from djhop.resolve.locks import Lock


def held(request: Request, previous: Lock | None) -> dict[str, str]:
    """Package → version to stay at: that of the lock before, else what the project has today."""
    return {**_locked(request), **stated(request), **_before(request, previous)}


def floors(request: Request, previous: Lock | None) -> dict[str, str]:
    """Of what is held, what no words of the project hold: the lock before, and its lock file."""
    return {**_locked(request), **_before(request, previous)}


def stated(request: Request) -> dict[str, str]:
    """Package → version of the exact pins among the requirements that apply."""
    pins: dict[str, str] = {}
    for requirement in _applying(request):
        if pinned(requirement):
            pins[canonicalize_name(requirement.name)] = pinned(requirement)
    pins.pop("django", None)
    return pins


def today(request: Request) -> dict[str, str]:
    """Package → version that the project has today, by its lock file or its exact pins.

    Django too; no policy and no hop changes it.
    """
    texts = (*request.pins, *request.constraints, *request.requirements)
    there = [one for one in map(read, texts) if one is not None and applies(one, request)]
    pins = {canonicalize_name(one.name): pinned(one) for one in there if pinned(one)}
    return {name: version for name, version in pins.items() if is_version(version)}


def _before(request: Request, previous: Lock | None) -> dict[str, str]:
    """The lock before, but for what the project's words for this cell lie above or say apart."""
    if previous is None or request.policy == "latest":
        return {}
    texts = (*request.constraints, *request.requirements)
    own = [one for one in map(read, texts) if one is not None]
    found = {n: v for n, v in previous.packages.items() if is_version(v) and n != "django"}
    for requirement in own:
        name = canonicalize_name(requirement.name)
        version = found.get(name, "")
        here = applies(requirement, request)
        if (here and below(version, requirement)) or (not here and pinned(requirement) == version):
            found.pop(name, None)
    return found


def below(version: str, requirement: Requirement) -> bool:
    """Whether a version is lower than a requirement allows; what is too high is not."""
    return is_version(version) and any(
        Version(version) < Version(bound) or (clause.operator == ">" and version == bound)
        for clause in requirement.specifier
        if clause.operator in {">=", ">", "~=", "==", "==="}
        and is_version(bound := clause.version.removesuffix(".*"))
    )


def _locked(request: Request) -> dict[str, str]:
    """What the project's lock file has, as far as the project's requirements still allow it."""
    if request.policy == "latest":
        return {}
    there = [one for one in map(read, request.pins) if one is not None and applies(one, request)]
    pins = {canonicalize_name(one.name): pinned(one) for one in there}
    for requirement in _applying(request):
        name = canonicalize_name(requirement.name)
        version = pins.get(name, "")
        if not is_version(version) or not requirement.specifier.contains(version, prereleases=True):
            pins.pop(name, None)
    return {n: v for n, v in pins.items() if is_version(v) and n != "django"}


def _applying(request: Request) -> list[Requirement]:
    read_ = map(read, (*request.constraints, *request.requirements))
    return [one for one in read_ if one is not None and applies(one, request)]


def holdable(request: Request) -> frozenset[str]:
    """Packages that the project's own words hold back, and that may be released."""
    found = set()
    for text in (*request.requirements, *request.constraints):
        requirement = read(text)
        if requirement and not requirement.url and _holds(requirement, request):
            found.add(canonicalize_name(requirement.name))
    return frozenset(found) - GIVES_WAY - {"django"} - {name_of(p) for p in request.packages}


def _holds(requirement: Requirement, request: Request) -> bool:
    free = request.policy == "latest" and pinned(requirement)
    return capped(requirement) and not free
