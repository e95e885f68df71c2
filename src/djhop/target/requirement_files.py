"""pip's requirement files: lines, options, files that include files.

The grammar is pip's (https://pip.pypa.io/en/stable/reference/requirements-file-format/); pip's own
reader is no public interface. Each single requirement is read by `packaging`.

A compiled file (see `compiled`) is read as the pins of today, and its source as the requirements.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from djhop.errors import UsageError
from djhop.target import compiled, tree
from djhop.target.stated import Local, Stated, credentials_hidden, parse

if TYPE_CHECKING:
    from collections.abc import Iterator


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a requirement file says, with everything it includes."""

    requirements: tuple[Stated, ...]
    constraints: tuple[Stated, ...]
    #: What compiled files pin: versions of today, not requirements.
    pins: tuple[Stated, ...]
    locals: tuple[Local, ...]
    #: Extras of the project that a compiled file was compiled with.
    extras: tuple[str, ...]
    #: Lines about package indexes, as written; they may hold credentials.
    options: tuple[str, ...]
    #: Every file read, as paths from the root.
    files: tuple[str, ...]
    notes: tuple[str, ...]


_Role = Literal["requirement", "constraint", "pin"]

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"(--[A-Za-z][A-Za-z0-9-]*|-[A-Za-z])(?:\s*=\s*|\s*)(.*)", re.DOTALL)
_ALIASES = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
    "-Z": "--always-unzip",
    "--pypi-url": "--index-url",
}
_INDEX_OPTIONS = frozenset(
    {"--index-url", "--extra-index-url", "--no-index", "--find-links", "--trusted-host"}
)
#: What says how to install, not what.
_IGNORED_OPTIONS = frozenset(
    {
        "--no-binary",
        "--only-binary",
        "--prefer-binary",
        "--require-hashes",
        "--pre",
        "--use-feature",
        "--always-unzip",
        "--process-dependency-links",
        "--allow-external",
        "--allow-unverified",
        "--allow-all-external",
        "--use-wheel",
        "--no-use-wheel",
    }
)
_NAMED_PIN = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*==")
#: What may follow a requirement on its line.
_LINE_OPTIONS = ("--hash", "--global-option", "--install-option", "--config-setting", "-C")


def read(path: Path, root: Path) -> Contents:
    """Read a requirement file and all that it includes; places are relative to `root`.

    Raises:
        UsageError: a file is missing, includes itself, or has a line that is no requirement;
            the message starts with "file:line".
    """
    reader = _Reader(root)
    reader.read(path, "requirement", chain=(), place="")
    return reader.contents()


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.requirements: list[Stated] = []
        self.constraints: list[Stated] = []
        self.pins: list[Stated] = []
        self.locals: list[Local] = []
        self.extras: list[str] = []
        self.options: list[str] = []
        self.notes: list[str] = []
        self.files: dict[tuple[Path, _Role], str] = {}
        #: Compiled files that were read: their sources may name them as constraints.
        self.compiled_files: set[Path] = set()

    def contents(self) -> Contents:
        return Contents(
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            pins=tuple(self.pins),
            locals=tuple(self.locals),
            extras=tuple(dict.fromkeys(self.extras)),
            options=tuple(dict.fromkeys(self.options)),
            files=tuple(dict.fromkeys(self.files.values())),
            notes=tuple(self.notes),
        )

    def read(self, path: Path, role: _Role, *, chain: tuple[Path, ...], place: str) -> None:
        path = Path(os.path.normpath(path))
        name = Path(os.path.relpath(path, self.root)).as_posix()
        if role == "constraint" and path in self.compiled_files:
            return
        if path in chain:
            circle = " → ".join(step.name for step in (*chain[chain.index(path) :], path))
            raise UsageError(f"{place}: the files include each other: {circle}")
        if (path, role) in self.files:
            return
        if not tree.is_file(path):
            raise UsageError(
                f"{place + ': ' if place else ''}there is no file {name}",
                hint="paths after -r and -c are relative to the file they stand in",
            )
        self.files[path, role] = name
        text = tree.read(path, name)
        chain = (*chain, path)
        if origin := compiled.origin(path, text, self.root):
            self.compiled_files.add(path)
            self.compiled(origin, role, name, chain)
            role = "pin"
        for number, line in _lines(text):
            self.line(line, f"{name}:{number}", path, role, chain)

    def compiled(
        self, origin: compiled.Origin, role: _Role, name: str, chain: tuple[Path, ...]
    ) -> None:
        """Read what a compiled file was compiled from; as a constraint it has pins and no more."""
        self.notes.append(
            f"{name} is compiled from {' and '.join(origin.named)}: it says which versions are "
            "used today, not what is required."
        )
        if role == "constraint":
            return
        self.extras += origin.extras
        for source in origin.files:
            self.read(source, role, chain=chain, place=name)

    def line(self, line: str, place: str, path: Path, role: _Role, chain: tuple[Path, ...]) -> None:
        if not line.startswith("-"):
            self.add(_without_options(line, place), place, path, role)
            return
        match = _OPTION.fullmatch(line)
        name = _ALIASES.get(match[1], match[1]) if match else line
        value = _unquoted(match[2]) if match else ""
        match name:
            case "--requirement" | "--constraint" if "://" in value:
                self.notes.append(f"{place}: {credentials_hidden(value)} is not read: a URL")
            case "--requirement" | "--constraint" if value:
                inner: _Role = "constraint" if name == "--constraint" else role
                self.read(path.parent / value, inner, chain=chain, place=place)
            case "--editable" if value:
                self.add(_without_options(value, place), place, path, role)
            case _ if name in _INDEX_OPTIONS:
                self.options.append(line)
            case _ if name not in _IGNORED_OPTIONS:
                raise UsageError(
                    f"{place}: {line.split(maxsplit=1)[0]!r} is not an option of such a file"
                )

    def add(self, text: str, place: str, path: Path, role: _Role) -> None:
        if role == "pin" and not _NAMED_PIN.match(text):
            return  # A URL or a path: its source has it too.
        item = parse(text, place, self.root, path.parent)
        if isinstance(item, Local):
            self.locals.append(item)
        elif role == "requirement":
            self.requirements.append(item)
        else:
            (self.pins if role == "pin" else self.constraints).append(item)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each logical line, joined and without comments as pip does it."""
    start, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        comment = _COMMENT.match(line) is not None
        start = start if parts else number
        parts.append(f" {line}" if comment else line.removesuffix("\\"))
        if line.endswith("\\") and not comment:
            continue
        if whole := _COMMENT.sub("", "".join(parts)).strip():
            yield start, whole
        parts = []
    if whole := _COMMENT.sub("", "".join(parts)).strip():
        yield start, whole


def _without_options(line: str, place: str) -> str:
    match = re.search(r"\s(--?[A-Za-z])", line)
    if match is None:
        return line
    rest = line[match.start() :].strip()
    if not rest.startswith(_LINE_OPTIONS):
        raise UsageError(f"{place}: {rest.split()[0]!r} cannot follow a requirement")
    return line[: match.start()]


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value
