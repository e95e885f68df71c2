"""What stands for the content of a target's files, the same on every machine."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from djhop.workspace import sources


def tree(root: Path, files: Iterable[str]) -> str:
    """Return a digest of names, contents and executable bits; what cannot be read counts by name.

    Unlike sizes and times, it is the same in every checkout of the same files.
    """
    digest = hashlib.sha256()
    listed = sorted(files)
    every = [(name, os.path.join(root, name)) for name in listed]  # noqa: PTH118 - Path is slow
    for name, path in (*every, *sources.behind(root, listed)):
        digest.update(f"{name}\0".encode(errors="surrogateescape"))
        digest.update(_content(path))
    return digest.hexdigest()[:20]


def _content(path: str) -> bytes:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return b"link" + os.fsencode(os.readlink(path))  # noqa: PTH115
        if not stat.S_ISREG(mode):
            return b"other"
        with open(path, "rb") as file:  # noqa: PTH123
            told = hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b"unreadable"
    return (b"x" if mode & stat.S_IXUSR else b"-") + told
