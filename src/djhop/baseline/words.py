"""What `djhop baseline` says of a run; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from djhop.baseline.lines import Line
from djhop.baseline.ratchet import Checked
from djhop.reports.clean import one_line, page
from djhop.reports.signs import number

#: As many lines of one kind as are shown.
LIMIT = 200


def checked(found: Checked, told: Mapping[str, str], typed: str) -> str:
    """Say what is new and what is fixed, each with what to type, and what was not checked.

    `told` says what is behind a cause; `typed` are the options and arguments of the command, with
    a space before each.
    """
    rows: list[str] = []
    if found.new:
        rows += [f"New, and not in the list ({len(found.new):,}):"]
        rows += _shown(found.new, told)
        rows += [f"  mend it, or accept it: djhop baseline record{typed}"]
    if found.fixed:
        rows += [f"In the list, and fixed, or of another cause now ({len(found.fixed):,}):"]
        rows += _shown(found.fixed, {})
        rows += [f"  take out what is fixed: djhop baseline prune{typed}"]
    rows += _unchecked(found)
    still = f"{number(len(found.known), 'line')} of the list still so"
    rows.append(still if found.new or found.fixed else f"Nothing new, nothing fixed; {still}.")
    return page("\n".join(rows))


def written(found: Checked, path: str, *, added: bool) -> str:
    """Say what was written to the file at `path`."""
    new = f"{number(len(found.new), 'line')} added, " if added else ""
    rows = [f"{path}: {new}{number(len(found.fixed), 'line')} taken out"]
    rows += _unchecked(found)
    return page("\n".join(rows))


def _shown(lines: tuple[Line, ...], told: Mapping[str, str]) -> Iterator[str]:
    """Yield lines, and below the first of each cause what is behind it."""
    said: set[str] = set()
    for line in lines[:LIMIT]:
        yield f"  {line.text}"
        if line.cause in told and line.cause not in said:
            yield f"    {one_line(told[line.cause], 160)}"
        said.add(line.cause)
    if more := len(lines[LIMIT:]):
        yield f"  … and {more:,} more"


def _unchecked(found: Checked) -> Iterable[str]:
    """Name what the run does not tell, and why."""
    for hop, why in found.unjudged.items():
        yield f"not checked: {hop}: {one_line(why)}"
    counted = Counter((line.hop, why) for line, why in found.unchecked.items())
    for (hop, why), count in counted.items():
        yield f"not checked, {number(count, 'line')} of {hop}: {one_line(why)}"
