"""One requirement as people write it: a name and a specifier, a URL, a path.

Single requirements are read by `packaging`, so that each one that leaves this room parses there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from djhop.errors import UsageError
from djhop.target import tree


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement as it is written, and where: "requirements/test.txt:3"."""

    text: str
    place: str


class Local(msgspec.Struct, frozen=True, kw_only=True):
    """A directory to be installed (`-e .`, `./lib[extra]`), and the line that names it."""

    path: Path
    extras: tuple[str, ...]
    place: str


_URL = re.compile(r"(?:(?:git|hg|svn|bzr)\+\S+|(?:https?|ftp|file):\S+|git@\S+)", re.IGNORECASE)
_SCP = re.compile(r"^(?:git\+)?(?:ssh://)?git@([^/:]+):(?!\d+/)")
_EXTRAS = re.compile(r"^(.*?)\[([^\]]*)\]$")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")


def credentials_hidden(text: str) -> str:
    """Return `text` with the user and password of every URL replaced by `***`."""
    return re.sub(r"(://)[^/@\s]+@", r"\1***@", text)


def parse(text: str, place: str, root: Path, folder: Path | None = None) -> Stated | Local:
    """Read one requirement: a name and a specifier, a URL or a path in `root` or `folder`.

    Raises:
        UsageError: it is none of them; the message starts with `place`.
    """
    text = text.strip()
    if url := _URL.match(text):
        return _from_url(text, url[0], place)
    try:
        Requirement(text)
    except ValueError as error:
        local = _from_path(text, place, [folder or root, root])
        if local is not None:
            return local
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"{place}: {credentials_hidden(text)!r} is not a requirement: {reason}",
            hint="pip's newest version would refuse it too; correct the line, or name other files"
            " with `requirements` in [tool.djhop]",
        ) from error
    return Stated(text=text, place=place)


def _from_url(text: str, url: str, place: str) -> Stated:
    base, _, fragment = url.partition("#")
    parts = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    base = _SCP.sub(r"git+ssh://git@\1/", base)
    name = parts.get("egg") or _name_in(base)
    below = f"#subdirectory={parts['subdirectory']}" if parts.get("subdirectory") else ""
    marker = text[len(url) :].strip()
    written = f"{name} @ {base}{below}{' ' + marker if marker else ''}"
    try:
        Requirement(written)
    except ValueError as error:
        raise UsageError(
            f"{place}: {credentials_hidden(text)!r} does not say which package it is",
            hint=f"write it as `name @ {credentials_hidden(base)}`",
        ) from error
    return Stated(text=written, place=place)


def _name_in(url: str) -> str:
    """Guess the package of an archive or a repository from its address."""
    path = url.partition("://")[2].partition("?")[0].rstrip("/")
    host, *names = path.split("/")
    last = names[-1] if names else ""
    try:
        if last.endswith(".whl"):
            return str(parse_wheel_filename(last)[0])
        return str(parse_sdist_filename(last)[0])
    except (InvalidSdistFilename, InvalidWheelFilename):
        if host.endswith(("github.com", "gitlab.com")) and len(names) > 1:
            last = names[1]  # owner/repository/archive/main.tar.gz
        return last.partition("@")[0].removesuffix(".git")


def _from_path(text: str, place: str, folders: list[Path]) -> Stated | Local | None:
    path = text.partition(";")[0].strip()
    match = _EXTRAS.match(path)
    path, extras = (match[1], match[2]) if match else (path, "")
    if not path:
        return None
    for folder in folders:
        whole = Path(os.path.normpath(folder / path))
        if path.endswith(_ARCHIVES) and tree.is_file(whole):
            return _from_url(whole.as_uri(), whole.as_uri(), place)
        if any(tree.is_file(whole / name) for name in _PROJECT_FILES):
            names = tuple(extra.strip() for extra in extras.split(",") if extra.strip())
            return Local(path=whole, extras=names, place=place)
    return None
