"""What `djhop baseline` says of a run; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from djhop.baseline.lines import Line
from djhop.baseline.ratchet import Checked
from djhop.reports.clean import one_line
from djhop.reports.signs import number

#: As many lines of one kind as are shown.
LIMIT = 200


def checked(found: Checked, file: str, run: str) -> str:
    """Say what is new and what is fixed, each with what to type, and what was not checked.

    `file` and `run` are options and arguments as they were typed, with a space before each, or "".
    """
    rows: list[str] = []
    if found.new:
        rows += [f"{number(len(found.new), 'new break')} or deprecated use, not in the list:"]
        rows += _shown(found.new)
        rows += [f"  fix it, or accept it: djhop baseline record{run}{file}"]
    if found.fixed:
        rows += [f"{number(len(found.fixed), 'line')} in the list that no longer hold:"]
        rows += _shown(found.fixed)
        rows += [f"  take them out: djhop baseline prune{run}{file}"]
    rows += _unchecked(found)
    held = f"{number(len(found.known), 'line')} of the list hold"
    rows.append(held if found.new or found.fixed else f"Nothing new, nothing fixed; {held}.")
    return "\n".join(rows)


def written(found: Checked, path: str, *, added: bool) -> str:
    """Say what was written to the file at `path`."""
    new = f"{number(len(found.new), 'line')} added, " if added else ""
    rows = [f"{path}: {new}{number(len(found.fixed), 'line')} taken out"]
    rows += _unchecked(found)
    return "\n".join(rows)


def _shown(lines: tuple[Line, ...]) -> Iterator[str]:
    yield from (f"  {one_line(line.text)}" for line in lines[:LIMIT])
    if more := len(lines[LIMIT:]):
        yield f"  … and {more:,} more"


def _unchecked(found: Checked) -> Iterable[str]:
    """Name what the run does not tell, and why."""
    for hop, why in found.unjudged.items():
        yield f"not checked: {hop}: {one_line(why)}"
    counted = Counter((line.hop, why) for line, why in found.unchecked.items())
    for (hop, why), count in counted.items():
        yield f"not checked, {number(count, 'line')} of {hop}: {one_line(why)}"
