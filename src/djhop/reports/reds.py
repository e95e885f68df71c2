"""What is red in a cell just now, in as few lines as somebody at work on it reads; pure."""

from __future__ import annotations

from collections.abc import Iterator

from djhop import releases
from djhop.compare.changes import kind, plainly
from djhop.reports.clean import inert, one_line
from djhop.reports.paint import Paint
from djhop.reports.signs import SIGNS, tone_of_status
from djhop.reports.summary import summarise
from djhop.results.results import CellResult, Failure
from djhop.store.record import Run, cell_of

#: As many tests are named.
NAMED = 12


def text(after: CellResult, run: Run, *, width: int, color: bool) -> str:
    """Say how the cell after a hop ended, what fails in it, and what that makes of the hop."""
    paint = Paint(color)
    tone = tone_of_status(after.status)
    short = cell_of(after)
    count = f"{short.failing} of {short.ran} fail" if short.failing else f"{short.ran} ran"
    head = f"{SIGNS[tone]} {one_line(after.id)}  {after.status}, {count}"
    said = [paint.tone(tone)(head)]
    said += [one_line(after.reason, width)] if after.reason and not short.failing else []
    red = list(_red(after))
    for name, failure in red[:NAMED]:
        said.append("  " + paint.bold(one_line(name, width - 2)))
        if failure:
            said.append("    " + one_line(f"{failure.exception}: {failure.message}", width - 4))
            said += ["    " + one_line(failure.place, width - 4)] if failure.place else []
    said += [f"  and {len(red) - NAMED} more"] if len(red) > NAMED else []
    said.append(summarise(run, releases.load()).answer)
    return inert("\n".join(said))


def _red(after: CellResult) -> Iterator[tuple[str, Failure | None]]:
    """What fails, modules that cannot be loaded first."""
    yield from after.failures
    outside = {name for name, _ in after.failures}
    for test in after.tests:
        if test.id not in outside and kind(plainly(test)) == "failed":
            yield test.id, test.failure
