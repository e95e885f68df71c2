"""A lock in which only Django moves, made from what uv has at hand.

Some indexes forbid caching: there every uv process fetches every page and many a wheel anew, which
takes as long for the twelfth cell as for the first. All that the lock before names was looked at
when that lock was made. So only Django is asked for, and the rest is resolved offline.

uv takes a preferred version wherever it can. An answer with the newest Django, in which all else is
as in the lock before, is therefore the one that the index would have led to. Any other may be for
want of something in uv's cache, and is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from djhop.errors import InfraError
from djhop.resolve import attempts
from djhop.resolve.attempts import Attempt, Stage
from djhop.resolve.locks import Lock
from djhop.resolve.request import django, name_of

if TYPE_CHECKING:
    from djhop.resolve.proofs import Failure
    from djhop.resolve.request import Request

#: Asks uv once.
Ask = Callable[[Attempt], "Lock | Failure"]

#: Seconds of a uv process from which on it is worth while to start two that are quick.
SLOW = 2.0


class Pace:
    """How long uv takes at its index, as far as one djhop has seen; for all cells together."""

    def __init__(self) -> None:
        #: The longest that a process took, in seconds.
        self.seconds = 0.0
        #: Whether the index was asked last in vain, with all further tries.
        self.silent = False

    @property
    def slow(self) -> bool:
        """Whether another whole question is to be avoided."""
        return self.seconds > SLOW


def unmoved(request: Request, previous: Lock | None, ask: Ask, at_hand: Ask) -> Lock | None:
    """Return the lock before with another Django; None where the index has to be asked.

    `ask` asks with the index, `at_hand` without.

    Raises:
        InfraError: the index does not answer.
        Interrupted: djhop was asked to stop.
    """
    if previous is None or not _may_stay(request, previous):
        return None
    newest = ask(Attempt(requirements={"django.in": (django(request),)}))
    if not isinstance(newest, Lock):
        return None
    try:
        found = at_hand(attempts.build(request, previous, Stage()))
    except InfraError:  # uv's cache lacks something
        return None
    if not isinstance(found, Lock) or found.django_release != newest.django_release:
        return None
    before = previous.packages.items()
    return found if found.packages.items() - before <= {("django", found.django_release)} else None


def _may_stay(request: Request, previous: Lock) -> bool:
    """Whether a Django hop in which nothing else moves is to be hoped for.

    The hop to another Python needs other wheels. What a URL gives can change at any time.
    """
    texts = (*request.requirements, *request.constraints, *request.packages)
    return not (
        request.policy != "minimal"
        or previous.django_release.startswith(f"{request.django}.")
        or any("://" in text or not name_of(text) for text in texts)
        or any(name_of(text) == "django" for text in request.packages)
    )
