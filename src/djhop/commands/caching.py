"""`djhop cache`: what lies in the folder that is kept between runs, and making room there."""

from __future__ import annotations

import time

from djhop import locate, terminal
from djhop.caching import pruning
from djhop.caching.entries import entries
from djhop.caching.pruning import Pruned
from djhop.errors import ExitCode, UsageError
from djhop.reports import cache as told
from djhop.reports.json import indented


def show(*, as_json: bool) -> int:
    """`djhop cache`: what lies where, and how large it is."""
    found = tuple(entries(locate.cache()))
    shown = told.shown(str(locate.cache()), found, time.time())
    terminal.show(indented(found) if as_json else shown)
    return ExitCode.OK


def prune(keep: int | None, older: float | None, *, dry_run: bool, as_json: bool) -> int:
    """`djhop cache prune`: remove what is not in use, the longest unused first."""
    if keep is None and older is None:
        raise UsageError("what may go?", hint="djhop cache prune --keep 5G, or --older 30d")
    now = time.time()
    found = tuple(entries(locate.cache()))
    chosen = pruning.chosen(found, keep=keep, older=older, now=now)
    done = Pruned(removed=tuple(chosen)) if dry_run else pruning.prune(chosen)
    terminal.show(indented(done) if as_json else told.pruned(done, dry=dry_run))
    return ExitCode.INCOMPLETE if done.failed else ExitCode.OK
