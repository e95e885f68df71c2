"""Removes what tests leave behind: read-only, endlessly deep, or full of links."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from djhop.errors import InfraError

#: Paths longer than this are shortened by a rename; the system refuses them at 4096 bytes.
LONG = 2000


def remove(path: str | Path, trash: str | Path) -> None:
    """Remove the file, link or folder at `path`; links are never followed.

    `trash` is a folder on the same file system that may be made; what is nested too deep to be
    named is moved there first. Nothing there is no error.

    Raises:
        InfraError: it cannot be removed (another user's files, say).
    """
    try:
        _remove(str(path), str(trash))
    except OSError as error:
        raise InfraError(
            f"cannot remove {path}: {error.strerror}", hint=f"remove it by hand: {path}"
        ) from error


def empty(path: Path, trash: Path) -> None:
    """Leave an empty folder, the user's alone, at `path`, whatever was there."""
    remove(path, trash)
    path.mkdir(mode=0o700, parents=True)


def _remove(path: str, trash: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        os.unlink(path)  # noqa: PTH108
        return
    folders, done = [path], []
    while folders:
        folder = folders.pop()
        done.append(folder)
        os.chmod(folder, 0o700)  # noqa: PTH101
        for entry in list(os.scandir(folder)):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)  # noqa: PTH108
            else:
                folders.append(_short(entry.path, trash))
    for folder in reversed(done):
        os.rmdir(folder)  # noqa: PTH106


def _short(folder: str, trash: str) -> str:
    if len(folder) < LONG:
        return folder
    os.chmod(folder, 0o700)  # noqa: PTH101
    os.makedirs(trash, exist_ok=True)  # noqa: PTH103
    place = tempfile.mkdtemp(dir=trash)  # a rename replaces an empty folder
    os.rename(folder, place)  # noqa: PTH104
    return place
