"""Two cells → the tests that ask a database more often after the hop than before; pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from djhop.compare.changes import kind, plainly
from djhop.compare.findings import Findings
from djhop.results.results import CellResult, Test

#: As many tests as are kept, those that grew most; all of them are counted.
MOST = 100


class Grew(msgspec.Struct, frozen=True, kw_only=True):
    """A test, and one connection that it asks more often."""

    test: str
    #: Alias of the connection.
    connection: str
    before: int
    after: int


class Queries(msgspec.Struct, frozen=True, kw_only=True):
    """The queries of the tests that pass on both sides of a hop."""

    #: Tests that were compared, and how many of them ask more or less often.
    tests: int
    more: int = 0
    less: int = 0
    #: All their queries, before and after.
    before: int = 0
    after: int = 0
    grew: tuple[Grew, ...] = ()


def compare(before: CellResult, after: CellResult, found: Findings) -> Queries | None:
    """Compare test by test; None where they were not counted on both sides."""
    if not (before.counts_queries and after.counts_queries):
        return None
    pairs = [*_passing(before, after, found)]
    grew = [one for was, now in pairs for one in _grew(was, now)]
    grew.sort(key=lambda one: one.before - one.after)
    sums = [(_sum(was), _sum(now)) for was, now in pairs]
    return Queries(
        tests=len(pairs),
        more=len({one.test for one in grew}),
        less=sum(now < was for was, now in sums),
        before=sum(was for was, _ in sums),
        after=sum(now for _, now in sums),
        grew=tuple(grew[:MOST]),
    )


def _passing(before: CellResult, after: CellResult, found: Findings) -> Iterator[tuple[Test, Test]]:
    """Yield the tests that pass on both sides: one that fails stops asking where it fails."""
    now = {test.id: test for test in after.tests}
    names = dict(found.renamed)
    for was in before.tests:
        other = now.get(names.get(was.id, was.id))
        if other and kind(plainly(was)) == kind(plainly(other)) == "passed":
            yield was, other


def _sum(test: Test) -> int:
    return sum((test.queries or {}).values())


def _grew(was: Test, now: Test) -> Iterator[Grew]:
    earlier = was.queries or {}
    for name, after in (now.queries or {}).items():
        if after > (before := earlier.get(name, 0)):
            yield Grew(test=was.id, connection=name, before=before, after=after)
