"""One look at each file of a target: what kind it is, what it looks like, where a link leads."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

#: What is copied at most in place of a link to a folder outside the target.
OUTSIDE_FILES, OUTSIDE_BYTES = 5_000, 256 * 1024 * 1024


class Source(NamedTuple):
    """A file to copy, or a link to make."""

    #: Where to read it; elsewhere than its name says where a link led out of the target.
    path: str
    #: Text of the link to make; None for a file.
    link: str | None
    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int


class Wanted(NamedTuple):
    """What a copy is to hold."""

    files: dict[str, Source]
    #: Modes of the folders; "" is the root, others end in "/".
    folders: dict[str, int]
    notes: list[str]


def look(root: Path, paths: Iterable[str]) -> Wanted:
    """Look at each of `paths`, which are relative to `root`; folders end in "/".

    Left out: what has vanished since it was listed, and what lies behind a link.
    """
    wanted = Wanted({}, {"": 0o755}, [])
    base, real = str(root), os.path.realpath(root)
    for path in paths:
        if not _add_folders(wanted, base, path[: path.rfind("/") + 1]) or path.endswith("/"):
            continue
        try:
            status = os.lstat(f"{base}/{path}")
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            wanted.files[path] = _source(f"{base}/{path}", status)
        elif stat.S_ISLNK(status.st_mode):
            _add_link(wanted, base, real, path, status)
        else:
            wanted.notes.append(f"not copied: {path}: neither file nor link")
    return wanted


def behind(root: Path, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what is copied in place of links that lead out of `root`: its name, where to read it.

    What stands for the content of a target has to stand for this, too.
    """
    base, real = str(root), os.path.realpath(root)
    for path in paths:
        wanted = Wanted({}, {"": 0o755}, [])
        try:
            status = os.lstat(f"{base}/{path}")
        except OSError:
            continue
        if stat.S_ISLNK(status.st_mode):
            _add_link(wanted, base, real, path, status)
        for name, source in wanted.files.items():
            if source.link is None:
                yield name, source.path


def _source(path: str, status: os.stat_result, link: str | None = None) -> Source:
    return Source(
        path,
        link,
        status.st_mode & 0o777,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
    )


def _add_folders(wanted: Wanted, base: str, folder: str) -> bool:
    """Add `folder` and those above it; False where one of them is none (or a link to one)."""
    if folder in wanted.folders:
        return True
    try:
        mode = os.lstat(f"{base}/{folder[:-1]}").st_mode
    except OSError:
        return False
    above = folder[: folder.rfind("/", 0, -1) + 1]
    if not stat.S_ISDIR(mode) or not _add_folders(wanted, base, above):
        return False
    wanted.folders[folder] = mode & 0o777 | 0o700  # we must be able to write into it
    return True


def _add_link(wanted: Wanted, base: str, real: str, path: str, status: os.stat_result) -> None:
    place = f"{base}/{path}"
    leads = os.path.realpath(place)
    if leads == real or leads.startswith(f"{real}/"):
        wanted.files[path] = _source(place, status, _inside(real, path, Path(place), leads))
        return
    try:
        found = Path(leads).stat()
    except OSError:
        wanted.notes.append(f"not copied: {path}: a link out of the target, to nothing")
        return
    if stat.S_ISREG(found.st_mode):
        wanted.files[path] = _source(leads, found)
    elif stat.S_ISDIR(found.st_mode):
        _add_outside(wanted, path, leads)
    else:
        wanted.notes.append(f"not copied: {path}: a link to a device")


def _inside(real: str, path: str, place: Path, leads: str) -> str:
    """Text of a link that stays in the tree wherever the tree is."""
    text = str(place.readlink())
    folder = os.path.dirname(path)  # noqa: PTH120
    if not text.startswith("/"):
        plain = os.path.normpath(f"{folder}/{text}") if folder else os.path.normpath(text)
        if plain != ".." and not plain.startswith("../"):
            return text
    return os.path.relpath(leads, os.path.join(real, folder))  # noqa: PTH118


def _add_outside(wanted: Wanted, path: str, leads: str) -> None:
    """Copy a folder outside the target in place of the link to it; links in it are not followed."""
    files = size = 0
    wanted.folders[f"{path}/"] = 0o755
    for name, status in _below(leads):
        files, size = files + 1, size + status.st_size
        if files > OUTSIDE_FILES or size > OUTSIDE_BYTES:
            wanted.notes.append(f"copied only in part: {path}: a link to a large folder, {leads}")
            return
        wanted.files[f"{path}/{name}"] = _source(f"{leads}/{name}", status)
        folder = f"{path}/{name[: name.rfind('/') + 1]}"
        while folder not in wanted.folders:
            wanted.folders[folder] = 0o755
            folder = folder[: folder.rfind("/", 0, -1) + 1]


def _below(top: str) -> Iterator[tuple[str, os.stat_result]]:
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(f"{top}/{folder}"), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in {".git", "__pycache__"}:
                    folders.append(f"{folder}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield folder + entry.name, entry.stat(follow_symlinks=False)
