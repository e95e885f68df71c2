"""What the files of a target hold, as one digest."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from djhop.workspace import repository, sources


def digest(root: Path, files: Iterable[str]) -> str:
    """Stand for what a suite finds in its copy of `root`: names, modes and contents, git's refs.

    `files`: as `visible.files` lists them. What cannot be read stands for itself.
    """
    made = hashlib.sha256(repository.state(root).encode())
    listed = tuple(files)
    every = [(name, root / name) for name in listed]
    every += [(name, Path(place)) for name, place in sources.behind(root, listed)]
    for name, path in every:
        made.update(os.fsencode(name) + b"\0" + _of(path) + b"\0")
    return made.hexdigest()


def _of(path: Path) -> bytes:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return b"link " + os.fsencode(path.readlink())
        if not stat.S_ISREG(mode):
            return b"other %o" % mode
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256")
        return b"file %o " % mode + content.digest()
    except OSError as error:
        return f"unreadable {error.errno}".encode()
