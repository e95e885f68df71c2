"""Which entries of the cache may go, and their removal: never what somebody uses."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock
import msgspec

from djhop.caching.entries import Entry, entries
from djhop.environments import building
from djhop.errors import InfraError
from djhop.workspace.removal import remove

#: Seconds in which something may be about to be used, and is not locked yet.
FRESH = 3600.0


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, or would be."""

    removed: tuple[Entry, ...] = ()
    #: Were to go, and are in use.
    in_use: tuple[Entry, ...] = ()
    #: Why something could not be removed.
    failed: tuple[str, ...] = ()


def chosen(
    found: Sequence[Entry], *, keep: int | None, older: float | None, now: float
) -> list[Entry]:
    """Return what is to go, the longest unused first.

    Args:
        keep: bytes that may stay in all; None: as many as there are.
        older: seconds after which what was not used goes, however little it is; None: never.
        now: seconds since 1970.
    """
    total = sum(one.bytes for one in found)
    gone = []
    for one in sorted(found, key=lambda one: one.used):
        unused = now - one.used
        if one.guard == "never" or unused < FRESH:
            continue
        if (older is not None and unused > older) or (keep is not None and total > keep):
            gone.append(one)
            total -= one.bytes
    return gone


def prune(going: Sequence[Entry]) -> Pruned:
    """Remove entries, one after the other; those in use stay."""
    removed, in_use, failed = [], [], []
    for one in going:
        with _alone(one) as free:
            if not free:
                in_use.append(one)
                continue
            try:
                _remove(Path(one.path))
                removed.append(one)
            except InfraError as error:
                failed.append(str(error))
    return Pruned(removed=tuple(removed), in_use=tuple(in_use), failed=tuple(failed))


def make_room(cache: Path, keep: int, now: float) -> tuple[Entry, ...]:
    """Remove what is not in use until `keep` bytes are left; return what went."""
    return prune(chosen([*entries(cache)], keep=keep, older=None, now=now)).removed


def _remove(path: Path) -> None:
    """Take it away in one step, so that nobody finds half of it."""
    trash = path.with_name(f".trash-{path.name}-{os.getpid()}")
    try:
        path.rename(trash)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InfraError(f"cannot remove {path}: {error.strerror}") from error
    remove(trash, trash.with_name(f"{trash.name}-deep"))
    remove(trash.with_name(f"{trash.name}-deep"), trash)


@contextlib.contextmanager
def _alone(one: Entry) -> Iterator[bool]:
    """Hold an entry, if nobody makes or uses it now; whether that is so."""
    path = Path(one.path)
    if one.guard == "age":
        yield True
        return
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        yield False
        return
    try:
        if one.guard == "environment":
            with building.unused(path) as free:
                yield free
        else:
            yield True
    finally:
        lock.release()
