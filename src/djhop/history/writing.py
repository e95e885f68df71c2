"""One night into the history: only what changed is written, in whatever order nights come.

What is kept of a subject is a row for each night on which its state differs from that of the last
night before on which its cell was told of. A night that is put between two others may add a row to
the one after it, or take one away: what is kept does not depend on the order.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping

from djhop.history import nights, paces
from djhop.history.nights import Crossed, Night, Told

#: Subject → (state, detail).
States = Mapping[int, tuple[str, int]]
NOTHING = ("", 0)


def known(made: sqlite3.Connection, night: Night) -> bool:
    """Whether this run is in the history already.

    What was merged twice has two names: the same machines began and ended it at the same moments.
    """
    found = made.execute(
        "SELECT 1 FROM run WHERE started = ? AND (name = ?"
        " OR (seconds > 0 AND (line, tree, settings, seconds) = (?, ?, ?, ?)))",
        (night.started, night.run, night.line, night.tree, night.settings, night.seconds),
    )
    return found.fetchone() is not None


def begin(made: sqlite3.Connection, night: Night) -> int:
    """Write the run itself; return the moment that stands for it."""
    began = datetime.datetime.fromisoformat(night.started.replace("Z", "+00:00"))
    at = int(began.timestamp() * 1000)
    while made.execute("SELECT 1 FROM run WHERE at = ?", (at,)).fetchone():
        at += 1
    made.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(at, night.run, night.started, night.line),
            *(night.revision, night.tree, night.settings, night.seconds),
        ),
    )
    return at


def write_cell(made: sqlite3.Connection, night: Night, at: int, cell: Told) -> None:
    """Write a cell of a night."""
    scope = scope_of(made, night.line, "cell", cell.id)
    told = (2 if cell.hidden else 1) if cell.ran else 0
    made.execute(
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)",
        (
            *(scope, at, cell.status, told, len(cell.tests), cell.suite, cell.seconds),
            *(cell.coverage, _lock(made, cell.packages)),
        ),
    )
    if not cell.ran:
        return
    numbers = _subjects(made, "test", cell.tests)
    causes = {cause for _, cause in cell.tests.values() if cause}
    whose = _subjects(made, "cause", causes, night.labels)
    found = {
        numbers[test]: (state, whose.get(cause, 0)) for test, (state, cause) in cell.tests.items()
    }
    behind = Counter(cause for _, cause in cell.tests.values() if cause)
    found |= {whose[cause]: (str(count), 0) for cause, count in behind.items()}
    _write(made, scope, at, found)
    if cell.paces:
        packed = paces.pack({numbers[test]: one for test, one in cell.paces.items()})
        made.execute("INSERT INTO pace VALUES (?, ?, ?)", (scope, at, packed))


def write_hop(made: sqlite3.Connection, night: Night, at: int, hop: Crossed) -> None:
    """Write a hop of a night."""
    scope = scope_of(made, night.line, "hop", hop.id)
    judged = hop.breaks is not None
    made.execute(
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
        (scope, at, hop.verdict, int(judged), hop.breaks, len(hop.uses)),
    )
    if not judged:
        return
    causes = _subjects(made, "cause", hop.causes, night.labels)
    uses = _subjects(made, "use", hop.uses, night.labels)
    found = {causes[name]: (str(count), 0) for name, count in hop.causes.items()}
    found |= {uses[name]: (str(count), 0) for name, count in hop.uses.items()}
    _write(made, scope, at, found)


def scope_of(made: sqlite3.Connection, line: str, kind: str, name: str) -> int:
    """Return the number of a cell or a hop of a line; make it where it is new."""
    asked = (line, kind, name)
    made.execute("INSERT OR IGNORE INTO scope (line, kind, name) VALUES (?, ?, ?)", asked)
    found = made.execute("SELECT id FROM scope WHERE (line, kind, name) = (?, ?, ?)", asked)
    return int(found.fetchone()[0])


def states(made: sqlite3.Connection, scope: int, at: int) -> dict[int, tuple[str, int]]:
    """Return the state of each subject of a scope before `at`; what is not there is left out."""
    rows = made.execute(
        "SELECT subject, state, detail, MAX(at) FROM change WHERE scope = ? AND at < ?"
        " GROUP BY subject",
        (scope, at),
    )
    return {subject: (state, detail) for subject, state, detail, _ in rows if state}


def _write(made: sqlite3.Connection, scope: int, at: int, found: States) -> None:
    """Write what differs from the night before, and mend the night after."""
    before = states(made, scope, at)
    changed = {
        subject: (before.get(subject, NOTHING), found.get(subject, NOTHING))
        for subject in before.keys() | found.keys()
        if before.get(subject, NOTHING) != found.get(subject, NOTHING)
    }
    _insert(made, scope, at, {subject: now for subject, (_, now) in changed.items()})
    (after,) = made.execute(
        "SELECT MIN(at) FROM seen WHERE scope = ? AND at > ? AND told", (scope, at)
    ).fetchone()
    if after is None:
        return
    rows = made.execute(
        "SELECT subject, state, detail FROM change WHERE scope = ? AND at = ?", (scope, after)
    )
    there = {subject: (state, detail) for subject, state, detail in rows}
    same = [(scope, s, after) for s, (_, now) in changed.items() if there.get(s) == now]
    made.executemany("DELETE FROM change WHERE (scope, subject, at) = (?, ?, ?)", same)
    back = {subject: was for subject, (was, _) in changed.items() if subject not in there}
    _insert(made, scope, after, back)


def _insert(made: sqlite3.Connection, scope: int, at: int, found: States) -> None:
    rows = ((scope, subject, at, *found[subject]) for subject in sorted(found))
    made.executemany("INSERT INTO change VALUES (?, ?, ?, ?, ?)", rows)


def _lock(made: sqlite3.Connection, packages: dict[str, str]) -> int | None:
    if not packages:
        return None
    digest = nights.lock(packages)
    told = json.dumps(packages, sort_keys=True)
    made.execute("INSERT OR IGNORE INTO lock (digest, packages) VALUES (?, ?)", (digest, told))
    found = made.execute("SELECT id FROM lock WHERE digest = ?", (digest,))
    return int(found.fetchone()[0])


def _subjects(
    made: sqlite3.Connection,
    kind: str,
    names: Iterable[str],
    labels: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Return the numbers of subjects; those that are new get one."""
    rows = [(kind, name, (labels or {}).get(name, "")) for name in names]
    made.executemany("INSERT OR IGNORE INTO subject (kind, name, label) VALUES (?, ?, ?)", rows)
    wanted = {name for _, name, _ in rows}
    if len(wanted) < 200:
        asked = "SELECT id FROM subject WHERE (kind, name) = (?, ?)"
        return {name: made.execute(asked, (kind, name)).fetchone()[0] for name in wanted}
    found = made.execute("SELECT name, id FROM subject WHERE kind = ?", (kind,))
    return {name: number for name, number in found if name in wanted}
