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
#: Where files are written aside: in the cache, and in the folder of the runs.
CACHE = (".*", "*/.*", "envs/*/.*")
RUNS = (".*", "*/.*", "*/cells/*/.*", "*/hops/*/.*")
#: A file written aside: ".run.json.PID-THREAD".
ASIDE = re.compile(r"\..+\.(\d+)(-\d+)?")
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
    for top, patterns in ((cache, CACHE), (runs, RUNS)):
        for path in itertools.chain.from_iterable(map(top.glob, patterns)):
            owner = ASIDE.fullmatch(path.name)
            # A pid says nothing of a djhop in another container: it is not so slow.
            if owner and _age(path) > FRESH and identity(int(owner[1])) is None:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
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
