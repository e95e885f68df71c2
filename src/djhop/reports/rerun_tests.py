"""What was run again on the hops of a run → the reruns of each test in each cell; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from djhop.results.reruns import Again, Reruns
from djhop.store.record import Run

#: Cell id → test id there → its reruns.
ByCell: TypeAlias = Mapping[str, Mapping[str, list[Again]]]


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
