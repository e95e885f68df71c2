"""What a step says of the tables of an SQLite database."""

from __future__ import annotations

import contextlib
import importlib.util
import sqlite3
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from djhop.cells.workplace import PROBE


@pytest.fixture(scope="module")
def probe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schema", PROBE / "djhop_steps_schema.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Cursor:
    """A cursor as Django's, which takes %s."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real.cursor()

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        self._real.execute(statement.replace("%s", "?"), values)

    def fetchall(self) -> list[Any]:
        return self._real.fetchall()

    def fetchone(self) -> Any:
        return self._real.fetchone()


@pytest.fixture
def real() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def django(real: sqlite3.Connection) -> Any:
    names = [row[0] for row in real.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return SimpleNamespace(
        vendor="sqlite",
        cursor=lambda: contextlib.nullcontext(Cursor(real)),
        introspection=SimpleNamespace(table_names=lambda _: names),
        ops=SimpleNamespace(quote_name=lambda name: f'"{name}"'),
    )


def test_columns(probe: ModuleType, real: sqlite3.Connection) -> None:
    real.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(5) NOT NULL DEFAULT 'x', "
        "up text NOT NULL GENERATED ALWAYS AS (upper(a)) STORED)"
    )
    assert {
        one["name"]: (one["null"], one["default"]) for one in probe.schema(django(real))["t"]
    } == {
        "id": (True, None),
        "a": (False, "'x'"),
        # Nobody has to write it.
        "up": (True, "generated"),
    }


@pytest.mark.parametrize(
    ("statement", "texts"),
    [
        ("a integer", []),
        ("id integer PRIMARY KEY AUTOINCREMENT", []),
        ("id text PRIMARY KEY, a text", []),
        ("a text UNIQUE, b text", ["UNIQUE (a)"]),
        ("a text, b text, CONSTRAINT x UNIQUE (b, a)", ["UNIQUE (b, a)"]),
        ('a integer CHECK ("a" > (1 + 2)), b text', ["CHECK (a > (1 + 2))"]),
        ("a text CHECK (a <> ') and (')", ["CHECK (a <> ') and (')"]),
        ("a integer REFERENCES u (id)", ["FOREIGN KEY (a) REFERENCES u"]),
    ],
)
def test_constraints(
    probe: ModuleType, real: sqlite3.Connection, statement: str, texts: list[str]
) -> None:
    real.execute("CREATE TABLE u (id integer PRIMARY KEY)")
    real.execute(f"CREATE TABLE t ({statement})")
    assert probe.constraints(django(real)).get("t", []) == texts


def test_indexes_that_are_constraints(probe: ModuleType, real: sqlite3.Connection) -> None:
    real.execute("CREATE TABLE t (a text, b text)")
    for statement in (
        "CREATE INDEX one ON t (a)",
        'CREATE UNIQUE INDEX two ON "t" ("b")',
        'CREATE UNIQUE INDEX three ON t (lower("a")) WHERE "b" IS NOT NULL',
    ):
        real.execute(statement)
    found = probe.constraints(django(real))["t"]
    assert found == ["UNIQUE (b)", "UNIQUE (lower(a)) WHERE b IS NOT NULL"]
