"""Coverage lost on a hop: lines that ran in the cell before it and not in the cell after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from djhop.reports.html.texts import line

#: Files of one hop.
FILES = 300
#: Ranges of lines of one file.
RANGES = 60

#: File → the lines of it that ran.
Ran = Mapping[str, frozenset[int]]


def lost(before: Ran, after: Ran, root: str) -> dict[str, Any] | None:
    """Return the files that lost lines, most first; None where a side was not measured."""
    if not before or not after:
        return None
    rows = [
        (file, ran - after.get(file, frozenset()), ran)
        for file, ran in before.items()
        if not ran <= after.get(file, frozenset())
    ]
    rows.sort(key=lambda row: (-len(row[1]), row[0]))
    return {
        "lines": sum(len(missing) for _, missing, _ in rows),
        "total": len(rows),
        "files": [
            {
                "file": line(file.removeprefix(root.rstrip("/") + "/")),
                "lost": len(missing),
                "ran": len(ran),
                "lines": ranges(missing),
            }
            for file, missing, ran in rows[:FILES]
        ],
    }


def ranges(lines: Iterable[int]) -> str:
    """Write line numbers as a person does: "3, 7–12"; the first of many."""
    runs = []
    for _, group in groupby(enumerate(sorted(lines)), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in group]
        runs.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}")
    more = f" and {len(runs) - RANGES} more" if len(runs) > RANGES else ""
    return ", ".join(runs[:RANGES]) + more
