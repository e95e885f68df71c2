"""Whether what newly fails on a hop breaks, is flaky or depends on the order: told by reruns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from djhop.compare.changes import kind, plainly
from djhop.compare.findings import Findings
from djhop.compare.verdicts import life
from djhop.matrix.flaky import KnownFlaky
from djhop.results.reruns import Again, How, Reruns, Side
from djhop.results.results import CellResult, Test

#: broke: it fails each time after, and did not before; flaky: it passes and fails in one cell;
#: order-dependent: what is run with it decides; unknown: nothing was seen that tells.
Answer = Literal["broke", "flaky", "order-dependent", "unknown"]
#: How a test ended, as far as it matters here. "old": it fails as it did before the hop.
Way = Literal["fine", "old", "red"]

#: So many runs with one end make it reproducible.
REPRODUCIBLE = 2


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the tests of a hop beside what its two cells saw."""

    reruns: Reruns | None = None
    #: The known flaky tests that count as such.
    known: tuple[KnownFlaky, ...] = ()

    @property
    def summary(self) -> Reruns | None:
        """The reruns without each run."""
        return msgspec.structs.replace(self.reruns, runs=()) if self.reruns else None


NOTHING = Evidence()


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """How one test ended each time that it was run in one cell."""

    #: In the whole suite; those that only a warning may have failed are left out.
    suite: tuple[Way, ...] = ()
    alone: tuple[Way, ...] = ()
    module: tuple[Way, ...] = ()


def answer(before: Runs, after: Runs) -> Answer:  # noqa: PLR0911 - a table: one row, one answer
    """Decide what a test is that ended well (or otherwise) before a hop, and is red after it."""
    if not (after.alone or after.module):
        return "unknown"
    if len(set(after.alone)) > 1 or len(set(after.module)) > 1:
        return "flaky"
    was = set(before.suite)
    if "red" not in (after.alone or after.module):
        return "order-dependent" if _reproducibly(after) else "flaky"
    # It fails each time that it is run alone.
    if len(set(before.alone)) > 1:
        # Flaky before is no excuse for what fails every time after.
        return "broke" if after.module else "flaky"
    if not before.alone or was & set(before.alone):
        return "broke"
    if was & set(before.module) and "red" in after.module:
        return "broke"
    return "order-dependent"


def _reproducibly(runs: Runs) -> bool:
    """Whether it fails with others time and again, and ends otherwise without them as often."""
    ends = (*runs.suite, *runs.alone, *runs.module)
    return min(ends.count("red"), len(ends) - ends.count("red")) >= REPRODUCIBLE


def runs_of(
    name: str, before: Test | None, after: Test, done: Sequence[Again], warned: Collection[str] = ()
) -> tuple[Runs, Runs]:
    """Gather how a test ended on both sides; `warned`: ids of what a warning may have failed."""
    mine = [one for one in done if one.test == name]
    failed = [kind(plainly(after)), *([] if after.id in warned else [kind(after.strict)])]
    red: tuple[Way, ...] = tuple("red" for _ in range(failed.count("failed")))
    was: tuple[Way, ...] = ()
    if before is not None:
        was = ("old",) if kind(plainly(before)) == "failed" else ("fine",)
    return (
        Runs(suite=was, alone=_ways(mine, "before", "alone"),
             module=_ways(mine, "before", "module")),
        Runs(suite=red, alone=_ways(mine, "after", "alone"), module=_ways(mine, "after", "module")),
    )  # fmt: skip


def _ways(done: Sequence[Again], side: Side, how: How) -> tuple[Way, ...]:
    found: list[Way] = []
    for one in done:
        if (one.side, one.how) != (side, how):
            continue
        match kind(one.outcome):
            case "passed" | "excused":
                found.append("fine")
            case "failed":
                found.append("old" if one.as_before else "red")
            case "skipped" | "absent":
                pass
    return tuple(found)


def warned(result: CellResult) -> frozenset[str]:
    """Ids of the tests in which a deprecation was seen: strictly they may fail for that alone."""
    return frozenset(test for one in result.deprecations for test in one.tests)


def sift(found: Findings, before: CellResult, after: CellResult, evidence: Evidence) -> Findings:
    """Take out of what breaks what does not break for certain.

    A test on the list of known flaky ones that the reruns show to break breaks all the same.
    """
    doubted = dict.fromkeys((*found.failing, *found.flaky_red))
    if not doubted:
        return found
    were, are = ({test.id: test for test in side.tests} for side in (before, after))
    names, done = dict(found.renamed), evidence.reruns.runs if evidence.reruns else ()
    might = warned(after)
    sorted_out: dict[str, list[str]] = {"flaky": [], "order": [], "known": []}
    for name in doubted:
        own = names.get(name, name)
        said: Answer = "flaky"
        if name not in found.flaky_red:
            said = answer(*runs_of(name, were.get(name), are[own], done, might))
        known = any(one.covers(own, after.id) for one in evidence.known)
        if said != "broke" and known:
            sorted_out["known"].append(name)
        elif said == "flaky":
            sorted_out["flaky"].append(name)
        elif said == "order-dependent":
            sorted_out["order"].append(name)
    return _without(found, **{key: tuple(names) for key, names in sorted_out.items()})


def _without(
    found: Findings, *, flaky: tuple[str, ...], order: tuple[str, ...], known: tuple[str, ...]
) -> Findings:
    out = {*flaky, *order, *known}

    def rest(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in out)

    return msgspec.structs.replace(
        found,
        broke=rest(found.broke),
        broke_differently=rest(found.broke_differently),
        new_failures=rest(found.new_failures),
        flaky=(*rest(found.flaky), *flaky),
        flaky_red=flaky,
        order_dependent=order,
        known_flaky=known,
    )


def unmatched(known: Sequence[KnownFlaky], results: Mapping[str, CellResult]) -> tuple[str, ...]:
    """Return the ids of entries that are about no test of the cells that ran tests."""
    left, asked = list(known), set[KnownFlaky]()
    for cell, result in results.items():
        if not left or life(result) != "ran":
            continue
        asked |= {one for one in left if one.is_about(cell)}
        left = [one for one in left if not any(one.covers(t.id, cell) for t in result.tests)]
    return tuple(one.id for one in left if one in asked)
