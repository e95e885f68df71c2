"""A cell's private room: a copy of the target, a home and a folder for temporary files.

The room's path depends on target and cell alone, so that bytecode and caches stay valid; its
content is made anew each time, at the price of what changed.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

import filelock
import msgspec

from djhop.errors import InfraError
from djhop.workspace import repository
from djhop.workspace.mirror import mirror
from djhop.workspace.removal import empty, remove

#: So many djhop may test one cell of one target at the same time.
SLOTS = 64


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A room that nobody else uses as long as it is open."""

    #: The copy of the target.
    tree: Path
    #: HOME and TMPDIR of the cell: empty.
    home: Path
    tmp: Path
    #: Files in the copy, and how many of them were copied or removed just now.
    files: int
    changed: int
    #: What could not be copied, and why.
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def open(  # noqa: A001
    target_root: Path, base: Path, *, files: tuple[str, ...]
) -> Iterator[Workspace]:
    """Give the room at `base` for as long as the context lasts, with a fresh copy in it.

    `files`: what to copy, as `visible.files` lists it. Where another djhop is in the room, it is
    `<base>-2`, `<base>-3` …

    Raises:
        InfraError: the room cannot be made (a full disk, files of another user).
    """
    with _free_slot(base) as room:
        yield _furnish(room, target_root, files)


def refresh(room: Workspace, target_root: Path, files: tuple[str, ...]) -> None:
    """Make an open room again what it was when it was opened, whatever a suite did to it."""
    _furnish(room.tree.parent, target_root, files)


@contextlib.contextmanager
def _free_slot(base: Path) -> Iterator[Path]:
    base.parent.mkdir(parents=True, exist_ok=True)
    for number in range(1, SLOTS + 1):
        room = base if number == 1 else base.with_name(f"{base.name}-{number}")
        # Beside the room, not in it: a test may remove everything there.
        lock = filelock.FileLock(room.with_name(f"{room.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            continue
        try:
            yield room
        finally:
            lock.release()
        return
    raise InfraError(f"{base} and {SLOTS - 1} more workspaces are all in use")


def _furnish(room: Path, target_root: Path, files: tuple[str, ...]) -> Workspace:
    tree, home, tmp, trash = (room / name for name in ("tree", "home", "tmp", "trash"))
    git = room / "git"
    try:
        for folder in (room, tree):
            if not _is_folder(folder):
                remove(folder, trash)
                folder.mkdir()
            elif folder.stat().st_mode & 0o700 != 0o700:
                folder.chmod(0o755)
        for folder in (home, tmp):
            empty(folder, trash)
        for old in (git, tree / ".git", room / "manifest.new"):
            remove(old, trash)
        done = mirror(target_root, files, tree, room / "manifest.json", trash)
        repository.show(target_root, tree, git)
        remove(trash, trash)
    except OSError as error:
        raise InfraError(f"cannot make the workspace {room}: {error}") from error
    return Workspace(
        tree=tree, home=home, tmp=tmp, files=done.files, changed=done.changed, notes=done.notes
    )


def _is_folder(path: Path) -> bool:
    """Whether it is a folder and not a link to one: a test may have put a link there."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False
