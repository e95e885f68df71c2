"""What changed since the run before, as `run.json` keeps it."""

from __future__ import annotations

from typing import Literal

import msgspec

#: Ids that a list keeps; `Tests.total` counts them all.
KEPT = 100

#: Statuses of a cell that was fine and is not any more.
RED = (
    *("failed", "uncollectable", "crashed", "timed-out", "no-tests"),
    *("unresolvable", "uninstallable"),
)
#: Why a cell may have changed. moved: the project is the same, packages are not. project: the
#: project changed. matrix: its settings did. nothing: neither did. unknown: nobody recorded it.
Why = Literal["moved", "project", "matrix", "nothing", "unknown"]


class Tests(msgspec.Struct, frozen=True, kw_only=True):
    """Some tests: how many, and the first of them."""

    total: int = 0
    ids: tuple[str, ...] = ()


class CellSince(msgspec.Struct, frozen=True, kw_only=True):
    """One cell, against the last earlier run that has a result of it."""

    id: str
    #: The run it is compared with.
    run: str
    before: str
    after: str
    broke: Tests = Tests()
    #: Fail now as before, for another reason.
    broke_differently: Tests = Tests()
    new_failures: Tests = Tests()
    #: Passed then, and are not there any more.
    vanished: Tests = Tests()
    newly_skipped: Tests = Tests()
    newly_deprecated: Tests = Tests()
    fixed: Tests = Tests()
    #: "asgiref 3.7.2 → 3.8.1"; Python and djhop among them.
    moved: tuple[str, ...] = ()
    why: Why = "unknown"
    #: Seconds of the suite, and the most in the last nights, where it is slower beyond noise.
    seconds: float = 0.0
    most: float = 0.0

    @property
    def worse(self) -> bool:
        """Whether something that was fine is not."""
        lists = (self.broke, self.broke_differently, self.new_failures, self.vanished)
        return any(one.total for one in (*lists, self.newly_skipped)) or self.turned_red

    @property
    def turned_red(self) -> bool:
        """Whether it was fine and is not."""
        return self.before in ("passed", "deprecated") and self.after in RED


class Still(msgspec.Struct, frozen=True, kw_only=True):
    """What has been failing since one earlier run."""

    #: UTC, of the first run that saw it fail.
    started: str
    run: str
    revision: str = ""
    #: Nothing older is remembered: it may have failed before.
    or_earlier: bool = False
    tests: Tests = Tests()
    cells: tuple[str, ...] = ()


class Wavering(msgspec.Struct, frozen=True, kw_only=True):
    """A test that ends in two ways with the same files and the same packages."""

    id: str
    cell: str
    #: Nights on which it ended otherwise than the night before, or both ways at once.
    times: int
    nights: int


class Slower(msgspec.Struct, frozen=True, kw_only=True):
    """A test that took longer than in any of the last nights, by more than half."""

    id: str
    cell: str
    seconds: float
    #: The longest of the last nights, as long as it would have been at tonight's pace.
    most: float


class Burn(msgspec.Struct, frozen=True, kw_only=True):
    """What is left on a hop, night by night; None where it was not judged."""

    hop: str
    breaks: tuple[int | None, ...]
    deprecations: tuple[int | None, ...]


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier runs of the same matrix on the same project make of this one."""

    #: How many earlier runs are remembered, and the newest of them.
    nights: int
    run: str
    started: str
    revision: str = ""
    #: This run's.
    revision_now: str = ""
    #: How many nights flaky and slower tests were looked for in.
    window: int = 0
    cells: tuple[CellSince, ...] = ()
    still: tuple[Still, ...] = ()
    flaky: tuple[Wavering, ...] = ()
    slower: tuple[Slower, ...] = ()
    #: When the nights of `strips` and of `burn` began, oldest first; the last is this one.
    strip_nights: tuple[str, ...] = ()
    burn_nights: tuple[str, ...] = ()
    #: Cell → test → a character for each night of `strip_nights`: see `history.states`.
    strips: dict[str, dict[str, str]] = {}
    burn: tuple[Burn, ...] = ()
