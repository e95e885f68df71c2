"""Both cells of a hop, without a fix and with it → what it repairs, what it breaks; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from djhop.compare.causes import Sighting
from djhop.compare.changes import dead_modules, kind, plainly, suite
from djhop.compare.compare import HopResult, judge
from djhop.compare.flaky import NOTHING, Evidence
from djhop.compare.groups import broken
from djhop.compare.verdicts import Verdict, cut_short, life
from djhop.fixes.patches import Changed
from djhop.matrix.plan import Hop
from djhop.results.results import CellResult, Owner

if TYPE_CHECKING:
    from djhop.fixes.rewrite import Rewritten

#: 1: the first.
FORMAT = 1


class CauseFixed(msgspec.Struct, frozen=True, kw_only=True):
    """What a fix does for one cause."""

    #: Id of the cause.
    cause: str
    #: Tests that it breaks on the hop, or, where none is known, modules that cannot be loaded.
    behind: int
    #: How many of these are as they were before the hop.
    repaired: int
    modules: bool = False


class NextCause(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that was not seen on the hop before the fix: it was hidden, or the fix made it."""

    cause: str
    exception: str
    message: str
    owner: Owner
    place: str = ""
    tests: int = 0


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to repair a hop, or one cause on it; `fixes/<id>.json`."""

    format: int = FORMAT
    #: The hop's id; the cause's, where only that was to be repaired.
    id: str
    #: Id of the hop, and of its cells.
    hop: str
    before: str
    after: str
    #: "django-upgrade 1.33.0".
    fixer: str = ""
    #: The Django series that it was told to write for.
    target_version: str = ""
    #: The fixers of that tool that were asked for; none: all of them.
    only: tuple[str, ...] = ()
    causes: tuple[CauseFixed, ...] = ()
    #: Tests of these causes (of all its causes: all that the hop breaks), and how many of them are
    #: as they were before the hop.
    behind: int = 0
    repaired: int = 0
    #: With the fix: what the hop does, and whether the cell before is as it was.
    verdict: Verdict = "unknown"
    kept: bool = False
    #: Tests that break with the fix and not without: after the hop, and in the cell before it.
    broke_after: tuple[str, ...] = ()
    broke_before: tuple[str, ...] = ()
    #: What is behind the causes that were taken away.
    next: tuple[NextCause, ...] = ()
    changed: tuple[Changed, ...] = ()
    #: Files the fixer could not be given, or failed on, and why.
    skipped: tuple[tuple[str, str], ...] = ()
    #: Name of the patch beside it, for `git apply`; "" where there is none.
    patch: str = ""
    #: Why nothing was proven: nothing to rewrite, a cell that could not be run.
    reason: str = ""
    #: The machine, or the network, is why: it may be proven another time.
    incomplete: bool = False

    @property
    def worth(self) -> tuple[bool, int, bool]:
        """Tells which of two attempts is the better one: the greater."""
        return self.kept, sum(one.repaired for one in self.causes), bool(self.patch)

    @property
    def whole(self) -> bool:
        """Whether the hop breaks nothing any more, and the cell before is as it was."""
        return self.kept and self.verdict in ("clean", "deprecated")


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of a hop as a run has them."""

    hop: Hop
    judged: HopResult
    before: CellResult
    after: CellResult
    #: What the run knows of tests that newly fail beside its cells.
    evidence: Evidence = NOTHING

    @property
    def doubtful(self) -> frozenset[str]:
        """Tests that break now and then, or by what is run with them: no fix is to blame."""
        judged = self.judged
        return frozenset((*judged.flaky, *judged.order_dependent, *judged.known_flaky))

    def sightings(self, causes: Iterable[str]) -> tuple[Sighting, ...]:
        """What broke on the hop, as far as these causes are behind it."""
        wanted = frozenset(causes)
        found = broken(self.judged, self.after, self.judged.id)
        return tuple(one for one in found if one.key in wanted)

    def tests(self, causes: Iterable[str]) -> tuple[str, ...]:
        """What these causes break on the hop; all that breaks, where they are all of its causes."""
        wanted = frozenset(causes)
        if wanted == frozenset(self.judged.causes):
            return self.judged.breaking
        return tuple(test for one in self.sightings(wanted) for test in one.tests)


def begun(name: str, sides: Sides, causes: tuple[str, ...], fixer: str) -> Fix:
    """Say what is to be repaired."""
    counted = tuple(_behind(cause, sides.sightings([cause])) for cause in causes)
    return Fix(
        id=name,
        hop=sides.judged.id,
        before=sides.before.id,
        after=sides.after.id,
        fixer=fixer,
        causes=counted,
        behind=len(sides.tests(causes)),
    )


def _behind(cause: str, sightings: tuple[Sighting, ...]) -> CauseFixed:
    tests = sum(len(one.tests) for one in sightings)
    modules = len({one.module for one in sightings if one.module})
    return CauseFixed(cause=cause, behind=tests or modules, repaired=0, modules=not tests)


def rewritten(fix: Fix, made: Rewritten) -> Fix:
    """Add what the fixer did to the files."""
    return msgspec.structs.replace(
        fix,
        target_version=made.target_version,
        only=made.only,
        changed=made.changed,
        skipped=made.skipped,
        patch=f"{fix.id}.patch" if made.patch else "",
        reason=made.refused or ("" if made.patch else "there is nothing that it rewrites"),
    )


def repaired(fix: Fix, sides: Sides, after: CellResult) -> Fix:
    """Add what a fix repairs, and what it breaks, after the hop; `after` is that cell with it."""
    if why := _useless(after):
        return msgspec.structs.replace(fix, reason=why, incomplete=True)
    now = judge(sides.before, after, sides.hop, evidence=sides.evidence)
    good = _Good(now, after)
    causes = tuple(good.cause(one, sides.sightings([one.cause])) for one in fix.causes)
    return msgspec.structs.replace(
        fix,
        causes=causes,
        repaired=sum(good.test(test) for test in sides.tests(one.cause for one in causes)),
        verdict=now.verdict,
        broke_after=tuple(
            test
            for test in (*now.breaking, *now.known_flaky)
            if test not in sides.doubtful and test not in set(sides.judged.breaking)
        ),
        next=tuple(_next(now, after, known=frozenset(sides.judged.causes))),
    )


def kept(fix: Fix, sides: Sides, before: CellResult) -> Fix:
    """Add what a fix does to the cell before the hop; `before` is that cell with it."""
    if why := _useless(before):
        return msgspec.structs.replace(fix, reason=why, incomplete=True)
    same = Hop(before=sides.hop.before, after=sides.hop.before, axis=sides.hop.axis)
    found = judge(sides.before, before, same)
    cut = cut_short(before) and not cut_short(sides.before)
    dead = life(before) == "dead" and life(sides.before) != "dead"
    return msgspec.structs.replace(
        fix,
        kept=not (found.breaking or found.new_dead_modules or cut or dead),
        broke_before=found.breaking,
    )


def steady(first: Fix, second: Fix) -> Fix:
    """Keep of what a fix breaks what it breaks each time; a test may fail at random."""
    after = tuple(t for t in first.broke_after if t in set(second.broke_after))
    before = tuple(t for t in first.broke_before if t in set(second.broke_before))
    random = bool(first.broke_before and second.broke_before and not before)
    return msgspec.structs.replace(
        first,
        broke_after=after,
        broke_before=before,
        kept=first.kept or second.kept or random,
    )


def _useless(result: CellResult) -> str:
    """Why a cell with the fix says nothing; "" where it does."""
    if life(result) in ("absent", "blocked"):
        return f"{result.id} with the fix: {result.status}, {result.reason}".rstrip(", ")
    return ""


class _Good:
    """Says which tests are as they were before the hop."""

    def __init__(self, now: HopResult, after: CellResult) -> None:
        self._names = dict(now.renamed)
        seen = ((test.id, kind(plainly(test))) for test in suite(after))
        self._there = {name for name, what in seen if what != "absent"}
        self._bad = {*now.breaking, *now.flaky, *now.unserved}
        self._dead = set(dead_modules(after))

    def cause(self, fixed: CauseFixed, sightings: tuple[Sighting, ...]) -> CauseFixed:
        """Count what of a cause is repaired."""
        if fixed.modules:
            gone = {one.module for one in sightings if one.module} - self._dead
            count = len(gone) if self._there else 0
        else:
            count = sum(self.test(test) for one in sightings for test in one.tests)
        return msgspec.structs.replace(fixed, repaired=count)

    def test(self, name: str) -> bool:
        """Whether a test ran, and is none that breaks."""
        return self._names.get(name, name) in self._there and name not in self._bad


def _next(now: HopResult, after: CellResult, known: frozenset[str]) -> Iterable[NextCause]:
    found = broken(now, after, now.id)
    for group in now.groups:
        if group.cause in known:
            continue
        failure = next(one.failure for one in found if one.key == group.cause)
        yield NextCause(
            cause=group.cause,
            exception=failure.exception,
            message=failure.message,
            owner=failure.owner,
            place=group.place or failure.place,
            tests=group.tests,
        )
