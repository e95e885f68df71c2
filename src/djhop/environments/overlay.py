"""The project's own metadata and entry points, without the project in the shared environment.

The project is built as an editable install, once for all cells of an interpreter, from a copy: its
build writes nothing into any workspace. What came out names that copy; for each workspace it is
written out again with the workspace's path instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec

from djhop import durable
from djhop.environments import building
from djhop.environments.installer import CannotInstall, Uv, uv_environ
from djhop.workspace import repository
from djhop.workspace.removal import empty

if TYPE_CHECKING:
    from djhop.interpreters.interpreters import Interpreter
    from djhop.processes.process import Spawner

#: What a build reads besides the code: names in the project's root …
BUILD_FILES = re.compile(
    r"pyproject\.toml|setup\.(py|cfg)|MANIFEST\.in|PKG-INFO|(README|LICEN[CS]E|VERSION|HISTORY|"
    r"CHANGE|AUTHORS|requirement).*|.*\.(txt|in|cfg|rst|md)|pdm\.lock|poetry\.lock",
    re.IGNORECASE,
)
#: Those of them that say how it is built.
SAYS_HOW = ("pyproject.toml", "setup.cfg", "setup.py")
#: … and in its packages, where a version may stand.
VERSION_FILES = re.compile(r"(__init__|_?_?version_?_?|__about__|about|__version__|meta.*)\.py")
#: What builds leave in the tree that is of no use to a test.
LITTER = re.compile(r"(^|/)(build|dist|\.eggs|__pycache__|[^/]*\.egg-info)/")
#: Words of the tools that take a project's version from a repository that the copy has not.
NO_REPOSITORY = re.compile(
    r"setuptools[-_]scm|vcs_versioning|versioningit|dunamai|dynamic.versioning|\bpbr\b|"
    r"Versioning for this project|git describe|not a git repository",
    re.IGNORECASE,
)
#: Words of a project whose version is taken from the repository.
FROM_REPOSITORY = re.compile(
    r"setuptools[-_]scm|hatch[-_]vcs|vcs[-_]versioning|versioningit|dunamai|versioneer|"
    r"dynamic[-_]versioning|\bpbr\b|\bgit\b",
    re.IGNORECASE,
)
PRETENDED = "0.0.0"
PRETEND = {
    "SETUPTOOLS_SCM_PRETEND_VERSION": PRETENDED,
    "PBR_VERSION": PRETENDED,
    "POETRY_DYNAMIC_VERSIONING_BYPASS": PRETENDED,
}
MARKER = "djhop.json"
#: A text larger than this names no path that matters.
LARGEST_TEXT = 1 << 20


class Overlay(NamedTuple):
    """Folders for `site.addsitedir` (none where the project cannot be built), and what was done."""

    dirs: tuple[str, ...]
    notes: tuple[str, ...]


class _Template(msgspec.Struct, frozen=True, kw_only=True):
    """A project as it was built from a copy of its tree."""

    #: The copy, whose path stands in the files.
    tree: str
    notes: tuple[str, ...]
    usable: bool
    #: It has compiled parts, whose sources are not in the key.
    compiled: bool = False


def overlay(
    tree: Path,
    interpreter: Interpreter,
    *,
    cache: Path,
    spawner: Spawner,
    recreate: bool = False,
    offline: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Overlay:
    """Make the metadata of the project in the workspace `tree` visible to its tests.

    The folder lies beside `tree`. Files that the build makes in the tree and the code may import
    (a version file, say) are put into it. Costs next to nothing where nothing that a build reads
    has changed. A project that cannot be built is no error: no folder, and a note that says why.

    Raises:
        InfraError: the network or the disk failed.
        Interrupted: djhop was asked to stop.
    """
    env = uv_environ(environ)
    key = building.key_of((_fingerprint(tree),), interpreter.key, env)
    path = cache / "overlays" / key
    with building.only_one(path, spawner):
        template = _read(path)
        if recreate or template is None or template.compiled:
            uv = building.uv(cache, f"overlay-{key}", spawner, env, offline=offline)
            with building.built_aside(path, spawner) as aside:
                template = _build(aside, tree, interpreter, uv)
                (aside / MARKER).write_bytes(msgspec.json.encode(template))
            if template.usable:
                uv.log.unlink(missing_ok=True)
        return _write_out(path, template, tree)


def _read(path: Path) -> _Template | None:
    try:
        return msgspec.json.decode((path / MARKER).read_bytes(), type=_Template)
    except durable.UNREADABLE:
        return None


def _fingerprint(tree: Path) -> str:
    """A hash of what a build reads, but for the code: that is used where it lies."""
    digest = hashlib.sha256()
    for path in _build_files(tree):
        with contextlib.suppress(OSError):
            digest.update(f"{path.relative_to(tree)}\0".encode(errors="surrogateescape"))
            digest.update(path.read_bytes() if path.is_file() else b"/")
    if any(FROM_REPOSITORY.search(_text(tree / name)) for name in SAYS_HOW):
        digest.update(repository.state(tree).encode())
    return digest.hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _build_files(tree: Path) -> Iterator[Path]:
    """The files that say how to build and which version it is, and the names of the packages."""
    for path in sorted(tree.iterdir()):
        if path.is_dir() and not path.name.startswith((".", "__")):
            yield path
            for inner in sorted(path.iterdir()):
                if inner.is_dir():
                    yield inner
                    yield from (p for p in sorted(inner.iterdir()) if _has_version(p))
                elif _has_version(inner) or path.name.startswith("requirement"):
                    yield inner
        elif BUILD_FILES.fullmatch(path.name):
            yield path


def _has_version(path: Path) -> bool:
    return VERSION_FILES.fullmatch(path.name) is not None


def _build(aside: Path, tree: Path, interpreter: Interpreter, uv: Uv) -> _Template:
    """Build from a copy into `aside`/lib; keep in `aside`/made what else the build made."""
    lib, made = aside / "lib", aside / "made"
    # Never the place where it will lie: the path that stands in the files is unmistakable.
    copy = aside / "tree"
    shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns("*.pyc"))
    before = _looks(copy)
    notes: tuple[str, ...] = ()
    usable = True
    try:
        notes = _install(copy, lib, interpreter, uv)
    except CannotInstall as error:
        last = " / ".join(line.strip() for line in error.tail.splitlines()[-4:])
        notes = (f"the project itself is not installed, its build fails: {last} ({error.log})",)
        usable = False
    if usable:
        changed = [name for name, look in _looks(copy).items() if before.get(name) != look]
        for name in (n for n in changed if not LITTER.search(n)):
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(copy / name, made / name)
    compiled = any(path.suffix in {".so", ".pyd", ".dylib"} for path in made.rglob("*"))
    template = _Template(tree=str(copy), notes=notes, usable=usable, compiled=compiled)
    shutil.rmtree(copy)
    return template


def _looks(tree: Path) -> dict[str, tuple[int, int]]:
    looks = {}
    for path in tree.rglob("*"):
        status = path.lstat()
        if not path.is_dir():
            looks[path.relative_to(tree).as_posix()] = (status.st_size, status.st_mtime_ns)
    return looks


def _install(copy: Path, lib: Path, interpreter: Interpreter, uv: Uv) -> tuple[str, ...]:
    """Install the copy into `lib`: editable, else in full and reduced to its metadata."""
    options = ("--no-deps", "--python", interpreter.path, "--target", str(lib))
    try:
        note = _pretending(uv, options, "--editable", str(copy))
        return (f"the project itself is visible as an editable install{note}",)
    except CannotInstall as error:
        if "build_editable" not in uv.log.read_text(errors="replace"):
            raise
        empty(lib, lib.with_name("trash"))  # its build backend is older than PEP 660
        try:
            note = _pretending(uv, options, str(copy))
        except CannotInstall as second:
            raise second from error
    left = _reduce(lib, copy)
    copied = f"; these are copies, not the code under test: {', '.join(left)}" if left else ""
    return (
        f"the project itself is visible by its metadata: its build knows no editable install{note}"
        + copied,
    )


def _pretending(uv: Uv, options: tuple[str, ...], *what: str) -> str:
    """Install, and once more with a made-up version where only the repository is missing."""
    try:
        uv.install(*options, *what)
    except CannotInstall:
        if not NO_REPOSITORY.search(uv.log.read_text(errors="replace")):
            raise
        uv.install(*options, *what, env=PRETEND)
        return f", with {PRETENDED} for its version, which is taken from a repository"
    return ""


def _reduce(lib: Path, copy: Path) -> list[str]:
    """Leave the metadata, and a link to the code in place of the code; return what has to stay."""
    roots: dict[str, None] = {}
    left = []
    for path in sorted(lib.iterdir()):
        if path.suffix == ".dist-info" or path.name in {"bin", ".lock"}:
            continue
        for root in (copy, copy / "src", copy / "lib"):
            if (root / path.name).exists():
                roots[str(root)] = None
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                break
        else:
            left.append(path.name)
    (lib / "__djhop_project.pth").write_text("".join(f"{root}\n" for root in roots))
    return left


def _write_out(template_path: Path, template: _Template, tree: Path) -> Overlay:
    """Write a template out for one workspace, with its path in place of the copy's."""
    if not template.usable:
        return Overlay((), template.notes)
    place = tree.with_name("overlay")
    empty(place, place.with_name("trash"))
    words = [
        (old.encode(), new.encode())
        for old, new in (
            (template.tree, str(tree)),
            (quote(template.tree), quote(str(tree))),
        )
    ]
    lib = template_path / "lib"
    for path in sorted(lib.rglob("*")):
        target = place / path.relative_to(lib)
        if path.is_dir():
            target.mkdir()
            continue
        content = path.read_bytes()
        if len(content) < LARGEST_TEXT:
            for old, new in words:
                content = content.replace(old, new)
        target.write_bytes(content)
    _put_into(tree, template_path / "made")
    return Overlay((str(place),), template.notes)


def _put_into(tree: Path, made: Path) -> None:
    for path in sorted(made.rglob("*")):
        target = tree / path.relative_to(made)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.unlink(missing_ok=True)  # never through a link
            shutil.copy2(path, target)
