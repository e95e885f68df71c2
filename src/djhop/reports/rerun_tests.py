"""The tests of each cell that were run again, and those that no hop counts for it; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Literal, TypeAlias

from djhop.results.reruns import Again, Reruns
from djhop.store.record import Run

#: Cell id → test id there → its reruns.
ByCell: TypeAlias = Mapping[str, Mapping[str, list[Again]]]
#: Why a test that newly fails is not counted.
Doubt: TypeAlias = Literal["flaky", "order-dependent", "known-flaky"]


def by_cell(run: Run, reruns: Mapping[str, Reruns]) -> ByCell:
    """Sort the reruns of every hop by the cell they were made in; those without an end are none."""
    renamed = {hop.id: dict(hop.renamed) for hop in run.hops}
    found: defaultdict[str, defaultdict[str, list[Again]]] = defaultdict(lambda: defaultdict(list))
    for hop, done in reruns.items():
        names = renamed.get(hop, {})
        for one in done.runs:
            if one.outcome not in (None, "not-run"):
                after = one.side == "after"
                name = names.get(one.test, one.test) if after else one.test
                found[done.after if after else done.before][name].append(one)
    return found


def doubts(run: Run) -> dict[str, dict[str, Doubt]]:
    """Return for each cell the tests that fail in it, and that the hop to it does not count."""
    found: defaultdict[str, dict[str, Doubt]] = defaultdict(dict)
    for hop in run.hops:
        names = dict(hop.renamed)
        listed: tuple[tuple[Doubt, tuple[str, ...]], ...] = (
            ("flaky", hop.flaky_red),
            ("order-dependent", hop.order_dependent),
            ("known-flaky", hop.known_flaky),
        )
        for why, tests in listed:
            found[hop.after].update((names.get(test, test), why) for test in tests)
    return found
