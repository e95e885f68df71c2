"""What a person asks a history: of one test, one cell, one cause; or which nights there are."""

from __future__ import annotations

import sqlite3

import msgspec

from djhop.history import nights, reading, states
from djhop.history.reading import Row, Scope, Seen, Step, Subject

#: Changes of a test that are told, the newest; nights of a cell.
CHANGES, NIGHTS = 8, 30


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """From this night on it was so."""

    started: str
    run: str
    revision: str
    #: "passed", "failed" …; of a cause: how many tests.
    what: str
    #: Why it failed: a cause, and what that is.
    cause: str = ""
    label: str = ""


class Fared(msgspec.Struct, frozen=True, kw_only=True):
    """How a test or a cause fared in one cell, or on one hop."""

    line: str
    #: The test or the cause.
    name: str
    #: What a cause is; "" for a test.
    label: str = ""
    place: str
    #: A character for each of the last nights: see `reading.strip`; "" for a cause.
    strip: str = ""
    #: The newest last.
    turns: tuple[Turn, ...]
    earlier: int = 0


class CellNight(msgspec.Struct, frozen=True, kw_only=True):
    """A cell in one night."""

    line: str
    started: str
    run: str
    revision: str
    status: str
    tests: int
    seconds: float
    coverage: float | None
    #: Since the night before.
    moved: tuple[str, ...] = ()


class NightLine(msgspec.Struct, frozen=True, kw_only=True):
    """A night in a line."""

    line: str
    started: str
    run: str
    revision: str
    #: Status → cells.
    cells: dict[str, int]
    #: What all hops break, as far as they were judged.
    breaks: int


def of_subject(made: sqlite3.Connection, text: str) -> list[Fared]:
    """Return how the tests or causes called `text`, or holding it, fared in every line."""
    found = reading.find(made, text, ("test", "cause"))
    told = []
    for line in reading.lines(made):
        rows = {row.at: row for row in reading.runs(made, line)}
        for subject in found:
            kinds = ("cell", "hop") if subject.kind == "cause" else ("cell",)
            for scope in (one for kind in kinds for one in reading.scopes(made, kind, line)):
                if steps := reading.steps(made, scope.id, subject.id):
                    told.append(_fared(made, subject, scope, steps, rows))
    return told


def of_cell(made: sqlite3.Connection, name: str) -> list[CellNight]:
    """Return the last nights of the cell with this id, in every line; oldest first."""
    told = []
    for line in reading.lines(made):
        rows = {row.at: row for row in reading.runs(made, line)}
        for scope in reading.scopes(made, "cell", line):
            if scope.name == name:
                seen = reading.seen(made, scope.id)
                told += _nights(made, seen, rows, line)
    return told


def cells(made: sqlite3.Connection) -> list[str]:
    """Return the id of every cell."""
    rows = made.execute("SELECT DISTINCT name FROM scope WHERE kind = 'cell' ORDER BY name")
    return [name for (name,) in rows]


def every_night(made: sqlite3.Connection) -> list[NightLine]:
    """Return the last nights of every line, oldest first."""
    told = []
    for line in reading.lines(made):
        for row in reading.runs(made, line)[-NIGHTS:]:
            found = made.execute(
                "SELECT seen.status, scope.kind, seen.amount FROM scope"
                " JOIN seen ON seen.scope = scope.id AND seen.at = ? WHERE scope.line = ?",
                (row.at, line),
            ).fetchall()
            statuses = [status for status, kind, _ in found if kind == "cell"]
            told.append(
                NightLine(
                    line=line,
                    started=row.started,
                    run=row.name,
                    revision=row.revision,
                    cells={one: statuses.count(one) for one in dict.fromkeys(statuses)},
                    breaks=sum(amount or 0 for _, kind, amount in found if kind == "hop"),
                )
            )
    return told


def _fared(
    made: sqlite3.Connection,
    subject: Subject,
    scope: Scope,
    steps: list[Step],
    rows: dict[int, Row],
) -> Fared:
    test = subject.kind == "test"
    told = {one.at: one.told for one in reading.seen(made, scope.id)} if test else {}
    kept = steps[-CHANGES:]
    return Fared(
        line=scope.line,
        name=subject.name,
        label=subject.label,
        place=scope.name,
        strip=reading.strip(steps, told, list(rows)[-NIGHTS:]) if test else "",
        turns=tuple(_turn(made, step, rows[step.at], told) for step in kept),
        earlier=len(steps) - len(kept),
    )


def _turn(made: sqlite3.Connection, step: Step, row: Row, told: dict[int, int]) -> Turn:
    cause = made.execute("SELECT name, label FROM subject WHERE id = ?", (step.detail,)).fetchone()
    name, label = cause or ("", "")
    what = _said(step.state, told.get(step.at, 1)) if told else _tests(step.state)
    return Turn(
        started=row.started, run=row.name, revision=row.revision, what=what, cause=name, label=label
    )


def _tests(count: str) -> str:
    return "1 test" if count == "1" else f"{count or 'no'} tests"


def _said(state: str, told: int) -> str:
    """Say in words how a test ended."""
    if not state:
        return "not there" if told == 1 else "not seen: a part of the suite did not run"
    words = {letter: outcome for outcome, letter in states.LETTERS.items() if outcome}
    plain = words.get(state[0], "unknown")
    if states.wavers(state):
        return "flaky"
    return "passed, but not strictly" if states.warned(state) else plain


def _nights(
    made: sqlite3.Connection, seen: list[Seen], rows: dict[int, Row], line: str
) -> list[CellNight]:
    found = []
    for place, one in list(enumerate(seen))[-NIGHTS:]:
        before = next((s.lock for s in reversed(seen[:place]) if s.lock), None)
        moved: tuple[str, ...] = ()
        if before is not None and one.lock is not None and before != one.lock:
            moved = nights.moved(reading.packages(made, before), reading.packages(made, one.lock))
        found.append(
            CellNight(
                line=line,
                started=rows[one.at].started,
                run=rows[one.at].name,
                revision=rows[one.at].revision,
                status=one.status,
                tests=one.amount or 0,
                seconds=one.seconds or 0.0,
                coverage=one.coverage,
                moved=moved,
            )
        )
    return found
