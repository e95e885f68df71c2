"""What somebody saves while a hop is watched, and what is run for it."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from djhop.compare.changes import kind, plainly, suite
from djhop.results.results import CellResult
from djhop.suites import selecting
from djhop.target.target import Suite

#: Seconds between two looks at the files; after a change, as long as nothing changes any more.
PAUSE = 0.3
#: Looks between two lists of the files: git makes them.
LISTED = 7
#: What editors put beside a file while they save it.
NOISE = ("*~", "*.swp", "*.swx", "*.tmp", ".#*", "#*#", "4913", "*.pyc")
#: Tests that are named on a command line at most; of more, all are run.
MOST = 100

#: File → (mtime in ns, size).
Snapshot = Mapping[str, tuple[int, int]]


def snapshot(root: Path, names: Iterable[str]) -> Snapshot:
    """Look at files, as `visible.files` lists them; what is not there is left out."""
    found: dict[str, tuple[int, int]] = {}
    for name in names:
        last = name.rstrip("/").rpartition("/")[2]
        if any(fnmatch.fnmatchcase(last, pattern) for pattern in NOISE):
            continue
        try:
            sign = os.lstat(root / name)
        except OSError:
            continue
        if not name.endswith("/"):
            found[name] = (sign.st_mtime_ns, sign.st_size)
    return found


def changed(before: Snapshot, now: Snapshot) -> tuple[str, ...]:
    """Name what was changed, made or removed."""
    return tuple(sorted(n for n in {*before, *now} if before.get(n) != now.get(n)))


def wait(
    root: Path,
    seen: Snapshot,
    names: Callable[[], Iterable[str]],
    sleep: Callable[[float], None],
) -> tuple[str, ...]:
    """Wait until something differs from `seen` and nothing changes any more; name what it is.

    `names` lists the files of the target anew; `sleep` waits that many seconds.
    """
    listed, looks, last = tuple(seen), 0, seen
    while True:
        sleep(PAUSE)
        looks += 1
        if looks % LISTED == 0 or last != seen:
            listed = tuple(names())
        now = snapshot(root, {*listed, *seen})
        if now == last and now != seen:
            return changed(seen, now)
        last = now


def red(after: CellResult) -> tuple[str, ...]:
    """Ids of the tests that fail after the hop, in the order of the suite."""
    return tuple(test.id for test in suite(after) if kind(plainly(test)) == "failed")


def narrowed(ran: Suite, args: tuple[str, ...], after: CellResult) -> tuple[str, ...]:
    """What goes to the suite so that only what failed is run; `args` where that cannot be said."""
    names = red(after)
    elsewhere = ran.working_directory not in ("", ".")
    if not names or len(names) > MOST or elsewhere or selecting.unable(ran):
        return args
    if any(kind(test.plain) == "failed" for test in after.tests if test.id not in names):
        return args  # a module that cannot be loaded: which tests it has is not known
    return (*selecting.without_tests(ran, args)[1], *names)
