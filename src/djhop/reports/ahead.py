"""Deprecations by the series that removes them, and what a run could not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from djhop.compare.reasons import missing_words
from djhop.errors import UsageError
from djhop.releases import Releases, version_key
from djhop.reports import foretold
from djhop.reports.clean import one_line
from djhop.reports.signs import listed, number, owner
from djhop.store.record import DeprecatedUse, Run, RunCell

#: How a cell's own note about its canaries reads (`results.build`).
NOT_IN_FORCE = "not in force"
UNPROVEN = "the strict filter was not in force in some tests; that they pass strictly says nothing"
DISTANCE = {1: "next after", 2: "the one after next from"}


class UseView(msgspec.Struct, frozen=True, kw_only=True):
    """One deprecated use."""

    place: str
    headline: str
    owner: str
    #: "314 tests", "at import, pending, broke on 3.2 → 4.2".
    seen: str


class RemovalView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one Django series removes."""

    #: "removed in Django 4.0", or that nobody says.
    title: str
    #: "next after 3.2", "breaks on 3.2 → 4.2".
    relation: str
    #: "12 uses: 8 in your code, 4 in django-filter".
    count: str
    uses: tuple[UseView, ...]
    more: int = 0


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Something djhop could not know, and what to type about it."""

    text: str
    hint: str = ""


def removals(run: Run, releases: Releases, limit: int | None = None) -> tuple[RemovalView, ...]:
    """Group uses by the Django, then the Python that removes them, soonest first."""
    groups: dict[tuple[str, str], list[DeprecatedUse]] = {}
    for use in run.deprecations:
        groups.setdefault((use.removed_in or "", use.removed_in_python or ""), []).append(use)
    order = sorted(
        groups, key=lambda ends: [(not end, version_key(end) if end else ()) for end in ends]
    )
    return tuple(_removal(run, releases, groups[ends], limit) for ends in order)


def _removal(
    run: Run, releases: Releases, uses: list[DeprecatedUse], limit: int | None
) -> RemovalView:
    outcomes = foretold.outcomes(run)
    uses = sorted(uses, key=lambda use: (use.owner.kind != "project", -use.tests, use.place))
    owners = Counter(owner(use.owner) for use in uses)
    one = len(owners) == 1
    counted = listed([f"in {who}" if one else f"{n} in {who}" for who, n in owners.most_common()])
    return RemovalView(
        title=foretold.removal(uses[0]) or "nobody says when it is removed",
        relation=_relation(run, releases, uses),
        count=f"{number(len(uses), 'use')}{', ' if len(owners) == 1 else ': '}{counted}",
        uses=tuple(_use(use, outcomes.get(use.id, "")) for use in uses[:limit]),
        more=len(uses[limit:]) if limit is not None else 0,
    )


def _relation(run: Run, releases: Releases, uses: list[DeprecatedUse]) -> str:
    """Say how far off the removal is from the series that warn, and on which hop it comes."""
    series = uses[0].removed_in or ""
    known = [row.version for row in releases.series]
    django = {cell.id: cell.django for cell in run.cells}
    seen = sorted({django[c] for use in uses for c in use.cells if c in django}, key=version_key)
    words = []
    for distance, text in DISTANCE.items():
        near = [
            one
            for one in seen
            if one in known
            and series in known
            and known.index(series) - known.index(one) == distance
        ]
        words += [f"{text} {listed(near)}"] if near else []
    words += [foretold.where(run, uses[0])]
    return ", ".join(filter(None, words))


def _use(use: DeprecatedUse, outcome: str) -> UseView:
    tests = number(use.tests, "test") if use.tests else ""
    seen = tests or (f"at {one_line(use.when, 20)}" if use.when else "outside tests")
    words = (seen, "" if use.fatal else "pending", outcome)
    return UseView(
        place=one_line(use.place, 120),
        headline=one_line(f"{use.category.rpartition('.')[2]}: {one_line(use.message, 200)}", 260),
        owner=owner(use.owner),
        seen=", ".join(filter(None, words)),
    )


def unknowns(run: Run, releases: Releases) -> tuple[Unknown, ...]:
    """List what the run could not know, what hides most first."""
    return tuple(
        unknown
        for found in (
            _cut_short(run),
            _without_result(run),
            _behind_the_first(run),
            _strictness(run.cells),
            _quiet(run.cells, releases),
        )
        for unknown in found
    )


def _cut_short(run: Run) -> Iterable[Unknown]:
    if not run.complete:
        yield Unknown(
            text="The run was cut short: this is what had finished. The same command with --resume "
            "does the rest."
        )


def _without_result(run: Run) -> Iterable[Unknown]:
    asked = "tests" in (run.matrix.settings.get("only") or ["tests"])
    cells = [cell for cell in run.cells if asked or cell.status != "not-run"]
    for cell in cells:
        if cell.status in ("no-python", "infra", "interrupted", "not-run"):
            words = missing_words(cell.status, django=cell.django, python=cell.python)
            known = cell.status == "no-python" or not cell.reason
            why = "" if known else f" ({one_line(cell.reason)})"
            yield Unknown(text=f"{cell.id}: {words}{why}.", hint=one_line(cell.hint))
    never = [cell.id for cell in cells if cell.status == "unsupported"]
    if never:
        yield Unknown(text=f"Not run, since Django does not support them: {listed(never)}.")


def _behind_the_first(run: Run) -> Iterable[Unknown]:
    ran = {cell.id for cell in run.cells if cell.ran}
    dead = [hop for hop in run.hops if hop.verdict == "breaks" and hop.after not in ran]
    peeled = {peel.id for peel in run.peels}
    for hop in dead:
        if hop.after not in peeled:
            text = f"{hop.after}: no test ran, so what is behind the first cause has not been seen."
            yield Unknown(text=text, hint=f"djhop peel --cell {hop.after}")


def _strictness(cells: tuple[RunCell, ...]) -> Iterable[Unknown]:
    said: list[tuple[str, str]] = []
    for cell in cells:
        told = [one_line(note) for note in cell.notes if NOT_IN_FORCE in note]
        if not cell.canary:
            said += [(cell.id, note) for note in told or [UNPROVEN]]
        if cell.without_strict:
            said.append((cell.id, f"{number(cell.without_strict, 'test')} without strict outcome"))
    yield from (Unknown(text=text) for text in by_cells(said))


def _quiet(cells: tuple[RunCell, ...], releases: Releases) -> Iterable[Unknown]:
    """A series in which no Django code warns: passing there strictly foretells nothing."""
    for series in dict.fromkeys(cell.django for cell in cells if cell.status == "passed"):
        try:
            quiet = releases.get(series).quiet
        except UsageError:  # a run of a djhop that knew more series
            continue
        if quiet:
            yield Unknown(
                text=f"Django {series} itself raises no DeprecationWarning: that its strict runs "
                "are green says nothing about the next series."
            )


def notes(run: Run) -> tuple[str, ...]:
    """What was assumed, and what cells had to say, once each."""
    said = [
        (cell.id, one_line(note))
        for cell in run.cells
        for note in cell.notes
        if cell.canary or NOT_IN_FORCE not in note
    ]
    return (*(one_line(note) for note in run.notes), *by_cells(said))


def by_cells(said: list[tuple[str, str]]) -> tuple[str, ...]:
    """Say each text once, after the cells that said it."""
    cells: dict[str, list[str]] = {}
    for cell, text in said:
        cells.setdefault(text, []).append(cell)
    return tuple(
        f"{listed(ids) if len(ids) < 4 else f'{ids[0]} and {len(ids) - 1} more'}: {text}"
        for text, ids in cells.items()
    )
