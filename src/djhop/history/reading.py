"""Questions to a history: what one night was, and how a subject fared over many."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from djhop.history import states


class Row(NamedTuple):
    """A run."""

    at: int
    name: str
    started: str
    revision: str
    tree: str
    settings: str


class Seen(NamedTuple):
    """A cell or a hop of one night."""

    at: int
    status: str
    told: int
    amount: int | None
    uses: int | None
    suite: float | None
    seconds: float | None
    coverage: float | None
    lock: int | None


class Step(NamedTuple):
    """From `at` on, a subject was in this state."""

    at: int
    state: str
    detail: int


class Scope(NamedTuple):
    """A cell or a hop of a line."""

    id: int
    line: str
    name: str


class Subject(NamedTuple):
    """A test, a cause or a deprecated use."""

    id: int
    kind: str
    name: str
    label: str


def runs(made: sqlite3.Connection, line: str, *, until: int | None = None) -> list[Row]:
    """Return the runs of a line that began before `until`, oldest first."""
    asked = "SELECT at, name, started, revision, tree, settings FROM run WHERE line = ?"
    rows = made.execute(
        f"{asked} AND at < ? ORDER BY at",
        (line, 1 << 62 if until is None else until),
    )
    return [Row(*row) for row in rows]


def lines(made: sqlite3.Connection) -> list[str]:
    """Return every line, the one with the newest run first."""
    rows = made.execute("SELECT line FROM run GROUP BY line ORDER BY MAX(at) DESC")
    return [line for (line,) in rows]


def scopes(made: sqlite3.Connection, kind: str, line: str) -> list[Scope]:
    """Return the cells or the hops of a line."""
    rows = made.execute(
        "SELECT id, line, name FROM scope WHERE kind = ? AND line = ? ORDER BY id", (kind, line)
    )
    return [Scope(*row) for row in rows]


def seen(made: sqlite3.Connection, scope: int, *, until: int | None = None) -> list[Seen]:
    """Return the nights of a cell or a hop before `until`, oldest first."""
    rows = made.execute(
        "SELECT at, status, told, amount, uses, suite, seconds, coverage, lock FROM seen"
        " WHERE scope = ? AND at < ? ORDER BY at",
        (scope, 1 << 62 if until is None else until),
    )
    return [Seen(*row) for row in rows]


def steps(made: sqlite3.Connection, scope: int, subject: int) -> list[Step]:
    """Return how one subject fared in a cell or on a hop, oldest first."""
    rows = made.execute(
        "SELECT at, state, detail FROM change WHERE scope = ? AND subject = ? ORDER BY at",
        (scope, subject),
    )
    return [Step(*row) for row in rows]


def every_step(
    made: sqlite3.Connection, scope: int, until: int, *, quiet: int = -1
) -> Iterator[tuple[int, list[Step]]]:
    """Yield the subjects of a cell with how each fared up to `until`, oldest first.

    Left out are those of which there is nothing to say: they are fine, and have been since `quiet`.
    """
    rows = made.execute(
        "SELECT subject, at, state, detail FROM change WHERE scope = :scope AND at <= :until"
        " AND subject IN (SELECT subject FROM ("
        "SELECT subject, state, MAX(at) AS last FROM change WHERE scope = :scope AND at <= :until"
        " GROUP BY subject) WHERE last > :quiet OR state = '' OR state GLOB '[fec]*'"
        " OR state GLOB '*~') ORDER BY subject, at",
        {"scope": scope, "until": until, "quiet": quiet},
    )
    for subject, found in groupby(rows, key=lambda row: row[0]):
        yield subject, [Step(at, state, detail) for _, at, state, detail in found]


def subjects(made: sqlite3.Connection, kind: str) -> dict[int, str]:
    """Return the name of every subject of a kind, by its number."""
    rows = made.execute("SELECT id, name FROM subject WHERE kind = ?", (kind,))
    return dict(rows.fetchall())


def find(made: sqlite3.Connection, text: str, kinds: tuple[str, ...]) -> list[Subject]:
    """Return the subjects that are called `text`; where there is none, those that hold it."""
    marks = ", ".join("?" * len(kinds))
    asked = f"SELECT id, kind, name, label FROM subject WHERE kind IN ({marks})"
    exact = made.execute(f"{asked} AND name = ?", (*kinds, text)).fetchall()
    rows = exact or made.execute(
        f"{asked} AND instr(lower(name), lower(?)) ORDER BY name LIMIT 50", (*kinds, text)
    )
    return [Subject(*row) for row in rows]


def packages(made: sqlite3.Connection, lock: int | None) -> dict[str, str]:
    """Return what was installed; {} where nobody recorded it."""
    row = made.execute("SELECT packages FROM lock WHERE id = ?", (lock,)).fetchone()
    found: dict[str, str] = json.loads(row[0]) if row else {}
    return found


def columns(made: sqlite3.Connection, scope: int, until: int, count: int) -> list[bytes]:
    """Return the packed seconds of a cell's last nights before `until`, oldest first."""
    rows = made.execute(
        "SELECT packed FROM pace WHERE scope = ? AND at < ? ORDER BY at DESC LIMIT ?",
        (scope, until, count),
    )
    return [packed for (packed,) in rows][::-1]


def strip(found: list[Step], told: dict[int, int], moments: list[int]) -> str:
    """Return a character for each of `moments`: how a test ended then.

    `told` says of each night of the cell whether its tests were seen, as in the table `seen`.
    """
    line, place, state = [], 0, states.ABSENT
    for at in moments:
        while place < len(found) and found[place].at <= at:
            state, place = found[place].state, place + 1
        line.append(_letter(state, told.get(at, 0)))
    return "".join(line)


def _letter(state: str, told: int) -> str:
    if not told:
        return states.NO_NIGHT
    if not state:
        return "." if told == 1 else states.UNKNOWN
    if states.wavers(state):
        return "~"
    return "w" if states.warned(state) else state[0]
