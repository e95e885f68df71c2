"""The cell's lock: what it takes, what had to move from the cell before, and what blocks it.

`ladder.py` says in which order uv is asked, `smallest.py` makes the steps small, `whys.py` finds
their reasons, `openings.py` the way out of a blocker, `asking.py` asks, `lockstore.py` keeps the
answers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from djhop import durable, scratch
from djhop.errors import InfraError
from djhop.resolve import attempts, ladder, locks, lockstore, openings, outcome
from djhop.resolve.asking import PAUSES, Asking, Runs, Site
from djhop.resolve.blockers import Blocker
from djhop.resolve.locks import Lock, Unresolvable, requirements_text
from djhop.resolve.moves import Move, diff
from djhop.resolve.request import Request, absolute, locals_of
from djhop.resolve.smallest import smallest
from djhop.resolve.unmoved import Pace, unmoved
from djhop.resolve.whys import whys

if TYPE_CHECKING:
    from djhop.resolve.proofs import Failure

__all__ = [
    "Blocker",
    "Lock",
    "Move",
    "Pace",
    "Request",
    "Unresolvable",
    "diff",
    "requirements_text",
    "resolve",
]

#: Seconds a kept lock is used without asking: nightly runs see new patch releases.
MAX_AGE = 24 * 3600.0
#: No project needs so many; a guard against proofs that lead in circles.
MOST_PROCESSES = 60


def resolve(
    request: Request,
    *,
    previous: Lock | None,
    cache: Path,
    spawner: Runs,
    uv: str,
    uv_env: Mapping[str, str],
    cwd: str,
    fresh: bool = False,
    offline: bool = False,
    uv_version: str = "",
    max_age: float = MAX_AGE,
    pace: Pace | None = None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Lock | Unresolvable:
    """Give the exact packages of a cell, starting from the lock of the cell before it.

    `cwd` is the target's root: relative paths and uv's own configuration are read from there.
    `max_age` is in seconds. A kept lock that is young enough (or whose request has a date) is
    returned without a process; `fresh` ignores it. When the index cannot be reached, a lock that
    is too old is used, and says so. The cells of one djhop share a `pace`: with it, locks in which
    nothing moves but Django are made faster where the index is slow.

    Raises:
        InfraError: the index does not answer or refuses the credentials, uv cannot run, or
            `offline` and the cache lacks something.
        Interrupted: djhop was asked to stop.
    """
    request = absolute(request, cwd)
    key = lockstore.cache_key(request, previous, uv_version=uv_version, env=uv_env, cwd=cwd)
    path = cache / "locks" / f"{key}.json"
    kept = None if fresh or locals_of(request) else lockstore.load(path)
    young = kept is not None and (request.exclude_newer or 0 <= now() - kept.created < max_age)
    if kept is not None and (young or (offline and kept.lock)):
        return _answer(kept, request, "" if young else "offline")
    pace = pace or Pace()
    site = Site(
        spawner=spawner,
        uv=uv,
        # An index that was silent for one cell is not waited for as long again for the next.
        env={**uv_env, **({"UV_HTTP_RETRIES": "0"} if pace.silent else {})},
        pauses=() if pace.silent else PAUSES,
        cwd=cwd,
        folder=path.parent,
        offline=offline,
        sleep=sleep,
    )
    try:
        answer = _asked(request, previous, site, path.with_suffix(".log"), pace)
        pace.silent = False
    except InfraError as error:
        pace.silent = True
        if kept is None or kept.lock is None:
            raise
        return _answer(kept, request, str(error).partition("\n")[0].rstrip(":"))
    # A lock that cannot be kept is as good as any; it is made again.
    with contextlib.suppress(InfraError):
        lockstore.keep(path, answer, now())
    return answer


def _asked(
    request: Request, previous: Lock | None, site: Site, log: Path, pace: Pace
) -> Lock | Unresolvable:
    """Climb in a scratch folder of its own.

    Raises:
        InfraError: as `resolve`; also where the cache cannot be written.
    """
    try:
        site.folder.mkdir(parents=True, exist_ok=True)
        with scratch.folder(site.folder, ".resolving-") as inner:
            inside = dataclasses.replace(site, folder=inner)
            ask = Asking(request, inside)
            if pace.slow and (lock := _unmoved(request, previous, inside, ask)):
                return lock
            return _climb(request, previous, ask, log=log, pace=pace)
    except OSError as error:
        raise InfraError(f"cannot write the lock: {error}", hint="djhop doctor") from error


def _unmoved(request: Request, previous: Lock | None, site: Site, ask: Asking) -> Lock | None:
    at_hand = Asking(request, dataclasses.replace(site, offline=True))
    found = None if site.offline else unmoved(request, previous, ask, at_hand)
    ask.processes += at_hand.processes
    if found is None:
        return None
    lock = outcome.finished(found, ladder.Climb(base=previous), request, previous)
    return msgspec.structs.replace(lock, processes=ask.processes)


def _climb(
    request: Request, previous: Lock | None, ask: Asking, *, log: Path, pace: Pace
) -> Lock | Unresolvable:
    climb = ladder.Climb(base=previous)
    rest: Lock | None = None
    for _ in range(MOST_PROCESSES):
        answer = ask(attempts.build(request, climb.base, climb.stage))
        pace.seconds = max(pace.seconds, ask.slowest)
        if isinstance(answer, Lock):
            answer = smallest(request, climb.base, climb.stage, answer, ask)
            if not climb.stage.without:
                answer = _with_blockers(answer, climb, rest, request, ask)
                climb = _with_whys(answer, climb, request, previous, ask)
                lock = outcome.finished(answer, climb, request, previous)
                return msgspec.structs.replace(lock, processes=ask.processes)
            rest, climb = answer, ladder.after_rest(climb, answer, request)
            continue
        onward = None
        if answer.kind in {"conflict", "python", "build"}:
            onward = ladder.after_failure(climb, answer, request)
        if onward is None:
            return _unresolvable(answer, climb, request, log, ask)
        climb = onward
    raise InfraError(f"no lock after {MOST_PROCESSES} attempts", hint="please report this project")


def _with_whys(
    lock: Lock, climb: ladder.Climb, request: Request, previous: Lock | None, ask: Asking
) -> ladder.Climb:
    try:
        more = whys(request, previous, lock, climb.why, ask.at_hand)
    except InfraError:  # the lock is as good without
        return climb
    return msgspec.structs.replace(climb, why={**more, **climb.why})


def _with_blockers(
    lock: Lock, climb: ladder.Climb, rest: Lock | None, request: Request, ask: Asking
) -> Lock:
    if not climb.stage.forced:
        return lock
    found = climb.blockers + openings.hidden(lock, rest, climb.blockers, request, ask)
    found = openings.opened(openings.met(lock, found, request), lock.django_release, request, ask)
    return msgspec.structs.replace(lock, blockers=found)


def _unresolvable(
    failure: Failure, climb: ladder.Climb, request: Request, log: Path, ask: Asking
) -> Unresolvable:
    if climb.build is not None and climb.build.package in failure.named | {failure.package}:
        # The proof says only that nothing else was left; the build is the reason.
        failure = climb.build
    durable.write(log, failure.text.encode())
    found = outcome.blocking(failure, climb, request)
    # Where there is no such Django on this Python, no release of anything would help.
    if failure.kind in {"conflict", "python"} and not any(
        edge.package == "django" for edge in failure.edges
    ):
        found = openings.opened(found, "", request, ask)
    return outcome.unresolvable(
        failure, request, found=found, log=str(log), processes=ask.processes
    )


def _answer(kept: lockstore.Kept, request: Request, late: str) -> Lock | Unresolvable:
    if kept.lock is None:
        assert kept.unresolvable is not None
        return kept.unresolvable
    lock = lockstore.unmasked(kept.lock, (*request.requirements, *request.packages))
    if not late:
        return lock
    day = time.strftime("%Y-%m-%d", time.gmtime(kept.created))
    return locks.with_notes(lock, (f"{late}: this lock is of {day}",))
