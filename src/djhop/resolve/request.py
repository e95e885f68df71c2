"""What a cell's lock is made from: the project's requirements, read one by one; pure."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop import releases

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
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
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
    own = [text for text in texts if name and name_of(text) == name]
    return next((text for text in own if applies(read(text), request)), (*own, link)[0])


def not_there(name: str, version: str, request: Request) -> str:
    """The sentence about a release that the index does not have, or not yet on the cell's date."""
    date = f" of {request.exclude_newer}" if request.exclude_newer else ""
    return f"{name} {version} is not on the index{date}"


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


@functools.lru_cache(maxsize=4096)
def is_version(text: str) -> bool:
    """Whether a pin is a version, and no URL."""
    try:
        Version(text)
    except ValueError:
        return False
    return True
