"""Cells that never run their suite: what their result says."""

from __future__ import annotations

from djhop import untested
from djhop.matrix.plan import Cell
from djhop.resolve.blockers import Blocker
from djhop.resolve.locks import Unresolvable

CELL = Cell(django="5.2", python="3.12")


def test_a_build_that_fails_is_uninstallable_and_shows_its_end() -> None:
    lines = [
        "error: Failed to build `psycopg2==2.7`",
        *map(str, range(20)),
        "  ^^^^^^",
        "no pg_config",
    ]
    found = Unresolvable(
        kind="build",
        reason="psycopg2 2.7 cannot be built on Python 3.12",
        text="\n".join(lines),
        log="/cache/locks/x.log",
    )
    result = untested.unresolvable(CELL, found)
    assert result.status == "uninstallable"
    assert result.reason.splitlines() == [
        "psycopg2 2.7 cannot be built on Python 3.12: no pg_config",
        *("15", "16", "17", "18", "19", "no pg_config"),
        "all of it: /cache/locks/x.log",
    ]


def test_a_cell_without_a_lock_has_its_blockers() -> None:
    blocker = Blocker(package="ipython", version="8.0", constraint="python<3.11")
    found = Unresolvable(kind="python", reason=blocker.reason, blockers=(blocker,))
    result = untested.unresolvable(CELL, found)
    assert (result.status, result.reason) == ("unresolvable", blocker.reason)
    assert result.blockers == (blocker,)
