"""Where a run lands: a folder of its own, one that several share, or one that was cut short."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import filelock
import msgspec

import djhop
from djhop import durable
from djhop.errors import Interrupted, UsageError
from djhop.results.results import CellResult
from djhop.store import record, store
from djhop.store.store import RunFolder
from djhop.target.target import Target
from djhop.workspace import outside, sources

#: Seconds between two looks at whether another djhop is done with a cell.
PAUSE = 0.2
#: A cell with one of these has shown something wrong with the target.
RED = frozenset({"failed", "uncollectable", "crashed", "timed-out", "no-tests"})
#: What a resumed run keeps of the run before: everything that is a finding about the target.
KEPT = RED | {"passed", "deprecated", "unresolvable", "uninstallable"}


def inputs(target: Target, files: Iterable[str], args: tuple[str, ...]) -> str:
    """Stand for what a cell's result depends on, beside the matrix and the packages.

    Cells of two runs go together only where this is equal.
    """
    digest = hashlib.sha256(repr((djhop.__version__, args)).encode())
    digest.update(repr((target.requirements, target.constraints)).encode())
    digest.update(outside.contents(target.requirements).encode())
    root, listed = Path(target.root), tuple(files)
    every = [(name, root / name) for name in listed]
    for name, path in (*every, *((n, Path(p)) for n, p in sources.behind(root, listed))):
        with contextlib.suppress(OSError):
            sign = path.lstat()
            digest.update(f"{name}\0{sign.st_size}\0{sign.st_mtime_ns}\0".encode(errors="replace"))
    return digest.hexdigest()[:20]


def begin(
    out: Path,
    begun: record.Run,
    *,
    now: datetime.datetime,
    hold: contextlib.ExitStack | None = None,
) -> RunFolder:
    """Make the folder of a new run in `out` and point `latest` at it.

    As long as `hold` is open nobody resumes it.
    """
    folder = store.create(out, begun.name, now=now)
    if hold:
        _taken(folder.path, hold)
    _write(folder, begun)
    return folder


def resume(
    out: Path, begun: record.Run, hold: contextlib.ExitStack
) -> tuple[RunFolder, dict[str, CellResult]] | None:
    """Take up the newest run in `out` and what it found; it is ours as long as `hold` is open.

    None where it is complete, differs, or somebody is still at work on it.
    """
    # What several share has a name without a date, and is never cut short for good.
    folders = [one for one in store.runs(out) if one.name[0].isdigit()]
    if not folders or not _same(folders[-1], begun):
        return None
    if not _taken(folders[-1].path, hold) or folders[-1].read_run().complete:
        return None
    found = dict(folders[-1].results())
    return folders[-1], {name: cell for name, cell in found.items() if cell.status in KEPT}


def join(path: Path, begun: record.Run) -> RunFolder:
    """Add to a folder that others add to; begin it anew where what is in it differs."""
    durable.make(path)
    folder = RunFolder(path)
    with alone(folder):
        if not _same(folder, begun):
            shutil.rmtree(folder.cells, ignore_errors=True)
            shutil.rmtree(folder.path / "hops", ignore_errors=True)
            _write(folder, begun)
        store.mark_latest(folder)
    return folder


@contextlib.contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """No other djhop writes this folder's run.json meanwhile."""
    with filelock.FileLock(folder.path / ".lock"):
        yield


def own(
    folder: RunFolder, cell: str, hold: contextlib.ExitStack, interrupted: Callable[[], bool]
) -> None:
    """Have a cell of a folder that others add to for ourselves as long as `hold` is open.

    It waits as long as another djhop is at work on the same cell.

    Raises:
        Interrupted: we were asked to stop meanwhile.
        InfraError: its folder cannot be made.
    """
    path = folder.cell(cell).path
    durable.make(path)
    while not _taken(path, hold):
        if interrupted():
            raise Interrupted(f"interrupted while another djhop is at work on {cell}")
        time.sleep(PAUSE)


def _taken(path: Path, hold: contextlib.ExitStack) -> bool:
    """Hold a folder as long as `hold` is open, if nobody does; a djhop that is killed lets go."""
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return False
    except OSError:  # a file system without locks
        pass
    hold.callback(os.close, held)
    return True


def _write(folder: RunFolder, begun: record.Run) -> None:
    # Whatever this folder is in, git is not to see it.
    durable.write(folder.path / ".gitignore", b"*\n")
    folder.write_run(msgspec.structs.replace(begun, name=folder.name))
    store.mark_latest(folder)


def _same(folder: RunFolder, begun: record.Run) -> bool:
    """Whether the run there is of the same target, as it is now, the same matrix and plan."""
    try:
        run = folder.read_run()
    except UsageError:
        return False
    names = ("plan", "matrix", "inputs")
    same = all(getattr(run, name) == getattr(begun, name) for name in names)
    return same and run.target.root == begun.target.root
