"""Looks at the target: its dependencies, its Django, its suite, its settings. Runs none of it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from djhop import releases
from djhop.errors import UsageError
from djhop.target import (
    current,
    dependencies,
    detect,
    evidence,
    manager,
    noxfile,
    requirement_choice,
    requirement_files,
    toxfile,
    tree,
)
from djhop.target.collecting import Dependencies, Source, read_metadata
from djhop.target.manager import Manager
from djhop.target.metadata import Place, Section
from djhop.target.suites import Suite, SuiteKind

if TYPE_CHECKING:
    from pathlib import Path

    from djhop.matrix.config import Matrix
    from djhop.target.current import CurrentDjango
    from djhop.target.metadata import Metadata
    from djhop.target.stated import Stated
    from djhop.target.toxfile import Tox
    from djhop.target.tree import Tree

__all__ = ["Manager", "Place", "Section", "Source", "Suite", "SuiteKind", "Target", "look"]

_IMPORTS_DJANGO = re.compile(r"^\s*(?:from|import)\s+django\b", re.MULTILINE)
_MOST_READ = 2000


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A Django project (or reusable app) as it stands on disk."""

    #: Absolute path.
    root: str
    name: str
    sources: tuple[Source, ...]
    #: Package → where the target names it.
    places: dict[str, tuple[Place, ...]] = {}
    #: The tool that its packages are kept with.
    manager: Manager = "pip"
    #: Series in use today, and where that was read; empty where the target does not say.
    django: str = ""
    django_source: str = ""
    #: The target's own requirement on Django as written, such as "Django>=3.2,<4", and its place.
    django_requirement: str = ""
    django_requirement_place: str = ""
    #: Python minors the target names (".python-version", requires-python, classifiers), best first.
    pythons: tuple[str, ...] = ()
    requires_python: str = ""
    suite: Suite | None = None
    #: Whether it says how it is built: [build-system] or setup.py.
    packaged: bool = False
    #: Import roots relative to `root`: ("src", ".") for a src layout.
    import_roots: tuple[str, ...] = (".",)
    #: What was assumed, in sentences a user can check.
    notes: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """Every requirement of every source, in order, without repeats."""
        return tuple(dict.fromkeys(r for source in self.sources for r in source.requirements))

    @property
    def pins(self) -> tuple[str, ...]:
        """What lock files and compiled files have today: preferences, not requirements."""
        return tuple(dict.fromkeys(p for source in self.sources for p in source.pins))

    @property
    def constraints(self) -> tuple[str, ...]:
        """Every constraint of every source, in order, without repeats."""
        return tuple(dict.fromkeys(c for source in self.sources for c in source.constraints))


def look(root: Path, matrix: Matrix, *, command: str = "djhop plan") -> Target:
    """Look at the Django project in `root`, with what `matrix` says about it; runs none of it.

    `command` is what an error tells to type again.

    A target without tests has `suite` None; one that does not tell its Django has `django` "".

    Raises:
        UsageError: `root` is no directory or has no sign of Django, or one of the files that
            state its dependencies is broken; the message names file and line.
    """
    if not root.is_dir():
        raise UsageError(
            f"{root} is not a directory", hint="name the directory of a Django project"
        )
    root = root.resolve()
    if str(root) != os.fsencode(root).decode(errors="replace"):
        raise UsageError(
            f"{str(root)!r} is not UTF-8",
            hint="rename the directory: reports are text, and could not say where it is",
        )
    files = tree.walk(root)
    metadata = read_metadata(root)
    tox = toxfile.read(root)
    folders = [name.rpartition("/")[0] for name in evidence.manage_files(files)]
    tool = noxfile.needs(tox, noxfile.read(root))
    needed = dependencies.find(root, matrix, metadata, tool, beside=folders)
    packages = frozenset(canonicalize_name(Requirement(item.text).name) for item in needed.stated)
    found = detect.find(files, matrix, tox, packages)
    wanted = _on_django(root, needed)
    _must_be_django(files, metadata, packages, wanted, command)
    today = _today(files, metadata, tox, wanted, current.requirements_on_django(needed.pins))
    dockerfiles = [
        name
        for name in files.files
        if "Dockerfile" in name and name.count("/") <= 3 and not evidence.is_example(name)
    ]
    pythons, python_notes = current.pythons(root, metadata, dockerfiles)
    return Target(
        root=str(root),
        name=metadata.name or root.name,
        sources=needed.sources,
        places=needed.places,
        manager=manager.find(root),
        django=today.series,
        django_source=today.source,
        django_requirement=wanted[0].text if wanted else "",
        django_requirement_place=wanted[0].place if wanted else "",
        pythons=pythons,
        requires_python=metadata.requires_python,
        suite=found.suite,
        packaged=metadata.packaged or needed.installs_itself,
        import_roots=_import_roots(root, matrix, metadata, needed, found.import_roots),
        notes=(
            *metadata.notes,
            *needed.notes,
            *found.notes,
            *python_notes,
            *_cut(files),
        ),
    )


def _cut(files: Tree) -> tuple[str, ...]:
    return ("the target has too many files: only the first were looked at.",) if files.cut else ()


def _on_django(root: Path, needed: Dependencies) -> tuple[Stated, ...]:
    """The target's requirements on Django; files that were left out are asked last."""
    wanted = current.requirements_on_django((*needed.stated, *needed.constraints))
    if wanted:
        return wanted
    for name in requirement_choice.candidates(root, ("",)):
        try:
            contents = requirement_files.read(root / name, root)
        except UsageError:
            # Not one of the chosen files: its faults are no concern of ours.
            continue
        if found := current.requirements_on_django(contents.requirements):
            return found
    return ()


def _today(
    files: Tree,
    metadata: Metadata,
    tox: Tox,
    wanted: tuple[Stated, ...],
    pins: tuple[Stated, ...],
) -> CurrentDjango:
    today = current.django_in_use(wanted, pins, metadata, tox, releases.load())
    if today.series:
        return today
    settings = [name for name in files.files if "settings" in name and name.count("/") <= 4]
    return current.from_settings(files.root, settings)


def _must_be_django(
    files: Tree,
    metadata: Metadata,
    packages: frozenset[str],
    wanted: tuple[Stated, ...],
    command: str,
) -> None:
    known = any(name.startswith("django") for name in packages)
    classified = any("Framework :: Django" in line for line in metadata.classifiers)
    if wanted or known or classified:
        return
    for name in files.files[:_MOST_READ]:
        if name.endswith(".py") and _IMPORTS_DJANGO.search(tree.read(files.root / name, name)):
            return
    raise UsageError(
        f"{files.root} has no sign of Django: no requirement, no manage.py, no import of it",
        hint=f"name the directory that holds the Django project, `{command} PATH`",
    )


def _import_roots(
    root: Path,
    matrix: Matrix,
    metadata: Metadata,
    needed: Dependencies,
    told: tuple[str, ...],
) -> tuple[str, ...]:
    source = root / "src"
    found = [*matrix.pythonpath, *told, *metadata.package_roots, *needed.local_roots]
    if source.is_dir() and not (source / "__init__.py").exists():
        packages = any((path / "__init__.py").is_file() for path in source.iterdir())
        found += ["src"] if packages else []
    # Later entries are looked at later: the root itself comes last, as `python` would put it.
    clean = [path.strip("/") for path in found if path.strip("/") not in ("", ".")]
    return tuple(dict.fromkeys([*clean, "."]))
