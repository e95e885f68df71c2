"""Why each package of a lock moved: the requirement that rules out where it was, from uv's proof.

What only a lock file or the lock before holds moves without a proof, because uv is free to take
another release. So uv is asked once more, with every package that moved where it was and all else
as the new lock has it. The proof of why that fails names what is in the way of some; those go to
where the new lock has them, and uv is asked again, until all is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from djhop.resolve.attempts import Attempt
from djhop.resolve.blockers import covers
from djhop.resolve.holding import hold
from djhop.resolve.locks import Lock
from djhop.resolve.proofs import absent
from djhop.resolve.request import DJANGO_OWN, is_version, not_there
from djhop.resolve.staying import held

if TYPE_CHECKING:
    from djhop.resolve.proofs import Edge, Failure
    from djhop.resolve.request import Request

#: Asks uv once.
Ask = Callable[[Attempt], "Lock | Failure"]

#: Proofs that are read for one lock; each explains one package or more.
ROUNDS = 12


def whys(
    request: Request, previous: Lock | None, found: Lock, known: dict[str, str], ask: Ask
) -> dict[str, str]:
    """Package → the requirement that made it move, of those that `known` does not explain.

    `previous` is the lock before. No process is started where there is nothing to explain, or under
    "latest", where all that may move does. A package that no proof speaks of is left out.
    """
    reasons: dict[str, str] = {}
    before = held(request, previous) if request.policy != "latest" else {}
    left = _moved(before, found, known)
    for _ in range(ROUNDS):
        if not left:
            break
        pins = {name: f"=={version}" for name, version in left.items()}
        # What nobody held before may be where it is only because of what has moved.
        answer = ask(hold(request, found, pins, held=before.keys()))
        more = {} if isinstance(answer, Lock) else _read(answer, left, found, request)
        if not more:
            break
        reasons |= more
        left = {name: version for name, version in left.items() if name not in more}
    return reasons


def _moved(before: dict[str, str], found: Lock, known: dict[str, str]) -> dict[str, str]:
    """Package → version before, of what is elsewhere now; not of what Django requires more of."""
    there = {n: v for n, v in found.packages.items() if n not in known and is_version(v)}
    return {
        name: version
        for name, version in before.items()
        if there.get(name, version) != version
        and (name not in DJANGO_OWN or Version(there[name]) < Version(version))
    }


def _read(failure: Failure, left: dict[str, str], found: Lock, request: Request) -> dict[str, str]:
    """Package → why it cannot be where it was, as far as one proof says."""
    if failure.kind == "build" and failure.package in left:
        built = f"{failure.package} {failure.version}"
        return {failure.package: f"{built} cannot be built on Python {request.python}"}
    gone = {n: not_there(n, v, request) for n, v in absent(failure).items() if left.get(n) == v}
    if gone:
        return gone
    there = {**found.packages, **left, "python": request.python_release or request.python}
    reasons: dict[str, str] = {}
    for name, why in _ruled_out(failure.edges, left, there):
        reasons.setdefault(name, why)
    return reasons


def _ruled_out(
    edges: tuple[Edge, ...], left: dict[str, str], there: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """The premises that what is there breaks; those that speak of Django come first."""
    for edge in sorted(edges, key=lambda edge: edge.needs != "django"):
        package, needs = there.get(edge.package, ""), there.get(edge.needs, "")
        if not covers(edge.versions, package) or covers(edge.constraint, needs) or not needs:
            continue
        name = edge.needs if edge.package not in left else edge.package
        if name in left:
            yield name, f"{edge.package} {package} requires {edge.needs}{edge.constraint}"
