"""What `djhop deps` says: the shape of its answer; pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from djhop.declared.reading import Says
from djhop.errors import ExitCode, worst
from djhop.matrix.plan import Axis
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import Move
from djhop.resolve.order import Order
from djhop.superseded import Superseded
from djhop.target.target import Manager, Place

#: 1: first.
FORMAT = 1

#: open: a lock that needs no force. forced: one that overrules what metadata says. none: nothing
#: can be installed. unknown: the machine or the index did not let us see.
State = Literal["open", "forced", "none", "unknown"]


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What the release of a package in use after a hop says of the hop's Django series."""

    package: str
    version: str
    says: Says
    #: The series that it names; of all that are known.
    series: tuple[str, ...] = ()
    requires_python: str = ""
    #: The release on the other side of the hop where it is another one, and what that says.
    before: str = ""
    said: Says = "unknown"
    before_series: tuple[str, ...] = ()
    #: ISO day of its upload, and of that of the package's newest release; empty where not known.
    uploaded: str = ""
    newest: str = ""
    newest_uploaded: str = ""
    #: The newest release of the package is older than the Django series.
    last_before: bool = False


class HopDeps(msgspec.Struct, frozen=True, kw_only=True):
    """One hop: what moves, when, and what is in the way."""

    #: Cell ids.
    before: str
    after: str
    axis: Axis
    #: Releases of Django on either side; the series where there is no lock.
    django: tuple[str, str]
    python: tuple[str, str]
    state: State
    #: Why there is no lock, or why Python moves here.
    reason: str = ""
    hint: str = ""
    #: Packages among `blockers` that stood in the way of the cell before already.
    still: tuple[str, ...] = ()
    #: Whether the cell before has a lock: without, nothing can be said to move before the hop.
    stands: bool = True
    order: Order = Order()
    blockers: tuple[Blocker, ...] = ()
    #: "pillow 8.3.1": no wheel for this Python, so that it must be built.
    built: tuple[str, ...] = ()
    declared: tuple[Declared, ...] = ()
    superseded: tuple[Superseded, ...] = ()


class First(msgspec.Struct, frozen=True, kw_only=True):
    """The cell the path starts on: the project as it is today."""

    cell: str
    state: State
    reason: str = ""
    hint: str = ""
    #: From what the project has today (its lock file, its exact pins) to this cell; Django first.
    moves: tuple[Move, ...] = ()
    built: tuple[str, ...] = ()
    #: What the series of today already makes unnecessary.
    superseded: tuple[Superseded, ...] = ()


class Deps(msgspec.Struct, frozen=True, kw_only=True):
    """What `djhop deps` found."""

    target: str
    #: Absolute path.
    root: str
    path: tuple[str, ...]
    first: First
    #: Package → how the project names it, without versions: "celery[redis]".
    requirements: dict[str, str] = {}
    #: What the project itself requires of Django, as written, and where; replaced on every hop.
    django_requirement: str = ""
    django_requirement_place: str = ""
    #: Package → where the project names it.
    places: dict[str, tuple[Place, ...]] = {}
    #: The tool that the project's packages are kept with.
    manager: Manager = "pip"
    hops: tuple[HopDeps, ...] = ()
    #: What was assumed, in sentences.
    notes: tuple[str, ...] = ()
    format: int = FORMAT


def exit_code(deps: Deps) -> ExitCode:
    """0 where every hop has a lock, 3 where one is blocked, 4 where one could not be seen."""
    states = [deps.first.state, *(hop.state for hop in deps.hops)]
    return worst(_CODES[state] for state in states)


_CODES: dict[State, ExitCode] = {
    "open": ExitCode.OK,
    "forced": ExitCode.BLOCKED,
    "none": ExitCode.BLOCKED,
    "unknown": ExitCode.INCOMPLETE,
}
