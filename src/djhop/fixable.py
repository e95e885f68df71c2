"""Which hops and causes of a run are to be repaired, and which of its fixes is applied; pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from djhop.compare.compare import HopResult
from djhop.errors import UsageError, did_you_mean
from djhop.fixes.proof import Fix
from djhop.store.record import Run


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be repaired: a hop, and the causes on it."""

    #: Name of the fix.
    id: str
    hop: HopResult
    causes: tuple[str, ...]


def wanted(run: Run, *, cause: str = "", hop: str = "") -> tuple[Wanted, ...]:
    """Choose what to repair: one cause, one hop, or every hop of the run that breaks.

    A hop beside the path is left out where the path's own hops have all of its causes.

    Raises:
        UsageError: there is no such cause or hop, or it breaks nothing.
    """
    hops = [one for one in run.hops if one.verdict == "breaks" and one.causes]
    hops.sort(key=lambda one: not one.on_path)
    if hop:
        hops = [_hop(run, hops, hop)]
    if cause:
        return (_cause(run, hops, cause),)
    chosen: list[Wanted] = []
    done: set[str] = set()
    for one in hops:
        if not set(one.causes) <= done:
            chosen.append(Wanted(id=one.id, hop=one, causes=one.causes))
            done |= set(one.causes)
    return tuple(chosen)


def _hop(run: Run, hops: list[HopResult], named: str) -> HopResult:
    for one in hops:
        if one.id == named:
            return one
    known = [one.id for one in run.hops]
    if named in known:
        raise UsageError(f"{named} does not break for a cause that is known", hint="djhop report")
    raise UsageError(f"no hop {named!r} in {run.name}", hint=_close(named, known))


def _cause(run: Run, hops: list[HopResult], named: str) -> Wanted:
    known = [one.id for one in run.causes]
    found = [name for name in known if name.startswith(named)]
    if len(found) != 1:
        several = f"{named!r} may be {len(found)} causes" if found else f"no cause {named!r}"
        raise UsageError(f"{several} in {run.name}", hint=_close(named, known))
    for one in hops:
        if found[0] in one.causes:
            return Wanted(id=found[0], hop=one, causes=(found[0],))
    raise UsageError(f"the cause {found[0]} breaks no hop", hint="djhop report")


def _close(named: str, known: Iterable[str]) -> str:
    names = list(known)
    return did_you_mean(named, names) or f"known: {', '.join(names[:8]) or 'none'}"


def to_write(run: Run, *, cause: str = "", hop: str = "") -> Fix:
    """Choose the fix whose patch is to be applied.

    Raises:
        UsageError: there is none, there are several, or it repairs nothing.
    """
    tried = "djhop fix --try"
    fixes = [
        one for one in run.fixes if one.id.startswith(cause) and (cause or not hop or one.id == hop)
    ]
    if not fixes:
        raise UsageError(f"no fix was tried in {run.name}", hint=tried)
    good = [one for one in fixes if any(cause.repaired for cause in one.causes)]
    if not good:
        raise UsageError("what was tried repairs nothing: nothing was changed", hint="djhop report")
    if len(good) > 1:
        names = " or ".join(f"--{'hop' if one.id == one.hop else 'cause'} {one.id}" for one in good)
        raise UsageError(f"there are {len(good)} fixes", hint=names)
    return good[0]
