"""The cell's lock: what it takes, what had to move from the cell before, and what blocks it.

`ladder.py` says in which order uv is asked, `asking.py` asks it, `lockstore.py` keeps the answers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from packaging.version import Version

from djhop import durable
from djhop.errors import InfraError
from djhop.resolve import attempts, blockers, ladder, locks, lockstore, proofs
from djhop.resolve.asking import Runs, Site, ask
from djhop.resolve.blockers import Blocker
from djhop.resolve.locks import Lock, Move, Unresolvable, diff, requirements_text
from djhop.resolve.request import Request, absolute, django, exempt, held, locals_of, replaced

if TYPE_CHECKING:
    from djhop.resolve.proofs import Failure

__all__ = [
    "Blocker",
    "Lock",
    "Move",
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
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Lock | Unresolvable:
    """Give the exact packages of a cell, starting from the lock of the cell before it.

    `cwd` is the target's root: relative paths and uv's own configuration are read from there.
    `max_age` is in seconds. A kept lock that is young enough (or whose request has a date) is
    returned without a process; `fresh` ignores it. When the index cannot be reached, a lock that
    is too old is used, and says so.

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
    site = Site(
        spawner=spawner,
        uv=uv,
        env=dict(uv_env),
        cwd=cwd,
        folder=path.parent,
        offline=offline,
        sleep=sleep,
        secrets=tuple(v for n, v in uv_env.items() if v and n.endswith("_PASSWORD")),
    )
    try:
        answer = _asked(request, previous, site, path.with_suffix(".log"))
    except InfraError as error:
        if kept is None or kept.lock is None:
            raise
        return _answer(kept, request, str(error).partition("\n")[0].rstrip(":"))
    # A lock that cannot be kept is as good as any; it is made again.
    with contextlib.suppress(InfraError):
        lockstore.keep(path, answer, now())
    return answer


def _asked(request: Request, previous: Lock | None, site: Site, log: Path) -> Lock | Unresolvable:
    """Climb in a scratch folder of its own.

    Raises:
        InfraError: as `resolve`; also where the cache cannot be written.
    """
    try:
        site.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".resolving-", dir=site.folder) as scratch:
            inside = dataclasses.replace(site, folder=Path(scratch))
            return _climb(request, previous, inside, log=log)
    except OSError as error:
        raise InfraError(f"cannot write the lock: {error}", hint="djhop doctor") from error


def _climb(
    request: Request, previous: Lock | None, site: Site, *, log: Path
) -> Lock | Unresolvable:
    climb = ladder.Climb(base=previous)
    for processes in range(1, MOST_PROCESSES):
        climb = msgspec.structs.replace(climb, processes=processes)
        attempt = attempts.build(request, climb.base, climb.stage)
        answer = ask(request, attempt, site)
        if isinstance(answer, Lock):
            if not climb.stage.without:
                return _finished(answer, climb, request)
            climb = ladder.after_rest(climb, answer, request)
            continue
        onward = None
        if answer.kind in {"conflict", "python", "build"}:
            onward = ladder.after_failure(climb, answer, request)
        if onward is None:
            return _unresolvable(answer, climb, request, log)
        climb = onward
    raise InfraError(f"no lock after {MOST_PROCESSES} attempts", hint="please report this project")


def _answer(kept: lockstore.Kept, request: Request, late: str) -> Lock | Unresolvable:
    if kept.lock is None:
        assert kept.unresolvable is not None
        return kept.unresolvable
    lock = lockstore.unmasked(kept.lock, (*request.requirements, *request.packages))
    if not late:
        return lock
    day = time.strftime("%Y-%m-%d", time.gmtime(kept.created))
    return locks.with_notes(lock, (f"{late}: this lock is of {day}",))


def _finished(lock: Lock, climb: ladder.Climb, request: Request) -> Lock:
    forced = climb.stage.forced
    return msgspec.structs.replace(
        lock,
        forced=forced,
        moves_why={name: why for name, why in climb.why.items() if name in lock.packages},
        blockers=tuple(_met(blocker, lock) for blocker in climb.blockers if forced),
        processes=climb.processes,
        notes=lock.notes + _notes(lock, climb, request),
    )


def _met(blocker: Blocker, lock: Lock) -> Blocker:
    version = lock.packages.get(blocker.package, blocker.version)
    return msgspec.structs.replace(blocker, version=version)


def _notes(lock: Lock, climb: ladder.Climb, request: Request) -> tuple[str, ...]:
    notes = []
    for text in replaced(request):
        notes.append(f"{text!r} of the project gives way to {django(request)!r}")
    for name in sorted(climb.why):
        notes.append(f"the project's own requirement on {name} was released: {climb.why[name]}")
    if climb.stage.everything:
        notes.append("many pins were in the way: all of them were released together")
    for blocker in climb.blockers:
        notes.append(f"forced: {_met(blocker, lock).reason}")
    if lock.django_release and Version(lock.django_release).is_prerelease:
        notes.append(f"Django {lock.django_release} is a pre-release: there is no final one yet")
    if "django" in exempt(request):
        notes.append(
            f"Django {request.django} is younger than {request.exclude_newer}: its date is free"
        )
    return tuple(proofs.mask(note) for note in notes)


def _unresolvable(
    failure: Failure, climb: ladder.Climb, request: Request, log: Path
) -> Unresolvable:
    if climb.build is not None and climb.build.package in failure.named | {failure.package}:
        # The proof says only that nothing else was left; the build is the reason.
        failure = climb.build
    durable.write(log, failure.text.encode())
    text = proofs.explain(failure, 40) if failure.kind == "build" else failure.text
    found = climb.blockers
    for wanted in ("django", "python"):
        known = {blocker.package for blocker in found}
        pins = held(request, climb.base)
        found += tuple(b for b in blockers.against(failure, wanted, pins) if b.package not in known)
    return Unresolvable(
        kind=failure.kind,
        reason=proofs.mask(_reason(failure, found, request)),
        blockers=found,
        text=text,
        log=str(log),
        processes=climb.processes,
    )


def _reason(failure: Failure, found: tuple[Blocker, ...], request: Request) -> str:
    match failure.kind:
        case "build":
            built = f"{failure.package} {failure.version}".strip()
            return f"{built} cannot be built on Python {request.python}"
        case "missing":
            where = "at its URL" if "Not Found" in failure.text else "on the index"
            return f"{failure.package} is not {where}"
        case "requirement":
            # uv breaks long lines, but its carets are always below the requirement.
            lines = [line.strip() for line in failure.text.splitlines() if line.strip()]
            carets = [n for n, line in enumerate(lines) if n > 1 and not line.strip("^")]
            said = reversed(lines[carets[0] - 2 : carets[0]] if carets else lines[:1])
            return f"a requirement cannot be read: {': '.join(said)}"
        case _:
            return _conflict(failure, found, request)


def _conflict(failure: Failure, found: tuple[Blocker, ...], request: Request) -> str:
    for edge in failure.edges:
        if edge.package == "django" and edge.needs == "python":
            return f"Django {request.django} requires Python{edge.constraint}, not {request.python}"
    gap = re.search(r"only (django[<>=!]\S*) is available", failure.text)
    if gap:
        return f"there is no release of Django {request.django} (only {gap[1]})"
    if found:
        return "; ".join(blocker.reason for blocker in found)
    return next((li for li in failure.text.splitlines() if "Because" in li), failure.text[:300])
