"""Puts together what `djhop deps` says of a path, hop by hop; runs no test."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping

import msgspec
from packaging.utils import canonicalize_name

from djhop import superseded
from djhop.declared.book import Book
from djhop.declared.reading import Release
from djhop.deps.answers import Declared, Deps, First, HopDeps, State
from djhop.deps.asked import Answer, Asked
from djhop.deps.keeping import Site
from djhop.errors import InfraError
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.releases import Releases
from djhop.resolve.blockers import Blocker, standing
from djhop.resolve.locks import Lock, Unresolvable
from djhop.resolve.moves import Move, moves
from djhop.resolve.order import Order
from djhop.resolve.request import Policy, extras_text, read
from djhop.resolve.staying import today
from djhop.target.target import Target

#: What a policy does with the versions of today.
POLICIES: dict[Policy, str] = {
    "minimal": "policy minimal: every package stays at its version of today where it can.",
    "latest": "policy latest: every package goes to the newest release that fits.",
    "frozen": "policy frozen: nothing moves but Django and what it requires.",
}


def look(
    plan: Plan,
    *,
    target: Target,
    matrix: Matrix,
    found: Mapping[str, Interpreter],
    releases: Releases,
    site: Site,
) -> Deps:
    """Resolve the path of `plan` and say what has to move on each of its hops.

    Raises:
        Interrupted: djhop was asked to stop.
    """
    asked = Asked(plan, target=target, matrix=matrix, found=found, site=site)
    asked.make_locks()
    hops = [hop for hop in plan.hops if hop.on_path]
    with concurrent.futures.ThreadPoolExecutor(max(1, site.jobs)) as pool:
        reading = pool.submit(asked.book)
        orders = list(pool.map(lambda hop: _order(asked, hop), hops))
    book = reading.result()
    return Deps(
        target=target.name,
        root=target.root,
        path=tuple(cell.id for cell in plan.path),
        first=_first(asked, plan.path[0], book),
        requirements=_requirements(target),
        django_requirement=target.django_requirement,
        django_requirement_place=target.django_requirement_place,
        places=target.places,
        manager=target.manager,
        hops=tuple(
            _hop(asked, hop, made, book, releases) for hop, made in zip(hops, orders, strict=True)
        ),
        notes=(*target.notes, *plan.notes, POLICIES[matrix.policy]),
    )


def _requirements(target: Target) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for requirement in filter(None, map(read, target.requirements)):
        found.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return {name: name + extras_text(extras) for name, extras in found.items()}


def _order(asked: Asked, hop: Hop) -> Order | InfraError | None:
    try:
        return asked.order(hop)
    except InfraError as error:
        return error


def _first(asked: Asked, cell: Cell, book: Book) -> First:
    state, reason, hint = _state(asked.answers[cell])
    return First(
        cell=cell.id,
        state=state,
        reason=reason,
        hint=hint,
        moves=_from_today(asked, cell, f"the newest release of Django {cell.django}"),
        built=_built(asked, cell, book),
        superseded=superseded.until(asked.stated(cell), cell.django),
    )


def _hop(
    asked: Asked, hop: Hop, made: Order | InfraError | None, book: Book, releases: Releases
) -> HopDeps:
    answer, found = asked.answers[hop.after], _blockers(asked.answers[hop.after])
    state, reason, hint = _state(made if isinstance(made, InfraError) else answer)
    before, after = asked.lock(hop.before), asked.lock(hop.after)
    if before is None:
        made = Order(hop=_from_today(asked, hop.after, "the hop"))
    old = _built(asked, hop.before, book)
    return HopDeps(
        before=hop.before.id,
        after=hop.after.id,
        axis=hop.axis,
        django=(
            before.django_release if before else hop.before.django,
            after.django_release if after else hop.after.django,
        ),
        python=(hop.before.python, hop.after.python),
        state=state,
        reason=reason,
        hint=hint,
        stands=before is not None,
        order=made if isinstance(made, Order) else Order(),
        blockers=found,
        still=tuple(b.package for b in standing(_blockers(asked.answers[hop.before]), found)),
        built=tuple(name for name in _built(asked, hop.after, book) if name not in old),
        declared=_declared(asked, hop, book, releases),
        superseded=superseded.between(asked.stated(hop.after), hop.before.django, hop.after.django),
    )


def _blockers(answer: Answer) -> tuple[Blocker, ...]:
    return answer.blockers if isinstance(answer, (Lock, Unresolvable)) else ()


def _state(answer: Answer) -> tuple[State, str, str]:
    """How a cell stands, why, and what to type."""
    if isinstance(answer, Lock):
        return ("forced" if answer.forced else "open"), "", ""
    if isinstance(answer, Unresolvable):
        return "none", answer.reason, f"uv's log: {answer.log}" if answer.log else ""
    return "unknown", " ".join(str(answer).split()), answer.hint


def _from_today(asked: Asked, cell: Cell, why: str) -> tuple[Move, ...]:
    """What a cell's lock has otherwise than the project has it today."""
    lock = asked.lock(cell)
    if lock is None:
        return ()
    pins = {n: v for n, v in today(asked.requests[cell]).items() if n in lock.packages}
    reasons = {**lock.moves_why, "django": why}
    found = moves(pins, {name: lock.packages[name] for name in pins}, reasons)
    # A path that starts below today's Django is no advice to go back.
    return tuple(m for m in found if (m.package, m.direction) != ("django", "downgraded"))


def _built(asked: Asked, cell: Cell, book: Book) -> tuple[str, ...]:
    lock = asked.lock(cell)
    releases = book.built(lock.packages, cell.python) if lock else ()
    return tuple(f"{release.package} {release.version}" for release in releases)


def _declared(asked: Asked, hop: Hop, book: Book, releases: Releases) -> tuple[Declared, ...]:
    lock = asked.lock(hop.after)
    if lock is None or hop.axis != "django":
        return ()
    newest = {release.package: release for release in book.newest}
    series, before = releases.get(hop.after.django), asked.lock(hop.before)
    old = before.packages if before else {}
    return tuple(
        _since(
            _says(book.find(name, version), newest.get(name), series.version, series.released),
            book.find(name, old[name]) if old.get(name, version) != version else None,
            series.version,
        )
        for name in sorted(asked.apps(hop.after) & lock.packages.keys())
        if (version := lock.packages[name])
    )


def _since(declared: Declared, before: Release | None, series: str) -> Declared:
    """Add what the release on the other side of the hop says, where it is another one."""
    if before is None:
        return declared
    return msgspec.structs.replace(
        declared,
        before=before.version,
        said=before.says(series),
        before_series=before.series or (),
    )


def _says(release: Release, newest: Release | None, series: str, day: str) -> Declared:
    last = newest.uploaded if newest else ""
    return Declared(
        package=release.package,
        version=release.version,
        says=release.says(series),
        series=release.series or (),
        requires_python=release.requires_python,
        uploaded=release.uploaded,
        newest=newest.version if newest else "",
        newest_uploaded=last,
        last_before=bool(last and day and last < day),
    )
