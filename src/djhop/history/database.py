"""`history.sqlite`: opened, made, refused where it is newer, set aside where it is damaged."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from djhop.errors import InfraError, UsageError

#: 1: the first. It stands in SQLite's `user_version`.
FORMAT = 1
NAME = "history.sqlite"
#: Seconds to wait for another djhop that writes.
PATIENCE = 60.0
SCHEMA = """
CREATE TABLE run (
    at INTEGER PRIMARY KEY,          -- milliseconds since 1970 at which it began, made unique
    name TEXT NOT NULL,
    started TEXT NOT NULL,
    line TEXT NOT NULL,              -- what goes together: a project and a matrix
    revision TEXT NOT NULL,
    tree TEXT NOT NULL,
    settings TEXT NOT NULL,
    seconds REAL NOT NULL,
    UNIQUE (name, started)
);
CREATE INDEX run_line ON run (line, at);
CREATE TABLE scope (                 -- a cell or a hop of a line
    id INTEGER PRIMARY KEY,
    line TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (line, kind, name)
);
CREATE TABLE subject (               -- a test, a cause or a deprecated use
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, name)
);
CREATE TABLE lock (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    packages TEXT NOT NULL           -- JSON: name to version
);
CREATE TABLE seen (                  -- a cell or a hop of one night
    scope INTEGER NOT NULL REFERENCES scope,
    at INTEGER NOT NULL REFERENCES run,
    status TEXT NOT NULL,            -- of a hop: its verdict
    told INTEGER NOT NULL,           -- 1: its subjects were seen; 2: some may be hidden; 0: none
    amount INTEGER,                  -- tests; of a hop: what it breaks
    uses INTEGER,                    -- of a hop: deprecated uses that it removes
    suite REAL,
    seconds REAL,
    coverage REAL,
    lock INTEGER REFERENCES lock,
    PRIMARY KEY (scope, at)
) WITHOUT ROWID;
CREATE TABLE change (                -- from this night on, a subject is in this state
    scope INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,             -- of a test: its outcomes; else tests behind it; '': not there
    detail INTEGER NOT NULL,         -- of a test that fails: its cause, a subject; else 0
    PRIMARY KEY (scope, subject, at)
) WITHOUT ROWID;
CREATE TABLE pace (                  -- seconds of every test of a cell in one night
    scope INTEGER NOT NULL,
    at INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (scope, at)
);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open a history, making it where there is none.

    Raises:
        UsageError: it is of a newer djhop.
        InfraError: it cannot be opened, or another djhop has been writing to it for too long.
        sqlite3.DatabaseError: it is damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as error:
        raise InfraError(f"cannot open {path}: {error}") from error
    try:
        _prepare(made, path)
    except BaseException:
        made.close()
        raise
    return made


def _prepare(made: sqlite3.Connection, path: Path) -> None:
    try:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = NORMAL")
        made.execute("PRAGMA cache_size = -65536")  # kB
        with transaction(made):
            (found,) = made.execute("PRAGMA user_version").fetchone()
            if found > FORMAT:
                raise UsageError(
                    f"{path} was written by a newer djhop"
                    f" (format {found}; this one reads {FORMAT})",
                    hint="python -m pip install --upgrade djhop",
                )
            if not found:
                for statement in SCHEMA.split(";\n"):
                    made.execute(statement)
                made.execute(f"PRAGMA user_version = {FORMAT}")
    except sqlite3.OperationalError as error:  # it is locked, or may not be written
        raise InfraError(f"cannot use {path}: {error}") from error


@contextlib.contextmanager
def transaction(made: sqlite3.Connection) -> Iterator[None]:
    """Nobody else writes meanwhile, and all of it is kept or nothing."""
    made.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        made.execute("ROLLBACK")
        raise
    made.execute("COMMIT")


def set_aside(path: Path, now: datetime.datetime) -> Path:
    """Give a damaged history another name, so that a new one can begin; return that name.

    Raises:
        InfraError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    try:
        path.replace(aside)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
    except OSError as error:
        raise InfraError(f"cannot rename {path}: {error.strerror}") from error
    return aside
