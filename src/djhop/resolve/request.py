"""What a cell's lock is made from: the project's requirements, read and judged one by one; pure."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from djhop import releases

if TYPE_CHECKING:
    from djhop.resolve.locks import Lock

#: minimal: what the project has today stays, and moves only where it must. latest: its ranges hold,
#: and its exact pins are free. frozen: nothing but Django and what Django requires moves.
Policy = Literal["minimal", "latest", "frozen"]

#: What Django itself requires, or names in its extras, in any series: always free to move.
#: https://github.com/django/django/blob/main/pyproject.toml
DJANGO_OWN = frozenset(
    {
        "argon2-cffi",
        "asgiref",
        "backports-zoneinfo",
        "bcrypt",
        "pytz",
        "sqlparse",
        "typing-extensions",
        "tzdata",
    }
)
#: Those of them that nobody but Django uses: what the project says of them gives way at once.
GIVES_WAY = frozenset({"asgiref", "backports-zoneinfo", "sqlparse"})
#: Build tools of the date may not run on a newer Python.
BUILD_TOOLS = ("setuptools", "wheel")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell's lock is made from."""

    #: The project's, as written, one each.
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    #: "name==version" of the project's lock file: kept while they fit, as the lock before is.
    pins: tuple[str, ...] = ()
    #: Series: "5.2", "2028".
    django: str
    #: Minor: "3.12".
    python: str
    interpreter_path: str
    #: "3.12.1", and the interpreter's own key: both go into the cache's key.
    python_release: str = ""
    interpreter_key: str = ""
    #: What the suite needs; left out where the project states the same package.
    suite_packages: tuple[str, ...] = ()
    #: What the matrix adds: as they stand, and in place of the project's own requirement.
    packages: tuple[str, ...] = ()
    #: ISO date or time: nothing uploaded later is used. Build tools are exempt, and so are Django
    #: and what it requires where the series is younger than the date.
    exclude_newer: str = ""
    policy: Policy = "minimal"


@functools.lru_cache(maxsize=4096)
def read(text: str) -> Requirement | None:
    """Parse a requirement; None for a bare path or URL, and for what packaging cannot read."""
    try:
        return Requirement(text.partition(" --hash")[0])
    except InvalidRequirement:
        return None


def name_of(text: str) -> str:
    """Canonical name of a requirement; empty where it has none."""
    requirement = read(text)
    return canonicalize_name(requirement.name) if requirement else ""


def pinned(requirement: Requirement) -> str:
    """The version of an exact pin; else empty."""
    for clause in requirement.specifier:
        if clause.operator in {"==", "==="} and not clause.version.endswith(".*"):
            return clause.version
    return ""


def capped(requirement: Requirement) -> bool:
    """Whether the project holds this package back: an exact pin or an upper bound."""
    return any(clause.operator not in {">=", ">", "!="} for clause in requirement.specifier)


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


def django(request: Request) -> str:
    """The one requirement on Django: the series, or what the matrix's packages say of it."""
    for text in request.packages:
        if name_of(text) == "django":
            return text
    extras = {e for text in replaced(request) for e in (read(text) or Requirement("x")).extras}
    return f"django{extras_text(extras)}=={request.django}.*"


def own_words(link: str, request: Request) -> str:
    """The head of a chain ("django-oscar==3.2.4") as the project wrote it, where it did."""
    name = name_of(link)
    texts = (*request.packages, *request.requirements, *request.suite_packages)
    return next((text for text in texts if name and name_of(text) == name), link)


def replaced(request: Request) -> tuple[str, ...]:
    """What the project itself requires of Django."""
    texts = (*request.requirements, *request.constraints)
    return tuple(dict.fromkeys(text for text in texts if name_of(text) == "django"))


def exempt(request: Request) -> tuple[str, ...]:
    """The packages that `exclude_newer` does not hold back."""
    if not request.exclude_newer:
        return ()
    table = releases.load()
    known = table.known(request.django)
    released = table.get(request.django).released if known else ""
    young = bool(released) and released >= request.exclude_newer[:10]
    return (*BUILD_TOOLS, *(("django", *sorted(DJANGO_OWN)) if young else ()))


def absolute(request: Request, cwd: str) -> Request:
    """The request with `name @ ./path` and bare paths made absolute against `cwd`."""

    def fixed(text: str) -> str:
        head, at, path = text.rpartition(" @ ")
        if "://" in path or not (path.startswith((".", "/")) or (not at and "/" in path)):
            return text
        place = Path(cwd, path.partition(" ;")[0]).resolve()
        return f"{head} @ {place.as_uri()}" if at else str(place)

    return msgspec.structs.replace(request, requirements=tuple(map(fixed, request.requirements)))


def locals_of(request: Request) -> tuple[str, ...]:
    """Requirements that point into this machine's files: what they say can change at any time."""
    texts = (*request.requirements, *request.packages)
    return tuple(t for t in texts if "file:" in t or (read(t) is None and "://" not in t))


def applies(requirement: Requirement | None, request: Request) -> bool:
    """Whether the requirement's marker holds on the cell's Python (of this machine).

    No extra and no dependency group is asked for.
    """
    if requirement is None or requirement.marker is None:
        return requirement is not None
    full = request.python_release or f"{request.python}.0"
    # `extras` and `dependency_groups` stand in lock files of PEP 751 alone.
    return requirement.marker.evaluate(
        {
            "python_version": request.python,
            "python_full_version": full,
            "extra": "",
            "extras": frozenset(),
            "dependency_groups": frozenset(),
        }
    )


def extras_text(extras: set[str]) -> str:
    return f"[{','.join(sorted(extras))}]" if extras else ""


def is_version(text: str) -> bool:
    """Whether a pin is a version, and no URL."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
