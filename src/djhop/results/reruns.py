"""Tests that newly fail on a hop, run again on both sides of it: what came of each run."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from djhop.results.outcomes import Outcome

Side: TypeAlias = Literal["before", "after"]
#: What was run: the test and no other, or the whole module it is in.
How: TypeAlias = Literal["alone", "module"]
HOW: dict[How, str] = {"alone": "alone", "module": "with its module"}


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """One test, run once more."""

    #: Its id in the cell before, where it has one.
    test: str
    side: Side
    how: How
    #: None where the run does not tell: it died before, or chose other tests.
    outcome: Outcome | None = None
    #: Whether it fails for the reason for which it fails in the suite of the cell before.
    as_before: bool = False
    #: Why there is no outcome.
    reason: str = ""
    #: Of the process, which others of its module share.
    seconds: float = 0.0


class Reruns(msgspec.Struct, frozen=True, kw_only=True):
    """What was run again for one hop; `hops/<hop>/reruns.json`."""

    format: int = 1
    #: Ids of the cells.
    before: str
    after: str
    #: How many tests newly fail.
    asked: int = 0
    #: How many of them a deprecation foretold: in the cell before they warned of what is removed
    #: on this hop, and they fail for it. They are not run again.
    foretold: int = 0
    #: How many of them were run again.
    tests: int = 0
    runs: tuple[Again, ...] = ()
    #: Why not all that was wanted was done; "" where it was.
    reason: str = ""
    seconds: float = 0.0

    @property
    def id(self) -> str:
        """The hop's name: "py3.10-django4.2..py3.10-django5.2"."""
        return f"{self.before}..{self.after}"
