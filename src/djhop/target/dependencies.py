"""Which of a target's requirements running its tests takes: files, extras, groups, tox's deps.

Lock files and compiled files say which versions it has today.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from djhop.errors import UsageError
from djhop.target import lockfiles, requirement_choice, tree
from djhop.target.collecting import Collector, Dependencies, Source, read_metadata
from djhop.target.metadata import Kind, Metadata, Part, Section, normal
from djhop.target.stated import Local, Stated, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from djhop.matrix.config import Matrix
    from djhop.target.toxfile import Tox

#: Files with the project's metadata, which is read whether or not the matrix names one of them.
_METADATA = ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile")
_TEST_NAMES = ("test", "tests", "testing")
_DEV_NAMES = ("dev", "develop", "development")
#: What tox environments install for the owners' own ends.
_TOOLS = frozenset({"coverage", "codecov", "coveralls", "pip", "tox", "tox-gh-actions"})


def find(
    root: Path, matrix: Matrix, project: Metadata, tox: Tox, beside: Iterable[str] = ()
) -> Dependencies:
    """Read the requirements that running the target's tests takes.

    `beside` names directories to look in when the root has no requirement files.

    Raises:
        UsageError: a line is no requirement, a file is missing or includes itself, or the matrix
            names a file, an extra or a group that is not there.
    """
    collector = Collector(root, project.name)
    _locks(collector, matrix, project)
    for part in project.dependencies:
        collector.part(part)
    of_tox = [name for line in tox.deps if (name := _file_of_tox(line))]
    for name in [name for name in of_tox if not tree.is_file(root / name)]:
        of_tox.remove(name)
        collector.notes.append(f"{tox.path} names {name}, which is not there.")
    near = () if project.dependencies else beside
    tested = _files(collector, matrix, of_tox, near)
    tested |= _groups(collector, matrix, project, tox)
    tested |= _extras(collector, matrix, project, tox)
    for part in project.tests:
        collector.part(part)
    # Where tox says which requirement file the tests take, its other lines belong to it.
    if not (tested or project.tests) or (of_tox and not matrix.requirements):
        _tox_deps(collector, tox)
    collector.locks_alone()
    if matrix.packages:
        collector.part(Part(path="matrix", kind="matrix", label="packages", texts=matrix.packages))
    return collector.dependencies()


def _locks(collector: Collector, matrix: Matrix, project: Metadata) -> None:
    """Add the lock file that says what the target has today: the one named, else that in use."""
    if named := [name for name in matrix.requirements if lockfiles.is_lock(name)]:
        for name in named:
            _there(collector.root, name)
            if not collector.lock(name, "named in `requirements`"):
                raise lockfiles.empty(name)
        return
    found = lockfiles.found(collector.root)
    metadata_named = any(Path(name).name in _METADATA for name in matrix.requirements)
    if not found or metadata_named or (matrix.requirements and not project.dependencies):
        return
    (name, why), *others = found
    if not collector.lock(name, why):
        if project.dependencies:
            raise lockfiles.empty(name)
        collector.notes.append(f"{name} locks no package: it is not used.")
    for other, _ in others:
        collector.notes.append(
            f"{other} is not read, because {name} is; `requirements` can name it instead."
        )


def _there(root: Path, name: str) -> None:
    """Refuse a file named in the matrix that is not there."""
    if not tree.is_file(root / name):
        known = [
            *requirement_choice.candidates(root, ("",)),
            *(n for n, _ in lockfiles.found(root)),
        ]
        known += [n for n in _METADATA if (root / n).is_file()]
        raise UsageError(
            f"requirements: there is no file {name!r} in the target",
            hint=_did_you_mean(name, known),
        )


def _file_of_tox(line: str) -> str:
    """The requirement file that a line of tox's deps names, "" where it names none."""
    if not line.startswith("-r") or "\0" in line:
        return ""
    return line.removeprefix("-r").strip().replace("{toxinidir}/", "").removeprefix("./")


def _files(
    collector: Collector, matrix: Matrix, of_tox: Iterable[str], beside: Iterable[str]
) -> bool:
    """Add the requirement files; whether one of them is for tests."""
    if matrix.requirements:
        return _named_files(collector, matrix.requirements)
    choice = requirement_choice.choose(collector.root, used_by_tox=of_tox, beside=beside)
    for name in choice.files:
        collector.file(name)
    if choice.files:
        left = f"; left out: {', '.join(choice.left_out)}" if choice.left_out else ""
        collector.notes.append(f"requirement files: {', '.join(choice.files)}{left}.")
    return choice.tests


def _named_files(collector: Collector, names: Iterable[str]) -> bool:
    """Add the files that the matrix names; whether one of them is a requirement file."""
    requirement_files = False
    for name in names:
        _there(collector.root, name)
        folder, _, base = name.rpartition("/")
        if base in _METADATA:
            # What stands in the root is read anyhow: naming it leaves out everything else.
            inner = read_metadata(collector.root / folder) if folder else Metadata()
            collector.parts(inner.dependencies, folder)
        elif not lockfiles.is_lock(name):
            collector.file(name)
            requirement_files = True
    return requirement_files


def _extras(collector: Collector, matrix: Matrix, project: Metadata, tox: Tox) -> bool:
    """Add the extras that tests take, and those the requirements ask the project for."""
    known = project.extras
    asked = [*matrix.extras] or [e for e in tox.extras if normal(e) in known]
    chosen = _chosen(asked, known, "extra")
    pending = [*chosen, *(normal(extra) for extra in collector.own_extras)]
    seen: set[str] = set()
    while pending:
        name = pending.pop(0)
        if name in known and name not in seen:
            seen.add(name)
            collector.own_extras = []
            collector.part(known[name])
            pending += [normal(extra) for extra in collector.own_extras]
    if seen:
        collector.notes.append(f"extras: {', '.join(sorted(seen))}.")
    return bool(chosen)


def _groups(collector: Collector, matrix: Matrix, project: Metadata, tox: Tox) -> bool:
    """Add the dependency groups that tests take."""
    table = {normal(name): name for name in project.dependency_groups}
    known: dict[str, Any] = project.groups | table
    asked = [*matrix.groups] or [g for g in tox.groups if normal(g) in known]
    chosen = _chosen(asked, known, "group")
    for name in chosen:
        if name in table:
            texts = _group(project.dependency_groups, name)
            label = f"group {name}"
            part = Part(
                path="pyproject.toml",
                kind="pyproject",
                label=label,
                section=Section(keeper="project", group=table[name]),
                texts=texts,
            )
        else:
            part = known[name]
        collector.part(part)
    if chosen:
        collector.notes.append(f"dependency groups: {', '.join(chosen)}.")
    return bool(chosen)


def _tox_deps(collector: Collector, tox: Tox) -> None:
    """Add the packages that tox installs into every environment."""
    items: list[Stated | Local] = []
    for line in tox.deps:
        if line.startswith("-"):
            continue
        try:
            item = parse(line, f"{tox.path} deps", collector.root)
        except UsageError as error:
            collector.notes.append(f"{error}; it is left out.")
            continue
        if isinstance(item, Local) or _name(item.text) not in _TOOLS:
            items.append(item)
    collector.notes += tox.notes
    if items:
        kind: Kind = "noxfile.py" if tox.path == "noxfile.py" else "tox.ini"
        collector.add(Source(path=tox.path, kind=kind, part="deps"), items)


def _name(text: str) -> str:
    return canonicalize_name(Requirement(text).name)


def _chosen(asked: list[str], known: Mapping[str, Any], what: str) -> list[str]:
    """The extras or groups asked for, else those that tests usually take."""
    for name in asked:
        if normal(name) not in known:
            raise UsageError(
                f"{what}s: the target has no {what} {name!r}", hint=_did_you_mean(name, known)
            )
    if asked:
        return [normal(name) for name in asked]
    for names in (_TEST_NAMES, _DEV_NAMES):
        if chosen := [name for name in names if name in known]:
            return chosen
    return []


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    listed = f"there are: {', '.join(names)}" if names else "there are none"
    return (f"did you mean {close[0]!r}? " if close else "") + listed


def _group(table: dict[str, Any], name: str) -> tuple[str, ...]:
    try:
        return tuple(str(item) for item in DependencyGroupResolver(table).resolve(name))
    except (ExceptionGroup, InvalidRequirement, ValueError, TypeError, AttributeError) as error:
        inner = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        reason = str(inner).splitlines()[0]
        raise UsageError(f"pyproject.toml [dependency-groups] {name}: {reason}") from error
