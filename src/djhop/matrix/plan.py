"""The path, the hops and the cells of a matrix; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise, product
from typing import TYPE_CHECKING, Literal

import msgspec

from djhop.errors import UsageError, did_you_mean
from djhop.matrix import patterns, staircase, steps
from djhop.releases import Releases, version_key

if TYPE_CHECKING:
    from djhop.matrix.config import Matrix

Axis = Literal["django", "python"]

_MINOR = re.compile(r"\d+(\.\d+)?", re.ASCII)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One combination of a Django series and a Python minor version."""

    django: str
    python: str

    def __post_init__(self) -> None:
        # Also read back from files, which may be damaged: names of folders are made of these.
        if not (_MINOR.fullmatch(self.django) and _MINOR.fullmatch(self.python)):
            raise ValueError(f"no cell is called {self.id!r}")

    @property
    def id(self) -> str:
        """The cell's name, made of its two factors: "py3.12-django5.2"."""
        return f"py{self.python}-django{self.django}"

    @property
    def factors(self) -> tuple[str, ...]:
        """The parts of the id that may be named on their own, as in tox."""
        return (f"py{self.python}", f"django{self.django}")


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """A step between two cells that changes one thing: the Django series or the Python minor."""

    before: Cell
    after: Cell
    axis: Axis
    #: False for a step between further cells, beside the path.
    on_path: bool = True

    @property
    def id(self) -> str:
        """The hop's name: "py3.10-django4.2..py3.10-django5.2"."""
        return f"{self.before.id}..{self.after.id}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run: every cell (the path's first, in order) and the hops between them."""

    cells: tuple[Cell, ...]
    path: tuple[Cell, ...]
    hops: tuple[Hop, ...]
    #: Cells that Django's table does not support; they are listed, never run.
    unsupported: tuple[Cell, ...] = ()
    #: The whole path, where `path` is only what was chosen of it.
    laid: tuple[Cell, ...] = ()
    #: What was assumed, in sentences.
    notes: tuple[str, ...] = ()


def make(
    matrix: Matrix,
    releases: Releases,
    *,
    current: str,
    target_pythons: tuple[str, ...] = (),
    requires_python: str = "",
    available: frozenset[str] = frozenset(),
) -> Plan:
    """Lay out the whole matrix: the path, the further cells and the hops.

    `current` is the series the target is on ("" if unknown), `target_pythons` the Pythons it names,
    best first, and `available` the Pythons that this machine has, or can get by itself.

    Raises:
        UsageError: no path can be laid; the message says what stands in the way.
    """
    route = steps.route(matrix, releases, current)
    first = releases.get(route.series[0])
    start, why = steps.start_python(
        matrix.python,
        f"Django {first.version}",
        first.runnable_pythons,
        target_pythons=target_pythons,
        requires_python=requires_python,
        available=available,
    )
    steps.check_goal_python(matrix.goal_python, route.series[-1], releases)
    climbed, detour = staircase.best(
        route.series, start, goal=matrix.goal_python, releases=releases, available=available
    )
    plan = _lay(matrix, tuple(Cell(django=d, python=p) for d, p in climbed), releases)
    notes = (*route.notes, why, detour, *staircase.bends(climbed, releases), *plan.notes)
    return _noting(plan, notes, requires_python, available)


def one_hop(
    matrix: Matrix,
    releases: Releases,
    *,
    before: str,
    after: str,
    target_pythons: tuple[str, ...] = (),
    requires_python: str = "",
    available: frozenset[str] = frozenset(),
) -> Plan:
    """Lay out the hop from series `before` to series `after`, and nothing else.

    Both cells are on one Python that both series support, chosen as a path's first one is.

    Raises:
        UsageError: a series is unknown, not released or not the newer one, or no Python runs both.
    """
    older, newer = releases.get_released(before), releases.get_released(after)
    if version_key(before) >= version_key(after):
        raise UsageError(
            f"Django {after} is not newer than Django {before}",
            hint="a hop goes from the older series to the newer one",
        )
    both = tuple(p for p in older.runnable_pythons if p in newer.runnable_pythons)
    if not both:
        way = " → ".join(staircase.detour((before, after), releases))
        raise UsageError(
            f"no Python runs both Django {before} and Django {after}",
            hint=f"hop by hop: {way}" if way else "",
        )
    python, why = steps.start_python(
        matrix.python,
        f"both Django {before} and Django {after}",
        both,
        target_pythons=target_pythons,
        requires_python=requires_python,
        available=available,
    )
    path = tuple(Cell(django=series, python=python) for series in (before, after))
    plan = Plan(cells=path, path=path, hops=(Hop(before=path[0], after=path[1], axis="django"),))
    return _noting(plan, (why,), requires_python, available)


def _lay(matrix: Matrix, stairs: tuple[Cell, ...], releases: Releases) -> Plan:
    """Put the further cells beside the stairs, take out what is excluded, and join the rest."""
    wanted, unsupported, notes = _further(matrix, stairs, releases)
    further = sorted(wanted - {*stairs}, key=_age)
    kept = [c for c in (*stairs, *further) if not patterns.matches(c.id, matrix.exclude)]
    if not kept:
        raise UsageError("exclude leaves no cell", hint=f"without it: {_ids((*stairs, *further))}")
    path = tuple(cell for cell in stairs if cell in kept)
    hops = [
        Hop(before=one, after=other, axis="python" if one.django == other.django else "django")
        for one, other in pairwise(stairs)
        if one in kept and other in kept
    ]
    hops += [hop for cell in further if cell in kept and (hop := _beside(cell, kept))]
    if gone := [cell for cell in stairs if cell not in kept]:
        notes += [f"The path has a gap, and its hops are left out: exclude takes {_ids(gone)}."]
    notes += patterns.idle(matrix, [c.id for c in (*stairs, *further)], [c.id for c in kept])
    return Plan(
        cells=tuple(kept),
        path=path,
        hops=tuple(hops),
        unsupported=tuple(c for c in unsupported if not patterns.matches(c.id, matrix.exclude)),
        notes=tuple(notes),
    )


def _further(
    matrix: Matrix, stairs: tuple[Cell, ...], releases: Releases
) -> tuple[set[Cell], list[Cell], list[str]]:
    """The cells wanted beside the stairs, those of them that Django does not support, and notes."""
    series = dict.fromkeys(cell.django for cell in stairs)
    pythons: Iterable[str] = matrix.pythons
    if matrix.pythons == "all":
        pythons = sorted({p for v in series for p in releases.get(v).runnable_pythons})
    every = [Cell(django=d, python=p) for d, p in product(series, pythons)]
    named = {Cell(django=c.django, python=c.python) for c in matrix.include}
    supported = {c for c in (*every, *named) if c.python in releases.get(c.django).runnable_pythons}
    notes = []
    left_out = [cell for cell in every if cell not in supported and cell not in named]
    if left_out and matrix.pythons != "all":
        notes += [f"Left out, as Django does not support it: {_ids(left_out)}."]
    unsupported = sorted(named - supported, key=_age)
    if unsupported:
        notes += [f"Listed but not run, as Django does not support it: {_ids(unsupported)}."]
    return supported, unsupported, notes


def _beside(cell: Cell, cells: list[Cell]) -> Hop | None:
    """The hop to a further cell: from the series before it, else from the Python below it."""
    series = sorted({c.django for c in cells}, key=version_key)
    earlier = series[: series.index(cell.django)][-1:]
    for before in (Cell(django=version, python=cell.python) for version in earlier):
        if before in cells:
            return Hop(before=before, after=cell, axis="django", on_path=False)
    lower = [c for c in cells if c.django == cell.django and _age(c) < _age(cell)]
    if not lower:
        return None
    return Hop(before=max(lower, key=_age), after=cell, axis="python", on_path=False)


def _age(cell: Cell) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return version_key(cell.django), version_key(cell.python)


def _ids(cells: Iterable[Cell]) -> str:
    return ", ".join(cell.id for cell in cells)


def _noting(
    plan: Plan, notes: Iterable[str], requires_python: str, available: frozenset[str]
) -> Plan:
    """Add the notes, and those on Pythons that are missing here or that the target rules out."""
    notes = list(notes)
    pythons = sorted({cell.python for cell in plan.cells}, key=version_key)
    for python in pythons:
        needing = [cell for cell in plan.cells if cell.python == python]
        if python not in available:
            of = f"{len(needing)} of {len(plan.cells)} cells"
            notes += [f"Python {python} is not on this machine; {of} need it."]
    if ruled_out := [python for python in pythons if not steps.allows(requires_python, python)]:
        rule = f"The target's requires-python ({requires_python})"
        notes += [f"{rule} rules out Python {', '.join(ruled_out)}."]
    return msgspec.structs.replace(plan, notes=tuple(note for note in notes if note))


def matches(cell: Cell, pattern: str) -> bool:
    """Whether `pattern` means this cell: a glob on its id, or factors joined by hyphens.

    "py3.12-*", "django5.2", "django5.*-py3.12"; several go into one with commas between.
    """
    return patterns.matches(cell.id, [pattern])


def select(plan: Plan, wanted: tuple[str, ...]) -> Plan:
    """Keep the cells that any of the patterns `wanted` matches, and the hops between them.

    Raises:
        UsageError: nothing is left; the hint names the cells there are.
    """
    cells = tuple(cell for cell in plan.cells if patterns.matches(cell.id, wanted))
    if not cells:
        raise _nothing_selected(plan, wanted)
    idle = [part for part in patterns.parts(wanted) if not any(matches(c, part) for c in cells)]
    return msgspec.structs.replace(
        plan,
        cells=cells,
        path=tuple(cell for cell in plan.path if cell in cells),
        hops=tuple(hop for hop in plan.hops if hop.before in cells and hop.after in cells),
        unsupported=tuple(c for c in plan.unsupported if patterns.matches(c.id, wanted)),
        laid=plan.laid or plan.path,
        notes=(*plan.notes, *(f"{part!r} matches no cell." for part in idle)),
    )


def _nothing_selected(plan: Plan, wanted: tuple[str, ...]) -> UsageError:
    asked = ",".join(wanted)
    if unsupported := [c for c in plan.unsupported if patterns.matches(c.id, wanted)]:
        return UsageError(f"{asked!r}: Django does not support {_ids(unsupported)}")
    names = sorted({name for cell in plan.cells for name in (cell.id, *cell.factors)})
    close = next(filter(None, (did_you_mean(p, names) for p in patterns.parts(wanted))), "")
    return UsageError(
        f"{asked!r} matches no cell of the matrix",
        hint=f"{close} the cells are {_ids(plan.cells)}".strip(),
    )


def settings_of(matrix: Matrix, cell: Cell) -> patterns.CellSettings:
    """Put every override that matches `cell` on top of the matrix's own settings, in order.

    Variables are merged, `packages`, `before` and `after` are added (a package named again
    replaces the one before), the others are replaced.
    """
    return patterns.settings_of(matrix, cell.id)
