"""A store of bytecode: a new environment starts with what earlier ones have compiled.

uv links installed files to its cache, so the same wheel has the same sources, with the same mtimes,
in every environment; and so the same valid bytecode (PEP 552, timestamp). Files are shared by hard
links: Python never writes into a `.pyc`, it replaces it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import filelock
import msgspec

from djhop import durable

#: The last two words of a pyc's head, mtime and size of its source, little-endian, 4 bytes each.
#: PEP 552 put flags before them: the head has 16 bytes since Python 3.7, 12 before.
MASK = 0xFFFFFFFF
STATE = "bytecode.json"
#: Path of a pyc in site-packages → mtime and size of its source.
Index = dict[str, tuple[int, int]]


class Dist(NamedTuple):
    """An installed distribution: its name in the store, and its sources."""

    name: str
    sources: tuple[str, ...]


def seed(site_packages: Path, store: Path) -> int:
    """Give a new environment the store's bytecode for what it has installed; return how many."""
    given = 0
    for dist in dists(site_packages):
        held = store / dist.name
        for path, (mtime, size) in _read_index(held / "index.json").items():
            source = site_packages / _source_of(path)
            if _agrees(source, mtime, size) and _link(held / path, site_packages / path):
                given += 1
    return given


def harvest(site_packages: Path, store: Path, state: Path) -> int:
    """Take into the store what was compiled in an environment and is not there yet.

    `state` remembers what was looked at: where nothing was compiled since, that is all it costs.
    Returns how many files were taken; none where another process is at it.
    """
    seen = _read_times(state)
    if seen and seen == _times(site_packages, seen):
        return 0
    store.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(store / "lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return 0
    try:
        found = list(dists(site_packages))
        folders = {_folder_of(source) for dist in found for source in dist.sources}
        now = _times(site_packages, dict.fromkeys(folders, 0))
        new = {folder for folder in folders if now[folder] != seen.get(folder, 0)}
        taken = sum(_take(site_packages, store / dist.name, dist, new) for dist in found)
        _write(state, now)
    finally:
        lock.release()
    return taken


def _take(site_packages: Path, held: Path, dist: Dist, folders: set[str]) -> int:
    sources = set(dist.sources)
    index = _read_index(held / "index.json")
    taken = 0
    for folder in {_folder_of(source) for source in dist.sources} & folders:
        for name in _names(site_packages / folder):
            path = f"{folder}/{name}"
            # pytest's own are not corrected on loading: they name the files of another environment.
            if _source_of(path) not in sources or "-pytest-" in name:
                continue
            head = _head(site_packages / path)
            if head is None or index.get(path) == head:
                continue
            if _agrees(site_packages / _source_of(path), *head) and _link(
                site_packages / path, held / path
            ):
                index[path] = head
                taken += 1
    if taken:
        _write(held / "index.json", index)
    return taken


def dists(site_packages: Path) -> Iterator[Dist]:
    """Every distribution installed in a site-packages folder."""
    for record in sorted(site_packages.glob("*.dist-info/RECORD")):
        lines = sorted(
            line
            for line in record.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            if ".py," in line and line.partition(",")[0].endswith(".py")
        )
        # The sources' hashes and sizes: the same name means the same content.
        digest = hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
        sources = tuple(line.partition(",")[0] for line in lines)
        yield Dist(
            f"{record.parent.stem}-{digest[:16]}",
            tuple(s for s in sources if not s.startswith(("..", "/"))),
        )


def _agrees(source: Path, mtime: int, size: int) -> bool:
    """Whether the source is what the bytecode was made from."""
    try:
        status = source.stat()
    except OSError:
        return False
    if status.st_size & MASK != size:
        return False
    if int(status.st_mtime) & MASK == mtime:
        return True
    if status.st_nlink > 1:
        return False
    # uv had to copy (another file system): the content is the same, the mtime of no meaning.
    os.utime(source, (mtime, mtime))
    return True


def _head(pyc: Path) -> tuple[int, int] | None:
    """Mtime and size of the source as a pyc remembers them; None where it goes by a hash."""
    try:
        with pyc.open("rb") as file:
            head = file.read(16)
    except OSError:
        return None
    # Magic numbers of CPython 3.6 are 3360 to 3379.
    words = [int.from_bytes(head[at : at + 4], "little") for at in (4, 8, 12)]
    if int.from_bytes(head[:2], "little") < 3390:
        return words[0], words[1]
    return None if words[0] or len(head) < 16 else (words[1], words[2])


def _link(found: Path, made: Path) -> bool:
    """Give a file a second name, or a copy; in one step, so that none is ever half there."""
    aside = made.with_name(f".{os.getpid()}-{made.name}")
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.hardlink_to(found)
        except FileNotFoundError:
            return False
        except OSError:  # another file system, or too many names
            shutil.copyfile(found, aside)
        aside.replace(made)
        # Of two names of one file rename(2) removes none.
        aside.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _times(site_packages: Path, folders: dict[str, int]) -> dict[str, int]:
    times = dict.fromkeys(folders, 0)
    for folder in folders:
        with contextlib.suppress(OSError):
            times[folder] = os.stat(f"{site_packages}/{folder}").st_mtime_ns  # noqa: PTH116
    return times


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if path.suffix == ".pyc"]
    except OSError:
        return []


def _folder_of(source: str) -> str:
    return f"{source[: source.rfind('/') + 1]}__pycache__"


def _source_of(pyc: str) -> str:
    folder, _, name = pyc.rpartition("/")
    return f"{folder[: -len('__pycache__')]}{name.partition('.')[0]}.py"


def _read_index(path: Path) -> Index:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Index)
    except durable.UNREADABLE:
        return {}


def _read_times(path: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except durable.UNREADABLE:
        return {}


def _write(path: Path, value: object) -> None:
    with contextlib.suppress(OSError):  # the next one does it again
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_bytes(msgspec.json.encode(value))
        aside.replace(path)
