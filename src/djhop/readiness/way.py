"""A run → the part of it that leads from today's Django to the goal, and what it lacks of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from djhop.compare.compare import HopResult
from djhop.errors import UsageError
from djhop.matrix.plan import Cell
from djhop.releases import version_key
from djhop.reports.signs import listed
from djhop.results.results import Status
from djhop.store.record import Run, RunCell

#: Cells of which nothing was seen.
UNSEEN: frozenset[Status] = frozenset({
    "no-python", "unsupported", "infra", "interrupted", "not-run"
})  # fmt: skip


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The hops from today's cell to the goal's, as far as a run has them."""

    goal: str
    #: In the order of the path; () where today's Django is the goal.
    hops: tuple[HopResult, ...] = ()
    #: The cells of the way, in order.
    cells: tuple[RunCell, ...] = ()
    #: Today's cell; None where the run does not have it.
    first: RunCell | None = None
    #: Why the run does not tell of the whole way, in sentences; () where it does.
    gaps: tuple[str, ...] = ()

    @property
    def last(self) -> RunCell | None:
        """The goal's cell; None where the run does not have it."""
        found = self.cells[-1] if self.cells else None
        return found if found and found.django == self.goal else None

    @property
    def counted(self) -> tuple[HopResult, ...]:
        """The hops into cells that may not fail."""
        return tuple(hop for hop in self.hops if not hop.allow_failure)


def find(run: Run, goal: str) -> Way:
    """Find the way to Django `goal` in a run.

    Raises:
        UsageError: the project is on a newer Django than that.
    """
    today = run.target.django
    if today and version_key(today) > version_key(goal):
        raise UsageError(
            f"the project is on Django {today}, and {goal} is older", hint="--to names a newer one"
        )
    whole = run.plan.laid or run.plan.path
    ends = [at for at, cell in enumerate(whole) if cell.django == goal]
    laid = whole[: ends[-1] + 1] if ends else whole
    hops = {hop.id: hop for hop in run.hops}
    cells = {cell.id: cell for cell in run.cells}
    ids = [f"{before.id}..{after.id}" for before, after in pairwise(laid)]
    begins = [cell for cell in laid if cell.django == (today or laid[0].django)][:1]
    return Way(
        goal=goal,
        first=next((cells[cell.id] for cell in begins if cell.id in cells), None),
        hops=tuple(hops[name] for name in ids if name in hops),
        cells=tuple(cells[cell.id] for cell in laid if cell.id in cells),
        gaps=tuple(_gaps(run, laid, goal, [name for name in ids if name not in hops])),
    )


def _gaps(run: Run, laid: tuple[Cell, ...], goal: str, absent: list[str]) -> Iterator[str]:
    if not laid or laid[-1].django != goal:
        end = f"ends at Django {laid[-1].django}" if laid else "has no path"
        yield f"the run {end}: djhop run --to {goal}"
    today, begins = run.target.django, laid[0].django if laid else ""
    if not today and not run.matrix.settings.get("from"):
        yield "which Django the project is on today is not known: djhop run --from says it"
    elif today and begins and version_key(begins) > version_key(today):
        yield f"the project is on Django {today}, and the run begins at {begins}: djhop run"
    for hop in absent:
        yield f"{hop} was not run"
    if not run.complete:
        yield "the run was cut short: the same command with --resume does the rest"
    if run.deployed:
        yield f"before the hop it ran the code of {run.deployed}, which is not today's: djhop run"
    if not run.whole:
        yield "something followed -- in the run: tests may have been left out"
    if "tests" not in (run.matrix.settings.get("only") or ["tests"]):
        yield "no test was run, as asked (only)"


def by_hop(said: Iterable[tuple[str, str]], way: Way) -> tuple[str, ...]:
    """Say each text once, after the titles of the hops that it is about; "": it is about none."""
    titles: dict[str, dict[str, None]] = {}
    for name, text in said:
        titles.setdefault(text, {})[name] = None
    lines = []
    for text, names in titles.items():
        hops = [name for name in names if name]
        every = len(hops) == len(way.hops) > 1
        start = "each hop" if every else listed(hops) if len(hops) < 4 else f"{len(hops)} hops"
        lines.append(f"{start}: {text}" if hops else text)
    return tuple(lines)


def title(hop: HopResult) -> str:
    """Name a hop by what it changes, as every report does: "4.2 → 5.2", "Python 3.8 → 3.10"."""
    (python, before), (later, after) = (
        cell.removeprefix("py").split("-django") for cell in (hop.before, hop.after)
    )
    return f"{before} → {after}" if hop.axis == "django" else f"Python {python} → {later}"
