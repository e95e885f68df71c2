"""What is only there for a moment: named and locked so that the next djhop can tell whose it is."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from djhop.processes.identity import identity

#: Scratch folders in the cache; what is in them may name indexes with their credentials.
FOLDERS = ("locks/.resolving-*", "locks/.bisecting-*", "deps/.asking-*")
#: Where files, and folders, are written aside in the cache: ".run.json.PID-THREAD".
CACHE = (".*", "*/.*", "envs/*/.*")
ASIDE = re.compile(r"\..+\.(\d+)(-\d+)?")
#: Folders of a run in which files are written aside; below "" is the run itself.
RUN = ("", "cells/*", "hops/*")
#: How a run's folder is called, as `store.create` has it.
DATED = "[0-9]" * 8 + "-" + "[0-9]" * 6 + "*"
#: What is written aside in a run's folder, and beside it. Runs may land among files of anybody:
#: ".venv-3.12" and ".coverage.host.412.1234" are none of ours.
IN_RUN = re.compile(r"\..+\.(\d+)-\d{6,}")
BESIDE = re.compile(r"\.latest\.(\d+)(?:-\d{6,})?")
#: Seconds in which something may be that has just been made, and is not locked yet.
FRESH = 2.0
#: Seconds without a change after which a scratch folder is nobody's, where nothing can be locked:
#: a try of uv, which writes there before and after, may take half an hour.
ABANDONED = 2 * 3600.0


@contextlib.contextmanager
def folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder in `parent` for as long as the context lasts; `prefix` is one of `FOLDERS`.

    Raises:
        OSError: it cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as path:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # The system lets go of it where djhop is killed.
            with contextlib.suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_SH)
            yield Path(path)
        finally:
            os.close(held)


def sweep(cache: Path, runs: Path) -> None:
    """Remove what a killed djhop has left in the cache and in `runs`, and nothing of a live one."""
    for path in itertools.chain.from_iterable(map(cache.glob, FOLDERS)):
        if (age := _age(path)) > FRESH and _free(path, age):
            shutil.rmtree(path, ignore_errors=True)
    for path in itertools.chain.from_iterable(map(cache.glob, CACHE)):
        if _of_nobody(path, ASIDE):
            _remove(path)
    beside = ((path, BESIDE) for path in runs.glob(".latest.*"))
    for path, named in itertools.chain(beside, ((path, IN_RUN) for path in _in_runs(runs))):
        if _of_nobody(path, named) and not _is_folder(path):
            _remove(path)


def _in_runs(runs: Path) -> Iterator[Path]:
    """Yield what is hidden in the folders of runs, and in no other."""
    # A run that several share has a name of its own.
    found = {*runs.glob(DATED), *(path.parent for path in runs.glob("*/run.json"))}
    for folder in sorted(path for path in found if not path.is_symlink()):
        for below in RUN:
            yield from folder.glob(f"{below}/.*" if below else ".*")


def _of_nobody(path: Path, named: re.Pattern[str]) -> bool:
    """Whether a djhop that is gone has written this aside."""
    owner = named.fullmatch(path.name)
    # A pid says nothing of a djhop in another container: it is not so slow.
    return bool(owner and _age(path) > FRESH and identity(int(owner[1])) is None)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    if _is_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Seconds since the last change; 0 where there is nothing any more."""
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0


def _free(path: Path, age: float) -> bool:
    """Whether nobody holds a scratch folder."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return age > ABANDONED
    finally:
        os.close(held)
    return True
