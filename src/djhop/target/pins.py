"""What a target says twice: requirements and pins that disagree, and which is used; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop.target.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: How many pins that a requirement excludes are named one by one.
_MOST_NAMED = 3


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What is left where places disagree, and a sentence for each that gave way."""

    #: Text and place → the requirement as it is used: of one that gave way, its extras.
    kept: dict[tuple[str, str], str]
    #: Text and place → the pin as it is used: without its marker where there is one version alone.
    pins: dict[tuple[str, str], str]
    notes: tuple[str, ...]


def settle(stated: Iterable[Stated], pins: Iterable[Sequence[Stated]]) -> Settled:
    """Settle who wins: the first of two exact requirements, a requirement against a pin of today.

    `pins` are those of each lock file or compiled file, of which the first wins.
    """
    stated = tuple(stated)
    kept, notes = _first_exact(stated)
    used, more = _first_pins(pins)
    whole = (item for item in stated if kept.get((item.text, item.place)) == item.text)
    excluded = _excluded(whole, used)
    return Settled(
        kept=kept,
        pins={k: v for k, v in used.items() if k not in excluded},
        notes=(*notes, *more, *_shortened([*excluded.values()])),
    )


def exact(text: str) -> str:
    """The version of `name==version`, whatever its marker; "" for any other requirement."""
    clauses = [*Requirement(text).specifier]
    if len(clauses) == 1 and clauses[0].operator in ("==", "==="):
        return "" if clauses[0].version.endswith(".*") else clauses[0].version
    return ""


def name_of(text: str) -> str:
    """The canonical name of a requirement."""
    return canonicalize_name(Requirement(text).name)


def at_commit(text: str, commits: Mapping[str, str]) -> str:
    """A requirement of a git repository at the commit that the lock file has of it."""
    requirement = Requirement(text)
    commit = commits.get(canonicalize_name(requirement.name), "")
    if not commit or not (requirement.url or "").startswith("git+"):
        return text
    base, mark, fragment = str(requirement.url).partition("#")
    scheme, _, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    where = f"{scheme}://{host}{slash}{path.partition('@')[0]}@{commit}{mark}{fragment}"
    return f"{requirement.name}{extras} @ {where}{marker}"


def _first_exact(stated: Iterable[Stated]) -> tuple[dict[tuple[str, str], str], list[str]]:
    kept: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    seen: dict[str, Stated] = {}
    for item in stated:
        requirement, text = Requirement(item.text), item.text
        if exact(text) and requirement.marker is None:
            first = seen.setdefault(canonicalize_name(requirement.name), item)
            if not _same(exact(first.text), exact(text)):
                notes.append(_disagree(first, item, "the first is used"))
                extras = ",".join(sorted(requirement.extras))
                text = f"{requirement.name}[{extras}]" if extras else ""
        if text:
            kept[item.text, item.place] = text
    return kept, notes


def _first_pins(
    sources: Iterable[Sequence[Stated]],
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """The pins of the first source that has the package; later ones that differ are told."""
    used: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    owners: dict[str, Stated] = {}
    for source in sources:
        versions: dict[str, dict[str, list[Stated]]] = {}
        for item in source:
            versions.setdefault(name_of(item.text), {}).setdefault(exact(item.text), []).append(
                item
            )
        for name, found in versions.items():
            items = [item for same in found.values() for item in same]
            if first := owners.get(name):
                if not any(_same(exact(first.text), version) for version in found):
                    notes.append(_disagree(first, items[0], "the first is used"))
                continue
            owners[name] = items[0]
            for item in items if len(found) > 1 else items[:1]:
                text = item.text if len(found) > 1 else item.text.partition(";")[0].strip()
                used[item.text, item.place] = text
    return used, _shortened(notes)


def _excluded(
    stated: Iterable[Stated], used: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], str]:
    """Pins that a requirement of the project itself does not allow: the lock is out of date."""
    requirements: dict[str, list[tuple[Stated, Requirement]]] = {}
    for item in stated:
        requirement = Requirement(item.text)
        if requirement.marker is None and not requirement.url:
            name = canonicalize_name(requirement.name)
            requirements.setdefault(name, []).append((item, requirement))
    found: dict[tuple[str, str], str] = {}
    for key, text in used.items():
        for item, requirement in requirements.get(name_of(text), []):
            if not requirement.specifier.contains(exact(text), prereleases=True):
                pin = Stated(text=text, place=key[1])
                found[key] = _disagree(pin, item, "the requirement is used; lock again")
                break
    return found


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except ValueError:  # after `===` anything goes
        return one == other


def _disagree(one: Stated, other: Stated, who: str) -> str:
    return f"{one.place} has {one.text}, {other.place} has {other.text}: {who}."


def _shortened(notes: list[str]) -> list[str]:
    more = len(notes) - _MOST_NAMED
    return notes if more < 1 else [*notes[:_MOST_NAMED], f"{more} more versions disagree likewise."]
