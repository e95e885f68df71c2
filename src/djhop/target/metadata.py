"""What a project says of itself, whatever file it says it in; the types and how files add up."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

Kind = Literal[
    "requirements",
    "pyproject",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "tox.ini",
    "noxfile.py",
    "lock",
    "matrix",
]


#: Whose commands write a list of requirements: those of every tool that keeps to the standards
#: ("project"), those of one tool, or nobody's.
Keeper = Literal["", "project", "uv", "poetry", "pdm", "pipenv"]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """How tools name a list of requirements: by a group, by an extra, or by neither."""

    keeper: Keeper = ""
    group: str = ""
    extra: str = ""


BY_HAND = Section()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a requirement is written, for whoever changes it."""

    #: Path inside the target: "requirements/base.in", "pyproject.toml".
    path: str
    #: What part of it: "extra test", "install_requires"; empty where the file is one list.
    part: str = ""
    section: Section = BY_HAND


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One list of requirements in one file, not yet parsed."""

    path: str
    kind: Kind
    #: Where in the file: "[project] dependencies", "install_requires", "extra test".
    label: str
    section: Section = BY_HAND
    texts: tuple[str, ...] = ()
    #: Requirement files it names instead, relative to the root.
    files: tuple[str, ...] = ()


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """A project's metadata, from every file that has some; the more modern file wins."""

    name: str = ""
    packaged: bool = False
    dependencies: tuple[Part, ...] = ()
    #: Extras and groups by their normalised names.
    extras: dict[str, Part] = {}
    groups: dict[str, Part] = {}
    #: The old `tests_require`: always part of what the tests need.
    tests: tuple[Part, ...] = ()
    requires_python: str = ""
    requires_python_source: str = ""
    classifiers: tuple[str, ...] = ()
    classifiers_source: str = ""
    #: Directories that packages live in, other than the root.
    package_roots: tuple[str, ...] = ()
    #: [dependency-groups] as it stands.
    dependency_groups: dict[str, Any] = {}
    notes: tuple[str, ...] = ()


def normal(name: str) -> str:
    """Normalise the name of an extra, a group or a package (PEP 685, PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def merged(found: list[Metadata]) -> Metadata:
    """Add up what several files say, field by field; the first that says something wins."""

    def first(field: str) -> Any:
        return next((v for each in found if (v := getattr(each, field))), None)

    values = {field: first(field) for field in Metadata.__struct_fields__}
    values["notes"] = tuple(note for each in found for note in each.notes)
    values["extras"] = {k: v for each in reversed(found) for k, v in each.extras.items()}
    return Metadata(**{key: value for key, value in values.items() if value})
