"""Keeps a copy of a file tree equal to its source, at the price of a look at each file.

A manifest remembers what every file was when it was copied, on both sides. Its claims are only
believed where both files still look so; ctime, which no program can set back, gives away a copy
that was written to. So a crash at any moment, or a copy that was wrecked, costs some copying only.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from djhop import durable
from djhop.workspace.removal import remove
from djhop.workspace.sources import Source, look

#: A file that changed less than this before it was copied may change again without a new ctime.
RACY = 50_000_000  # nanoseconds
#: What an earlier djhop remembers in another form is not believed.
FORMAT = 1


class Known(msgspec.Struct, frozen=True, array_like=True):
    """One file when it was copied."""

    source: Source
    #: The copy's size, mtime and ctime (ns).
    copy: tuple[int, int, int]


class Manifest(msgspec.Struct, frozen=True):
    """What is remembered of a copy."""

    root: str
    entries: dict[str, Known]
    format: int = FORMAT


class Mirrored(NamedTuple):
    """What `mirror` did."""

    files: int
    #: Files copied or removed.
    changed: int
    notes: tuple[str, ...]


def mirror(root: Path, paths: Iterable[str], tree: Path, manifest: Path, trash: Path) -> Mirrored:
    """Make `tree` hold exactly `paths` of `root`, and bytecode of its sources.

    The source is only read. Nothing is ever written through a link in the copy. Links that leave
    `root` are replaced by what they point to. `notes` says what could not be copied.
    """
    wanted = look(root, paths)
    known = _read(manifest, str(root))
    copy = _Copy(str(tree), str(trash), wanted.folders)
    copy.scan()
    kept: dict[str, Known] = {}
    stale: list[str] = []
    for path, source in wanted.files.items():
        before, now = known.get(path), copy.files.get(path)
        if before and now and before.copy == now and before.source == source:
            kept[path] = before
        else:
            stale.append(path)
    changed = copy.clean(wanted.files, stale)
    copy.make_folders()
    notes = list(wanted.notes)
    for path in stale:
        try:
            kept[path] = copy.put(path, wanted.files[path])
        except FileNotFoundError:
            continue  # gone since it was listed
        except PermissionError as error:
            notes.append(f"not copied: {path}: {error.strerror}")
    if changed or stale or len(kept) != len(known):
        _write(manifest, Manifest(root=str(root), entries=kept))
    return Mirrored(len(kept), changed + len(stale), tuple(notes))


class _Copy:
    """The copy as it is on disk; only ever changed from here."""

    def __init__(self, tree: str, trash: str, folders: dict[str, int]) -> None:
        self._tree, self._trash = tree, trash
        #: Wanted folders and their modes; "" is the tree itself, others end in "/".
        self._wanted = folders
        self._missing = dict(folders)
        self.files: dict[str, tuple[int, int, int]] = {}
        self._extra: list[str] = []
        self._bytecode: list[str] = []

    def scan(self) -> None:
        """Look at everything there is; folders that nobody wants are not entered."""
        folders = [""]
        while folders:
            folder = folders.pop()
            del self._missing[folder]
            for entry in os.scandir(f"{self._tree}/{folder}"):
                path = folder + entry.name
                if not entry.is_dir(follow_symlinks=False):
                    self.files[path] = _signs(entry.stat(follow_symlinks=False))
                elif f"{path}/" in self._wanted:
                    self._mend(entry, self._wanted[f"{path}/"], 0o777)
                    folders.append(f"{path}/")
                elif entry.name == "__pycache__":
                    self._scan_bytecode(entry, path)
                else:
                    self._extra.append(path)

    def _scan_bytecode(self, cache: os.DirEntry[str], path: str) -> None:
        self._mend(cache, 0o700, 0o700)
        for entry in os.scandir(cache.path):
            is_bytecode = entry.name.endswith(".pyc") and entry.is_file(follow_symlinks=False)
            (self._bytecode if is_bytecode else self._extra).append(f"{path}/{entry.name}")

    @staticmethod
    def _mend(entry: os.DirEntry[str], mode: int, mask: int) -> None:
        now = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
        if now & mask != mode:
            Path(entry.path).chmod(now & ~mask | mode)

    def clean(self, wanted: dict[str, Source], stale: list[str]) -> int:
        """Remove what nobody wants and what will be copied anew; return how many were extra."""
        extra = self._extra + [path for path in self.files if path not in wanted]
        again = set(stale)
        for path in self._bytecode:
            source = _source_of(path)
            # A test may have compiled something else under the same size and mtime.
            if source not in wanted or source in again:
                extra.append(path)
        for path in (*extra, *(p for p in stale if p in self.files)):
            remove(f"{self._tree}/{path}", self._trash)
        return len(extra)

    def make_folders(self) -> None:
        """Make the wanted folders that are not there."""
        for folder in sorted(self._missing):
            path = Path(self._tree, folder)
            path.mkdir()
            path.chmod(self._missing[folder])

    def put(self, path: str, source: Source) -> Known:
        """Copy one file or make one link; return what to remember of it."""
        target = f"{self._tree}/{path}"
        if source.link is not None:
            Path(target).symlink_to(source.link)
            return Known(source=source, copy=_signs(os.lstat(target)))
        found = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _copy_bytes(found, made)
                os.fchmod(made, source.mode)
                os.utime(made, ns=(time.time_ns(), source.mtime))
                copy = _signs(os.fstat(made))
            finally:
                os.close(made)
        finally:
            os.close(found)
        if time.time_ns() - source.ctime < RACY:
            source = source._replace(ctime=0)
        return Known(source=source, copy=copy)


def _signs(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _source_of(bytecode: str) -> str:
    """Path of the source of "pkg/__pycache__/mod.cpython-312-pytest-8.3.5.pyc": "pkg/mod.py"."""
    folder, _, name = bytecode.rpartition("/")
    return f"{folder[: -len('__pycache__')]}{name.partition('.')[0]}.py"


def _copy_bytes(found: int, made: int) -> None:
    # In the kernel, and only a reference where the file system can (btrfs, XFS, APFS by fcopyfile).
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):
            while os.copy_file_range(found, made, 1 << 30):
                pass
    while data := os.read(found, 1 << 20):  # whatever that left, or all of it
        while data:
            data = data[os.write(made, data) :]


def _read(manifest: Path, root: str) -> dict[str, Known]:
    try:
        read = msgspec.json.decode(manifest.read_bytes(), type=Manifest)
    except durable.UNREADABLE:
        return {}
    return read.entries if read.root == root and read.format == FORMAT else {}


def _write(path: Path, manifest: Manifest) -> None:
    kept = {name: known for name, known in manifest.entries.items() if _is_text(name, known.source)}
    aside = path.with_suffix(".new")
    aside.write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, entries=kept)))
    aside.replace(path)


def _is_text(name: str, source: Source) -> bool:
    """Whether JSON can hold it; a file whose name is not UTF-8 is copied anew each time."""
    try:
        f"{name}{source.path}{source.link}".encode()
    except UnicodeEncodeError:
        return False
    return True
