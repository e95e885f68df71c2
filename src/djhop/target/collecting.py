"""Gathers a target's requirements and the versions it has today, each with its place."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from djhop.errors import UsageError
from djhop.target import lockfiles, metadata, pins, pyproject, requirement_files, setup_files
from djhop.target.metadata import BY_HAND, Kind, Metadata, Part, Place, Section, normal
from djhop.target.stated import Local, Stated, credentials_hidden, parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


#: What says how the tests are run, and what they take besides the project's own packages.
_TOOLS = ("tox.ini", "noxfile.py")
#: A place in a file that is read line by line: "requirements/base.in:3".
_LINE = re.compile(r"(.+):\d+")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the target states its dependencies."""

    #: Path inside the target: "requirements/test.txt", "pyproject.toml".
    path: str
    kind: Kind
    #: Requirements as written (one each), with -r files followed and `-c` files' pins kept apart.
    #: Each parses as a requirement of PEP 508; local archives and repositories are "name @ URL".
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    #: What a lock file or a compiled file has installed today: "name==version", with a marker where
    #: it has several. Nothing that the target requires: kept where it fits.
    pins: tuple[str, ...] = ()
    #: What part of it: "extra test", "group dev", "install_requires".
    part: str = ""
    #: Lines about package indexes ("--extra-index-url https://…"), those with credentials left out.
    options: tuple[str, ...] = ()


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the target says it needs."""

    sources: tuple[Source, ...]
    #: The same requirements and constraints, each with its place.
    stated: tuple[Stated, ...]
    constraints: tuple[Stated, ...]
    pins: tuple[Stated, ...] = ()
    #: Package → where it is written; several places where it stands in several lists.
    places: dict[str, tuple[Place, ...]] = {}
    #: Directories of local packages that the target installs, relative to its root.
    local_roots: tuple[str, ...] = ()
    #: Whether the requirements ask for the project itself to be installed (`-e .`).
    installs_itself: bool = False
    notes: tuple[str, ...] = ()


def read_metadata(root: Path) -> Metadata:
    """What the project's metadata files say, none of them run."""
    found = [pyproject.read(root), setup_files.read(root), setup_files.read_pipfile(root)]
    return metadata.merged(found)


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """One source, not yet settled with the others."""

    source: Source
    stated: tuple[Stated, ...] = ()
    constraints: tuple[Stated, ...] = ()
    pins: tuple[Stated, ...] = ()
    section: Section = BY_HAND

    def place(self, item: Stated) -> Place:
        """Where one of its requirements is written; another file may have been included."""
        if line := _LINE.fullmatch(item.place):
            return Place(path=line[1])
        return Place(path=self.source.path, part=self.source.part, section=self.section)


class Collector:
    """Gathers requirements from any file, with their places, until `dependencies` is asked."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.found: list[_Found] = []
        #: Package → the commit of its repository that a lock file has.
        self.commits: dict[str, str] = {}
        #: Extras of the project itself that some requirement asks for.
        self.own_extras: list[str] = []
        self.local_roots: dict[str, None] = {}
        self.installs_itself = False
        self.notes: list[str] = []
        self.done: set[tuple[str, str]] = set()

    def dependencies(self) -> Dependencies:
        """Everything gathered so far."""
        stated = tuple(item for each in self.found for item in each.stated)
        settled = pins.settle(stated, [each.pins for each in self.found])
        used = (
            Stated(text=text, place=item.place)
            for each in self.found
            for item in each.pins
            if (text := settled.pins.get((item.text, item.place)))
        )
        return Dependencies(
            sources=tuple(self.source(each, settled) for each in self.found),
            stated=stated,
            constraints=tuple(item for each in self.found for item in each.constraints),
            pins=tuple(dict.fromkeys(used)),
            places=self.places(),
            local_roots=tuple(self.local_roots),
            installs_itself=self.installs_itself,
            notes=tuple(dict.fromkeys((*self.notes, *settled.notes))),
        )

    def places(self) -> dict[str, tuple[Place, ...]]:
        """Where each package is written, in the order of the sources."""
        found: dict[str, dict[Place, None]] = {}
        for each in self.found:
            for item in each.stated:
                name = canonicalize_name(Requirement(item.text).name)
                found.setdefault(name, {})[each.place(item)] = None
        return {name: tuple(places) for name, places in found.items()}

    def source(self, each: _Found, settled: pins.Settled) -> Source:
        """One source with what is used of it."""
        kept = [settled.kept.get((item.text, item.place), "") for item in each.stated]
        today = [settled.pins.get((item.text, item.place), "") for item in each.pins]
        return msgspec.structs.replace(
            each.source,
            requirements=tuple(pins.at_commit(text, self.commits) for text in kept if text),
            constraints=tuple(item.text for item in each.constraints),
            pins=tuple(dict.fromkeys(text for text in today if text)),
        )

    def part(self, part: Part) -> None:
        """Add one list of requirements of a metadata file."""
        if (part.path, part.label) in self.done:
            return
        self.done.add((part.path, part.label))
        place = f"{part.path} {part.label}"
        items: list[Stated | Local] = [parse(text, place, self.root) for text in part.texts]
        for name in part.files:
            contents = requirement_files.read(self.root / name, self.root)
            self.notes += contents.notes
            items += contents.requirements
            items += contents.locals
        source = Source(path=part.path, kind=part.kind, part=part.label)
        self.add(source, items, section=part.section)

    def file(self, name: str) -> None:
        """Add a requirement file and all it includes."""
        contents = requirement_files.read(self.root / name, self.root)
        self.notes += contents.notes
        self.own_extras += contents.extras
        items: list[Stated | Local] = [*contents.requirements, *contents.locals]
        source = Source(path=name, kind="requirements", options=self.safe(name, contents.options))
        self.add(source, items, contents.constraints, contents.pins)

    def lock(self, name: str, why: str) -> int:
        """Add what a lock file has; `why` says why it is read. Returns how many packages it has."""
        locked = lockfiles.read(self.root, name)
        self.commits |= {normal(key): commit for key, commit in locked.commits.items()}
        if locked.pins:
            source = Source(path=name, kind="lock")
            self.found.append(_Found(source=source, pins=locked.pins))
            self.notes.append(
                f"{name} has {len(locked.pins)} packages: the versions of today ({why})."
            )
        return len(locked.pins) + len(locked.commits)

    def locks_alone(self) -> None:
        """Where nothing but a lock file says what the target needs, that is what it needs."""
        if any(each.stated for each in self.found if each.source.kind not in _TOOLS):
            return
        for number, each in enumerate(self.found):
            if each.source.kind == "lock":
                self.found[number] = msgspec.structs.replace(each, stated=each.pins, pins=())
                self.notes.append(f"{each.source.path}: nothing else says what the target needs.")

    def add(
        self,
        source: Source,
        items: Iterable[Stated | Local],
        constraints: Iterable[Stated] = (),
        today: Iterable[Stated] = (),
        section: Section = BY_HAND,
    ) -> None:
        """Add what one source says; the project itself is no requirement of its own."""
        stated: list[Stated] = []
        for item in items:
            if isinstance(item, Local):
                self.local(item, stated)
            elif not self.is_self(item.text):
                stated.append(item)
        self.found.append(
            _Found(
                source=source,
                stated=tuple(stated),
                constraints=tuple(constraints),
                pins=tuple(today),
                section=section,
            )
        )

    def is_self(self, text: str) -> bool:
        """Whether a requirement names the project itself; the extras it asks for are noted."""
        requirement = Requirement(text)
        own = normal(requirement.name) == normal(self.name)
        if own:
            self.own_extras += sorted(requirement.extras)
        return own

    def safe(self, path: str, options: Iterable[str]) -> tuple[str, ...]:
        """Options without secrets, each told in a note."""
        kept = []
        for option in options:
            hidden = credentials_hidden(option)
            if hidden == option:
                kept.append(option)
                self.notes.append(f"{path} has {option}.")
            else:
                self.notes.append(
                    f"{path} has {hidden}, which holds credentials: it is left out; set "
                    "UV_EXTRA_INDEX_URL or UV_INDEX for djhop."
                )
        return tuple(kept)

    def local(self, item: Local, stated: list[Stated]) -> None:
        """Take a directory to be installed: the target itself, one inside it, or one outside."""
        if item.path.resolve() == self.root.resolve():
            self.installs_itself = True
            self.own_extras += item.extras
            return
        inner = read_metadata(item.path)
        relative = os.path.relpath(item.path, self.root).replace(os.sep, "/")
        if relative.startswith(".."):
            if not inner.name:
                raise UsageError(f"{item.place}: {relative} does not say its name")
            extras = f"[{','.join(item.extras)}]" if item.extras else ""
            text = f"{inner.name}{extras} @ {item.path.as_uri()}"
            stated.append(Stated(text=text, place=item.place))
            return
        self.notes.append(f"{item.place}: {relative} is a package of the target's own.")
        roots = [f"{relative}/{sub}".rstrip("/") for sub in inner.package_roots or ("",)]
        self.local_roots |= dict.fromkeys(roots)
        chosen = [inner.extras[normal(e)] for e in item.extras if normal(e) in inner.extras]
        self.parts((*inner.dependencies, *chosen), relative)

    def parts(self, parts: Iterable[Part], folder: str) -> None:
        """Add lists of requirements of the metadata files in a folder of the target."""
        for part in parts:
            path = f"{folder}/{part.path}"
            files = tuple(f"{folder}/{name}" for name in part.files)
            # No command that is run at the root writes into them.
            self.part(msgspec.structs.replace(part, path=path, files=files, section=BY_HAND))
