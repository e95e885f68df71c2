"""What lies in the cache, and what was removed of it, as text."""

from __future__ import annotations

from collections.abc import Sequence

from djhop.caching.entries import KINDS, Entry
from djhop.caching.pruning import Pruned
from djhop.reports.clean import inert, one_line
from djhop.reports.signs import number

DAY = 86400.0


def shown(cache: str, found: Sequence[Entry], now: float) -> str:
    """Return what lies where, how large it is, and when it was last used."""
    total = sum(one.bytes for one in found)
    rows = [f"{one_line(cache, 300)}: {size(total)}", ""]
    for kind in KINDS:
        of_it = [one for one in found if one.kind == kind.name]
        if of_it:
            held = size(sum(one.bytes for one in of_it))
            oldest = (now - min(one.used for one in of_it)) / DAY
            unused = (
                f"unused for up to {number(int(oldest), 'day')}" if oldest >= 1 else "used today"
            )
            stays = "stays" if kind.guard == "never" else unused
            rows.append(f"  {kind.name:<11}{held:>9}  {len(of_it):>5,}  {kind.what}, {stays}")
    return inert("\n".join(rows))


def pruned(done: Pruned, *, dry: bool) -> str:
    """Return what was removed, or would be."""
    gone = size(sum(one.bytes for one in done.removed))
    verb = "would be removed" if dry else "removed"
    rows = [f"  {size(one.bytes):>9}  {one_line(one.path, 300)}" for one in done.removed]
    rows.append(f"{number(len(done.removed), 'entry', 'entries')} {verb}, {gone}")
    if done.in_use:
        rows.append(f"{number(len(done.in_use), 'entry', 'entries')} kept: in use")
    rows += [one_line(why, 300) for why in done.failed]
    return inert("\n".join(rows))


def size(amount: int) -> str:
    """Say how much it is: "312 MB"."""
    value = float(amount)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
