"""The target's git repository as a cell sees it: the whole history, and nothing to write to.

Builds take versions from it, tests ask it what changed. The cell gets a *view*: HEAD, refs and
index are copied; so are the objects of a small repository. Those of a large one are read where they
lie: what a test stages that is there already gets a new mtime there. What a test commits, tags or
removes is lost with the room; remotes (whose URLs may hold passwords), hooks and filters are left
out.
"""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

#: What the view takes over from the target's own configuration: how files look, and the format.
KEPT = {
    "core": ("filemode", "symlinks", "ignorecase", "precomposeunicode", "autocrlf", "eol"),
    "extensions": ("objectformat", "refstorage"),
}
#: The copy of a file has its mtime and size, but neither its inode nor its ctime.
ALWAYS = "[core]\n\tbare = false\n\ttrustctime = false\n\tcheckStat = minimal\n"

#: A store of objects is copied that has at most so many bytes and files.
BYTES, FILES = 64 << 20, 2_000


class _Places(NamedTuple):
    """Where a repository lies: of one worktree, and what all its worktrees share."""

    own: Path
    common: Path


def show(root: Path, tree: Path, view: Path) -> bool:
    """Make the repository of the target at `root` visible in its copy `tree`, through `view`.

    Neither `tree`/.git nor `view` may be there. Returns False where `root` is not the top folder
    of a repository; folders inside one get none, as their paths would be wrong.
    """
    places = _places(root)
    if places is None:
        return False
    try:
        _copy(places, view)
        (view / "config").write_text(_config(places.common / "config"))
        stores = _stores(places)
        if len(stores) > 1 or not _copied(stores[0], view / "objects"):
            lines = b"".join(os.fsencode(path) + b"\n" for path in stores)
            (view / "objects/info/alternates").write_bytes(lines)
        (tree / ".git").write_bytes(b"gitdir: %s\n" % os.fsencode(view))
    except OSError:  # half a repository, or one that may not be read
        shutil.rmtree(view, ignore_errors=True)
        return False
    return True


def state(tree: Path) -> str:
    """A hash of HEAD and all refs of the repository that `show` made visible; "" without one."""
    places = _places(tree)
    if places is None:
        return ""
    digest = hashlib.sha256()
    for path in (places.own / "HEAD", places.common / "packed-refs", *_refs(places.common)):
        with contextlib.suppress(OSError):
            digest.update(f"{path.name}\0".encode(errors="surrogateescape"))
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _places(root: Path) -> _Places | None:
    """See gitrepository-layout(5): `.git` is a folder, or names one (worktrees, submodules)."""
    own = root / ".git"
    try:
        if own.is_file():
            own = root / _word(own).removeprefix("gitdir:").strip()
        common = own / _word(own / "commondir") if (own / "commondir").is_file() else own
        if not (own / "HEAD").is_file() or not (common / "objects").is_dir():
            return None
        return _Places(own.resolve(), common.resolve())
    except OSError:
        return None


def _word(path: Path) -> str:
    return os.fsdecode(path.read_bytes()).strip()


def _copy(places: _Places, view: Path) -> None:
    for folder in ("objects/info", "objects/pack", "refs"):
        (view / folder).mkdir(parents=True)
    for path in (places.own / "HEAD", places.own / "index", *places.own.glob("sharedindex.*")):
        if path.is_file():
            shutil.copy2(path, view / path.name)
    for name in ("packed-refs", "shallow"):
        if (places.common / name).is_file():
            shutil.copyfile(places.common / name, view / name)
    for path in _refs(places.common):
        to = view / path.relative_to(places.common)
        to.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # packed meanwhile
            shutil.copyfile(path, to)


def _copied(store: Path, to: Path) -> bool:
    """Copy a store of objects where it is small; return whether it was."""
    found, room = [], BYTES
    try:
        for path in store.glob("*/*"):
            if path.parent.name == "info" or not path.is_file():
                continue
            room -= path.stat().st_size
            found.append(path)
            if room < 0 or len(found) > FILES:
                return False
        for path in found:
            (to / path.parent.name).mkdir(exist_ok=True)
            shutil.copy(path, to / path.parent.name)
    except FileNotFoundError:  # git packs it just now; what is copied is right all the same
        return False
    return True


def _refs(common: Path) -> list[Path]:
    found = (*(common / "refs").rglob("*"), *(common / "reftable").glob("*"))
    return sorted(path for path in found if path.is_file())


def _stores(places: _Places) -> list[Path]:
    """Where objects lie; those a repository borrows itself may be named relative to its own."""
    objects = places.common / "objects"
    borrowed = objects / "info/alternates"
    lines = os.fsdecode(borrowed.read_bytes()).splitlines() if borrowed.is_file() else []
    return [objects, *(objects / line for line in lines if line and not line.startswith("#"))]


def _config(path: Path) -> str:
    read = configparser.ConfigParser(
        strict=False, allow_no_value=True, interpolation=None, delimiters=("=",)
    )
    with contextlib.suppress(OSError, configparser.Error):
        # git indents keys; for configparser that would be a continued value.
        lines = path.read_text(errors="replace").splitlines()
        read.read_string("\n".join(line.strip() for line in lines))
    text = ALWAYS
    for section, keys in KEPT.items():
        kept = {k: read.get(section, k, fallback=None) for k in keys}
        lines = [f"\t{key} = {value}" for key, value in kept.items() if value]
        if section == "extensions":
            text += f"\trepositoryformatversion = {int(bool(lines))}\n"
        text += "".join(f"{line}\n" for line in ([f"[{section}]", *lines] if lines else []))
    return text
