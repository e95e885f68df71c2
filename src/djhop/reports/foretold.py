"""What deprecations foretold, against what broke: the hit rate, in all and by hop."""

from __future__ import annotations

from collections.abc import Iterator

from djhop.compare.foretold import Foretold, Tally
from djhop.releases import version_key
from djhop.reports.clean import one_line
from djhop.reports.signs import number
from djhop.store.record import DeprecatedUse, Run

_OUTCOMES = {"broke": "broke", "did-not-break": "did not break", "not-seen": "not seen"}


def checked(run: Run, limit: int) -> tuple[str, ...]:
    """Return a line for the whole path and one for each hop that has something to say."""
    hops = [(_title(run, hop.id), hop.foretold) for hop in run.hops if hop.foretold is not None]
    lines = [f"{title}: {_counts(one.tally)}" for title, one in hops if _says(one.tally)]
    if not lines:
        return ()
    return (f"{_rate(run.foretold)}.", *lines, *_unforeseen(run, limit))


def outcomes(run: Run) -> dict[str, str]:
    """Say of each deprecated use that was checked what became of it: "broke on 3.2 → 4.2"."""
    return {
        one.use: f"{_OUTCOMES[one.outcome]} on {_title(run, hop.id)}"
        for hop in run.hops
        for one in (hop.foretold or Foretold()).predictions
    }


def removal(use: DeprecatedUse) -> str:
    """Say what removes it: "removed in Django 4.0"; "" where nobody says."""
    if use.removed_in:
        return f"removed in Django {use.removed_in}"
    return f"removed in Python {use.removed_in_python}" if use.removed_in_python else ""


def where(run: Run, use: DeprecatedUse) -> str:
    """Say which step of the path reaches the removal of a use."""
    if use.hop:
        return f"gone on the hop {_title(run, use.hop)}"
    path = run.plan.laid or run.plan.path
    if not path:
        return ""
    ends = ((use.removed_in, path[-1].django), (use.removed_in_python, path[-1].python))
    after = any(end and version_key(end) > version_key(goal) for end, goal in ends)
    return "after the goal of this path" if after else ""


def _title(run: Run, hop: str) -> str:
    """Name a hop by what it changes, as every report does: "3.2 → 4.2", "Python 3.8 → 3.10"."""
    cells = {cell.id: cell for cell in (*run.plan.cells, *run.plan.laid)}
    ends = [cells.get(name) for name in hop.split("..")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return hop
    before, after = ends[0], ends[1]
    if before.django == after.django:
        return f"Python {before.python} → {after.python}"
    return f"{before.django} → {after.django}"


def _says(tally: Tally) -> bool:
    return tally != Tally()


def _rate(tally: Tally) -> str:
    """Say in one sentence how many of the predictions came true."""
    checked = tally.broke + tally.did_not_break
    if tally.hit_rate is None:
        what = "No prediction could be checked"
    else:
        uses = number(checked, "deprecated use")
        what = f"{tally.broke} of {uses} that could be checked broke ({tally.hit_rate:g} %)"
    causes = number(tally.without_warning, "cause")
    return f"{what}; {causes} broke without warning" if tally.without_warning else what


def _counts(tally: Tally) -> str:
    predicted = (
        (tally.broke, "predicted and broke"),
        (tally.did_not_break, "predicted and did not break"),
        (tally.not_seen, "predicted and not seen (its tests did not run, or fail otherwise)"),
    )
    causes = (
        (tally.without_warning, "broke without warning"),
        (tally.unclear, "of which a warning may have told"),
    )
    said = [f"{count:,} {words}" for count, words in predicted if count]
    said += [f"{number(count, 'cause')} {words}" for count, words in causes if count]
    return "; ".join(said)


def _unforeseen(run: Run, limit: int) -> Iterator[str]:
    """Name the causes that broke without warning."""
    causes = {cause.id: cause for cause in run.causes}
    found = [
        (_title(run, hop.id), causes[key])
        for hop in run.hops
        for key in (hop.foretold or Foretold()).without_warning
        if key in causes
    ]
    for title, cause in found[:limit]:
        name = one_line(cause.exception, 100).rpartition(".")[2]
        yield f"without warning on {title}: {name}: {one_line(cause.message, 160)}"
    if more := len(found[limit:]):
        yield f"… and {more:,} more without warning"
