"""Results of cells that are kept to be shown again: `<cache>/results/<name>`."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import msgspec

from djhop import durable
from djhop.errors import DjhopError
from djhop.results import results
from djhop.results.results import CellResult

#: Results that are kept, and for how many seconds: the world outside of the key moves on.
MOST, LONGEST = 200, 7 * 24 * 3600.0
#: What is told of a result that was not run just now begins so.
FROM = "from the cache, of "
RESULT = "result.json"


def worth(result: CellResult) -> bool:
    """Whether a result may stand for another run: a red or a flaky one never does."""
    return result.status in ("passed", "deprecated") and not any(t.flaky for t in result.tests)


def keep(cache: Path, name: str, result: CellResult, folder: Path) -> None:
    """Keep a result and the files of its cell; where that cannot be done, nothing is kept."""
    home = cache / "results"
    aside = home / f".{name}.{os.getpid()}"
    try:
        durable.make(home)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(folder, aside / "cell", symlinks=True)
        durable.write(aside / RESULT, durable.encode(result))
        shutil.rmtree(home / name, ignore_errors=True)
        aside.rename(home / name)
    except (OSError, DjhopError):
        shutil.rmtree(aside, ignore_errors=True)
    sweep(home)


def take(cache: Path, name: str, folder: Path) -> CellResult | None:
    """Return what is kept under a name, its files in `folder`; None where there is nothing.

    A note of the result says when it was run; it took no seconds now.
    """
    kept = cache / "results" / name
    try:
        made = (kept / RESULT).stat().st_mtime
        if not 0 <= time.time() - made < LONGEST:
            return None
        found = durable.read(kept / RESULT, CellResult, results.FORMAT)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept / "cell", folder, symlinks=True)
    except (OSError, DjhopError):  # damaged, of another djhop, or just removed
        shutil.rmtree(folder, ignore_errors=True)  # half of it is not to stand beside a new run
        return None
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(made))
    note = f"{FROM}{when}: nothing that it depends on has changed (--fresh runs it)"
    return msgspec.structs.replace(found, notes=(*found.notes, note), seconds={})


def sweep(home: Path) -> None:
    """Remove what is too old, and all but the latest."""
    now, found = time.time(), []
    for path in home.glob("*"):
        with contextlib.suppress(OSError):  # another djhop was faster
            found.append((path.stat().st_mtime, path))
    found.sort(reverse=True)
    for number, (made, path) in enumerate(found):
        half = path.name.startswith(".") and now - made > 3600
        if number >= MOST or now - made > LONGEST or half:
            shutil.rmtree(path, ignore_errors=True)
