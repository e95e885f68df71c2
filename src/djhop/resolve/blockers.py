"""Which packages stand in the way of a Django or a Python, and with what constraint; pure."""

from __future__ import annotations

import re

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from djhop.resolve.proofs import Edge, Failure, term

_NONE = Edge("", "", "", "")


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """A package whose own metadata rules out the cell's Django or Python."""

    package: str
    #: The version in use, or the versions uv looked at: "3.2.4", ">=3.2.4,<=3.2.6".
    version: str
    #: What it asks for: "django>=3.2,<4.3", "python<3.11".
    constraint: str
    #: From the project's own requirement down to the constraint.
    chain: tuple[str, ...] = ()
    #: The first release of it that allows the cell's Django on the cell's Python, found by
    #: resolving; "" where no release does, None where that is not known.
    first_allowing: str | None = None
    #: uv's own explanation.
    text: str = ""

    @property
    def reason(self) -> str:
        """The blocker in one clause: "django-oscar 3.2.4 requires django>=3.2,<4.3"."""
        return f"{self.package} {self.version} requires {self.constraint}".replace("  ", " ")

    @property
    def remedy(self) -> str:
        """What would open the cell: "4.0 is its first release to allow this Django", or ""."""
        wanted = "Python" if self.constraint.startswith("python") else "Django"
        match self.first_allowing:
            case None:
                return ""
            case "" if wanted == "Python":  # an older one may
                return "no later release of it allows this Python"
            case "":
                return f"no release of it allows this {wanted}"
        return f"{self.first_allowing} is its first release to allow this {wanted}"

    @property
    def sentence(self) -> str:
        """Both: "django-oscar 3.2.4 requires django>=3.2,<4.3; no release of it allows …"."""
        return "; ".join(filter(None, (self.reason, self.remedy)))


def standing(before: tuple[Blocker, ...], after: tuple[Blocker, ...]) -> tuple[Blocker, ...]:
    """The blockers of `after` that stood in the way before already, with the same constraint."""
    known = {(blocker.package, blocker.constraint) for blocker in before}
    return tuple(b for b in after if (b.package, b.constraint) in known)


def against(failure: Failure, wanted: str, held: dict[str, str]) -> tuple[Blocker, ...]:
    """The packages whose metadata constrain `wanted` ("django", "python"), one entry each.

    `held` gives the version in use per package, so that of several constraints the right one is
    named.
    """
    best: dict[str, Edge] = {}
    for edge in failure.edges:
        if edge.needs != wanted or edge.package in {wanted, "django"}:
            continue
        version = held.get(edge.package, "")
        if _rank(edge, version) >= _rank(best.get(edge.package, _NONE), version):
            best[edge.package] = edge
    return tuple(_blocker(edge, failure, held) for edge in best.values())


def _rank(edge: Edge, held: str) -> tuple[bool, Version]:
    """Best is what speaks of the version in use, else of the newest."""
    numbers = re.findall(r"\d[^,\s<>=!~]*", edge.versions)
    return covers(edge.versions, held), max((_version(n) for n in numbers), default=Version("0"))


def _version(text: str) -> Version:
    try:
        return Version(text.removesuffix(".*"))
    except ValueError:
        return Version("0")


def _blocker(edge: Edge, failure: Failure, held: dict[str, str]) -> Blocker:
    version = held.get(edge.package, "")
    if not covers(edge.versions, version):
        version = edge.versions.removeprefix("==")
    return Blocker(
        package=edge.package,
        version=version,
        constraint=edge.needs + edge.constraint,
        chain=_chain(edge, failure),
        text=failure.text,
    )


def _chain(edge: Edge, failure: Failure) -> tuple[str, ...]:
    """Follow the premises upwards until one of the project's own requirements is met."""
    required = {term(wish)[0] for wish in failure.required}
    links = [edge.needs + edge.constraint, edge.package + edge.versions]
    seen, current = {edge.package}, edge.package
    while current not in required:
        above = next(
            (e for e in failure.edges if e.needs == current and e.package not in seen), None
        )
        if above is None:
            break
        current = above.package
        seen.add(current)
        links.append(above.package + above.versions)
    return tuple(reversed(links))


def covers(versions: str, version: str) -> bool:
    """Whether a specifier has this version; not where one of them is none (a URL, "")."""
    try:
        return bool(version) and SpecifierSet(versions).contains(version, prereleases=True)
    except ValueError:
        return False
