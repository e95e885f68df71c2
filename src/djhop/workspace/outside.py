"""Packages that are files of this machine: what stands for their content, which can change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote, urlsplit

from djhop.workspace import digest
from djhop.workspace.visible import SKIPPED_FOLDERS, run_folders

#: What a build leaves beside its sources.
BUILT = ("build", "dist", "*.egg-info")


def names(pins: Iterable[str]) -> tuple[str, ...]:
    """Return the packages of a lock that are files of this machine."""
    return tuple(_name(pin) for pin in pins if _place(pin))


def contents(pins: Iterable[str]) -> str:
    """Stand for what those packages hold now; "" where a lock has none.

    `pins`: each "name==version" or "name @ url".
    """
    found = [(_name(pin), place) for pin in sorted(pins) if (place := _place(pin))]
    if not found:
        return ""
    made = hashlib.sha256()
    for name, place in found:  # where it lies is each machine's own
        made.update(f"{name}\0{_of(place)}\0".encode())
    return made.hexdigest()[:20]


def _name(pin: str) -> str:
    return pin.partition(" @ ")[0].strip()


def _place(pin: str) -> Path | None:
    url = urlsplit(pin.partition(" @ ")[2].partition(" ;")[0].strip())
    return Path(unquote(url.path)) if url.scheme == "file" else None


def _of(place: Path) -> str:
    if not place.is_dir():
        return digest.tree(place.parent, [place.name])
    return digest.tree(place, _files(place))


def _files(root: Path) -> list[str]:
    """The files of a package, without what builds and runs leave beside them."""
    found: list[str] = []
    for folder, below, files in os.walk(root):
        at = Path(folder)
        below[:] = [one for one in below if one not in SKIPPED_FOLDERS]
        if at == root:
            below[:] = [one for one in below if not any(fnmatch(one, made) for made in BUILT)]
        names = [one for one in files if not one.endswith(".pyc")]
        found += [(at / one).relative_to(root).as_posix() for one in names]
    ours = run_folders(root, dict.fromkeys(found))
    return [one for one in found if not one.startswith(ours)]
