"""A run → the rows, labels and counts of every report, computed once; pure."""

from __future__ import annotations

import msgspec

from djhop.compare.causes import Cause
from djhop.matrix.plan import Cell
from djhop.releases import Releases, version_key
from djhop.reports.ahead import RemovalView, Unknown, notes, removals, unknowns
from djhop.reports.clean import one_line as clean
from djhop.reports.fixes import with_fixes
from djhop.reports.foretold import checked
from djhop.reports.hops import CauseView, HopView, view, views
from djhop.reports.peels import with_peel
from djhop.reports.shown import Shown, shown
from djhop.reports.signs import SIGNS, Tone, listed, number, tone_of_status
from djhop.reports.since import SinceView
from djhop.reports.since import view as since_view
from djhop.reports.steps import StepsView
from djhop.reports.steps import view as steps_view
from djhop.results.results import CellResult, Status
from djhop.store.record import Run, RunCell, cell_of

#: As many causes, uses and ids as a list shows.
LIMIT = 8

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Square(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the grid."""

    id: str
    sign: str
    tone: Tone
    #: Tests that ran, or that fail of those: "314", "22 of 138".
    count: str
    status: Status
    on_path: bool = False


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage of one cell, or of all combined, in per cent."""

    cell: str
    percent: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that is red for causes that no hop of this run accounts for."""

    cell: str
    sign: str
    tone: Tone
    status: Status
    causes: tuple[CauseView, ...]
    more: int = 0


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report says, in the order it says it. Every text is safe to print."""

    title: str
    answer: str
    tone: Tone
    #: What changed since the night before; None where none is remembered.
    since: SinceView | None
    #: Django series across, Python minors down.
    series: tuple[str, ...]
    pythons: tuple[str, ...]
    #: (python, series) → the cell there.
    grid: dict[tuple[str, str], Square]
    path: tuple[HopView, ...]
    beside: tuple[HopView, ...]
    standing: tuple[Standing, ...]
    steps: StepsView
    coverage: tuple[Covered, ...]
    removals: tuple[RemovalView, ...]
    #: What warnings foretold, against what broke: a line for all, and one for each hop.
    foretold: tuple[str, ...]
    flaky: Shown
    unknowns: tuple[Unknown, ...]
    #: What was assumed, and what cells had to say.
    notes: tuple[str, ...]
    #: "run 20261121-014452-lts, 4 cells, 32 s, djhop 0.1.0".
    footer: str
    run: str


def summarise(run: Run, releases: Releases, *, limit: int = LIMIT) -> Summary:
    """Compute what every report of `run` says; lists are cut to `limit`."""
    causes = {cause.id: cause for cause in run.causes}
    hops = {hop.id: hop for hop in run.plan.hops}
    blames = {(one.cause, one.hop): one for one in run.blames}
    shown_hops = [
        with_peel(
            with_fixes(view(hop, hops[hop.id], causes, limit, blames), hop.id, run.fixes),
            hop.after,
            run,
        )
        for hop in run.hops
        if hop.id in hops
    ]
    path = tuple(one for one in shown_hops if one.on_path)
    cells = [cell for cell in run.cells if cell.status != "unsupported"]
    return Summary(
        title=_title(run),
        answer=" ".join(
            filter(None, (_tests(run, path, cells), _steps_clause(path), _expired(run)))
        ),
        tone=_worst_tone(path),
        since=since_view(run.since, run.name, limit) if run.since else None,
        series=tuple(sorted({cell.django for cell in cells}, key=version_key)),
        pythons=tuple(sorted({cell.python for cell in cells}, key=version_key)),
        grid={(cell.python, cell.django): _square(cell, run.plan.path) for cell in cells},
        path=path,
        beside=tuple(one for one in shown_hops if not one.on_path),
        standing=tuple(_standing(cell, causes, limit) for cell in cells if cell.standing),
        steps=steps_view(run, limit),
        coverage=_coverage(run, cells),
        removals=removals(run, releases, limit),
        foretold=checked(run, limit),
        flaky=_flaky(cells, limit),
        unknowns=unknowns(run, releases),
        notes=notes(run),
        footer=_footer(run),
        run=clean(run.name, 100),
    )


def _coverage(run: Run, cells: list[RunCell]) -> tuple[Covered, ...]:
    """What ran in each cell, and, of several, what ran in any."""
    shares = {cell.id: cell.coverage for cell in cells if cell.coverage is not None}
    if run.coverage is not None and len(shares) > 1:
        shares["combined"] = run.coverage
    return tuple(Covered(cell=name, percent=f"{share:.1f} %") for name, share in shares.items())


def _title(run: Run) -> str:
    series = [cell.django for cell in run.plan.path]
    ends = " → ".join(dict.fromkeys((series[0], series[-1]))) if series else ""
    return f"{clean(run.target.name, 60) or 'target'}: " + (f"Django {ends}" if ends else "no path")


def answer(hops: tuple[HopView, ...]) -> str:
    """Answer the question in one sentence: where does the upgrade break, and why."""
    said = [_clause(hop) for hop in hops if hop.verdict in ("breaks", "blocked")]
    unknown = [hop.title for hop in hops if hop.verdict == "unknown"]
    said += [f"{listed(unknown)} cannot be judged"] if unknown else []
    clean_hops = [hop for hop in hops if hop.verdict == "clean"]
    deprecated = [hop for hop in hops if hop.verdict == "deprecated"]
    if len(clean_hops) == len(hops):
        said = ["every hop is clean" if len(hops) > 1 else f"{hops[0].title} is clean"]
    elif clean_hops:
        count = len(clean_hops)
        many = NUMBERS[count] if count < len(NUMBERS) else str(count)
        said.append(f"{many} {'hop is' if count == 1 else 'hops are'} clean")
    if deprecated:
        names = listed([hop.title for hop in deprecated])
        said.append(
            f"{names} {'breaks' if len(deprecated) == 1 else 'break'} nothing, with deprecations"
        )
    text = "; ".join(said) + "."
    return text[0].upper() + text[1:]


def _tests(run: Run, path: tuple[HopView, ...], cells: list[RunCell]) -> str:
    """Answer for the tests; where none was to be run, say so."""
    only = run.matrix.settings.get("only") or ["tests"]
    if "tests" not in only:
        return f"No test was run, as asked (only: {clean(', '.join(only), 100)})."
    return _unasked(path, cells) or answer(path) if path else _alone(cells)


def _unasked(path: tuple[HopView, ...], cells: list[RunCell]) -> str:
    """Answer for one hop whose cell before was left out, as nothing fails after it; or ""."""
    match cells:
        case [before, after] if len(path) == 1:
            if before.status == "not-run" and after.status == "passed":
                passes = number(after.ran, "test passes", "tests pass")
                where = f"on Django {after.django}, strictly too"
                return f"{passes} {where}; {before.id} was not run."
    return ""


def _steps_clause(path: tuple[HopView, ...]) -> str:
    """Answer for Django's own steps, of which no verdict tells."""
    broke = [hop.title for hop in path if hop.steps_broke]
    new = [hop.title for hop in path if hop.steps_new and not hop.steps_broke]
    said = [f"break on {listed(broke)}"] if broke else []
    said += [f"have something new to say on {listed(new)}"] if new else []
    return f"Django's own upgrade steps {' and '.join(said)}." if said else ""


def _expired(run: Run) -> str:
    """Say which entries of the list of known flaky tests fail the run."""
    count = len(run.expired)
    verb = "has" if count == 1 else "have"
    return f"{number(count, 'known flaky test')} {verb} expired." if count else ""


def _alone(cells: list[RunCell]) -> str:
    """Say how each cell went where no hop of the path is among them."""
    said = [
        f"{cell.id} {cell.status}" + (f" ({n})" if (n := count(cell)) else "") for cell in cells
    ]
    return f"There is no hop to judge: {listed(said[:LIMIT])}." if said else "There is no cell."


def _standing(cell: RunCell, causes: dict[str, Cause], limit: int) -> Standing:
    tone = tone_of_status(cell.status)
    return Standing(
        cell=cell.id,
        sign=SIGNS[tone],
        tone=tone,
        status=cell.status,
        causes=views(cell.standing[:limit], causes),
        more=len(cell.standing[limit:]),
    )


def _clause(hop: HopView) -> str:
    if hop.verdict == "blocked":
        return f"{hop.title} is blocked: {clean(hop.sentence, 120)}"
    reasons = len(hop.causes) + hop.more_causes
    why = f" for {number(reasons, 'reason')}" if reasons else ""
    whose = f", {_whose(hop.owners)}" if hop.owners else ""
    what = f"breaks {number(hop.breaking, 'test')}" if hop.breaking else "breaks"
    return f"{hop.title} {what}{why}{whose}"


def _whose(owners: tuple[str, ...]) -> str:
    return f"in {listed(list(owners[:3]))}" + (" and others" if len(owners) > 3 else "")


def _worst_tone(hops: tuple[HopView, ...]) -> Tone:
    order: tuple[Tone, ...] = ("bad", "blocked", "unknown", "warn", "good")
    tones: list[Tone] = [hop.tone for hop in hops]
    tones += ["bad" for hop in hops if hop.steps_broke]
    return min(tones, key=order.index, default="unknown")


def _square(cell: RunCell, path: tuple[Cell, ...]) -> Square:
    tone = tone_of_status(cell.status)
    return Square(
        id=cell.id,
        sign=SIGNS[tone],
        tone=tone,
        count=count(cell),
        status=cell.status,
        on_path=any(step.id == cell.id for step in path),
    )


def count(cell: RunCell) -> str:
    """Say in a few words how a cell's tests went: "314", "22 of 138", "none ran"."""
    if not cell.ran:
        return "" if tone_of_status(cell.status) in ("unknown", "blocked") else "none ran"
    forced = ", forced" if cell.forced else ""
    return (f"{cell.failing:,} of {cell.ran:,}" if cell.failing else f"{cell.ran:,}") + forced


def _flaky(cells: list[RunCell], limit: int) -> Shown:
    found = tuple(f"{test} ({cell.id})" for cell in cells for test in cell.flaky)
    return shown("flaky", found, limit)


def _footer(run: Run) -> str:
    parts = (
        f"run {clean(run.name, 100)}",
        number(len(run.plan.cells), "cell"),
        f"{run.seconds:,.0f} s",
        f"djhop {clean(run.djhop, 30)}",
    )
    return ", ".join(parts)


def one_line(result: CellResult) -> str:
    """Say in one line how a cell ended: "✓ passed  314, 91.2 % covered, 3.2 s"."""
    sign = SIGNS[tone_of_status(result.status)]
    parts = [
        count(cell_of(result)),
        f"{result.coverage:.1f} % covered" if result.coverage is not None else "",
        f"{sum(result.seconds.values()):.1f} s" if result.seconds else "",
        clean(result.reason, 120),
    ]
    return f"{sign} {result.status}  " + ", ".join(part for part in parts if part)
