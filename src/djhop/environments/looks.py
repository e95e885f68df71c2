"""What an environment looked like when it was made, and what has become of it since.

Tests may install, remove or write something where the packages are. Looked at is the code (and
what says which plugins and versions there are): its files' sizes and mtimes, and the names of what
lies beside them. Not looked at are bytecode, the content of data, and new data files (a package may
keep a cache beside its code): some four fifths of an environment's files are Django's translations,
and every cell pays for each look (5 ms for 1,400 files of code on a slow virtual machine).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

CODE = (".py", ".pth", ".so")
#: What a new name must end in to be seen, beside folders: bytecode without source is imported too.
IMPORTED = (*CODE, ".pyc", ".egg-link")
INFO = (".dist-info", ".egg-info")
#: Files in such a folder that decide what a program does: pytest loads what entry points name.
DECIDING = frozenset({"entry_points.txt", "METADATA", "PKG-INFO"})
#: Folders without code of the packages: never entered.
SKIPPED = frozenset({"__pycache__", "LC_MESSAGES"})


class Folder(msgspec.Struct, frozen=True, array_like=True):
    """A folder of code."""

    mtime: int
    #: All that is in it, but for bytecode.
    names: tuple[str, ...]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Where the packages are, as it was at one moment; paths are relative, times in ns."""

    #: Folders with code in or below them, or about packages; "" is the top, others end in "/".
    folders: dict[str, Folder]
    #: Files of code, and those that decide → size, mtime.
    files: dict[str, tuple[int, int]]


class Change(NamedTuple):
    """Something that is no more as it was."""

    path: str
    #: "added", "removed" or "changed".
    how: str
    #: The file has other names: in uv's cache, and in every environment with this package.
    shared: bool = False


def look(site_packages: Path) -> Look:
    """Look at everything there is."""
    folders: dict[str, Folder] = {}
    files: dict[str, tuple[int, int]] = {}
    _enter(str(site_packages), "", folders, files)
    return Look(folders=folders, files=files)


def _enter(
    top: str, folder: str, folders: dict[str, Folder], files: dict[str, tuple[int, int]]
) -> bool:
    """Look at a folder and all below it; return whether there is code."""
    mtime = os.stat(f"{top}/{folder}").st_mtime_ns  # noqa: PTH116
    names = []
    info = folder.endswith(tuple(f"{end}/" for end in INFO))
    code = info or not folder
    for entry in os.scandir(f"{top}/{folder}"):
        if entry.name == "__pycache__":
            continue
        names.append(entry.name)
        path = folder + entry.name
        if entry.name.endswith(CODE) or (info and entry.name in DECIDING):
            status = entry.stat(follow_symlinks=False)
            files[path] = (status.st_size, status.st_mtime_ns)
            code = True
        elif entry.name not in SKIPPED and entry.is_dir(follow_symlinks=False):
            code |= _enter(top, f"{path}/", folders, files)
    if code:
        folders[folder] = Folder(mtime, tuple(sorted(names)))
    return code


def again(site_packages: Path, before: Look) -> tuple[Look, tuple[Change, ...]]:
    """Look again: what to compare with next time, and what has changed."""
    top = str(site_packages)
    changes: list[Change] = []
    folders = dict(before.folders)
    for folder, known in before.folders.items():
        try:
            mtime = os.stat(f"{top}/{folder}").st_mtime_ns  # noqa: PTH116
            if mtime == known.mtime:
                continue
            names = set(os.listdir(f"{top}/{folder}")) - {"__pycache__"}  # noqa: PTH208
        except OSError:
            continue  # the folder above it tells
        if names == set(known.names):
            folders[folder] = Folder(mtime, known.names)  # need no second look at names
        changes += _compared(top, folder, set(known.names), names)
    changes += _rewritten(top, before.files)
    return msgspec.structs.replace(before, folders=folders), tuple(sorted(changes))


def _compared(top: str, folder: str, before: set[str], now: set[str]) -> Iterator[Change]:
    new = (name for name in now - before if _decides(top, folder, name))
    yield from (Change(folder + name, "added") for name in new)
    yield from (Change(folder + name, "removed") for name in before - now)


def _decides(top: str, folder: str, name: str) -> bool:
    """Whether a new name may change what a program does; a new data file does not."""
    path = f"{top}/{folder}{name}"
    if name.endswith((*IMPORTED, *INFO)) or name in DECIDING or os.path.islink(path):  # noqa: PTH114
        return True
    if name in SKIPPED or not os.path.isdir(path):  # noqa: PTH112
        return False
    if not folder:
        return True  # every folder at the top can be imported, an empty one too
    return any(file.endswith(IMPORTED) for _, _, files in os.walk(path) for file in files)


def _rewritten(top: str, before: dict[str, tuple[int, int]]) -> Iterator[Change]:
    for path, known in before.items():
        try:
            status = os.lstat(f"{top}/{path}")
        except OSError:
            continue  # its folder tells
        if (status.st_size, status.st_mtime_ns) != known:
            yield Change(path, "changed", status.st_nlink > 1)
