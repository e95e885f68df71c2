"""Who may import whom, read from the code; `ARCHITECTURE.md` draws the same."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import djhop

SOURCE = Path(djhop.__file__).parent

#: Room → the rooms it may import. Each names only rooms above it, so there are no circles.
MAY_IMPORT = {
    "errors": set(),
    "releases": {"errors"},
    "knowledge": {"releases"},
    "durable": {"errors"},
    "masking": set(),
    "terminal": set(),
    "processes": {"errors", "durable", "masking"},
    "sandbox": {"errors", "processes"},
    "interpreters": {"releases", "durable"},
    "matrix": {"errors", "releases"},
    "target": {"errors", "releases", "matrix"},
    "workspace": {"errors", "durable", "processes"},
    "environments": {
        *("errors", "durable", "masking", "processes", "interpreters", "workspace"),
        "sandbox",
    },
    "scratch": {"processes"},
    "resolve": {"scratch", "errors", "releases", "durable", "masking", "processes"},
    "suites": {"masking", "processes", "matrix", "target"},
    "services": {"errors", "durable", "masking", "processes", "matrix"},
    "results": {"errors", "releases", "durable", "processes", "matrix", "resolve"},
    "compare": {"errors", "releases", "knowledge", "matrix", "resolve", "results"},
    "steps": {
        "errors",
        "releases",
        "durable",
        "masking",
        "processes",
        "target",
        "suites",
        "results",
    },
    "fixes": {
        *("errors", "processes", "interpreters", "matrix", "workspace", "environments"),
        *("results", "compare"),
    },
    "peels": {"knowledge", "suites", "results", "compare", "fixes"},
    "history": {"errors"},
    "paired": set(),
    "store": {
        *("errors", "durable", "masking", "matrix", "target", "results", "compare", "fixes"),
        *("peels", "history", "paired"),
    },
    "requests": {"interpreters", "matrix", "resolve", "suites", "target"},
    "chain": {"matrix", "resolve"},
    "declared": {"processes"},
    "superseded": {"releases"},
    "deps": {
        *(
            "errors",
            "scratch",
            "releases",
            "durable",
            "processes",
            "interpreters",
            "matrix",
            "target",
        ),
        *("resolve", "requests", "chain", "declared", "superseded"),
    },
    "caching": {"errors", "workspace", "environments"},
    "reports": {
        *("errors", "releases", "durable", "interpreters", "matrix", "target"),
        *("resolve", "results", "compare", "store", "superseded", "declared", "deps"),
        *("knowledge", "fixes", "peels", "history", "caching"),
    },
    "baseline": {"errors", "compare", "results", "store", "reports"},
    "readiness": {
        *("errors", "releases", "knowledge", "matrix", "results", "compare", "fixes", "paired"),
        *("store", "reports"),
    },
    "locate": {"errors", "processes", "interpreters", "environments"},
    "dryrun": {"masking", "interpreters", "matrix", "target", "resolve", "suites", "results"},
    "estimate": set(),
    "news": {"results", "estimate"},
    "landing": {"errors", "durable", "target", "workspace", "results", "store"},
    "untested": {"interpreters", "matrix", "resolve", "results"},
    "cells": {
        *("errors", "releases", "durable", "masking", "processes", "interpreters", "matrix"),
        *("target", "workspace", "environments", "resolve", "suites", "results", "untested"),
        *("steps", "sandbox"),
    },
    "desk": {
        *("errors", "durable", "matrix", "workspace", "suites", "results", "untested", "cells"),
        *("resolve", "compare", "target"),
    },
    "crossings": {
        *("errors", "durable", "processes", "matrix", "environments", "results", "steps", "cells"),
    },
    "jobs": {
        *("errors", "processes", "interpreters", "matrix", "target", "workspace", "environments"),
        *("resolve", "suites", "services", "steps", "locate", "requests", "landing", "cells"),
    },
    "due": {"errors", "processes", "matrix", "store"},
    "hops": {"errors", "matrix", "results", "store", "crossings", "due"},
    "reruns": {
        *("errors", "releases", "durable", "processes", "matrix", "environments", "results"),
        *("suites", "compare", "cells"),
    },
    "repeats": {
        *("errors", "processes", "matrix", "results", "compare", "store", "due", "reruns"),
    },
    "remembering": {
        *("errors", "matrix", "results", "compare", "history", "store", "landing", "estimate"),
    },
    "longest": {"matrix", "estimate"},
    "earlier": {"errors", "store", "estimate"},
    "closing": {"errors", "matrix", "results", "compare", "store", "landing"},
    "attempts": {
        *("errors", "durable", "processes", "matrix", "workspace", "resolve", "services"),
        *("results", "store", "cells", "chain", "crossings", "reruns", "desk", "jobs", "news"),
        "untested",
    },
    "runner": {
        *("errors", "scratch", "processes", "interpreters", "matrix", "target", "workspace"),
        *("environments", "services", "results", "compare", "store", "locate"),
        *("dryrun", "cells", "chain", "landing", "closing", "news", "attempts"),
        *("desk", "hops", "repeats", "jobs", "earlier"),
        *("remembering", "longest", "estimate", "caching"),
    },
    "bundles": {
        *("errors", "durable", "processes", "matrix", "target", "workspace", "results", "compare"),
        *("store", "landing", "untested", "crossings", "jobs", "closing", "history"),
        "remembering",
    },
    "ci": {"errors", "bundles"},
    "cluster": {"errors", "processes", "sandbox", "results", "locate", "untested", "cells"},
    "again": {
        *("errors", "masking", "processes", "interpreters", "matrix", "target", "workspace"),
        *("resolve", "suites", "services", "results", "steps", "store", "locate", "landing"),
        *("cells", "jobs"),
    },
    "entering": {
        *("errors", "durable", "matrix", "processes", "suites", "environments", "cells", "jobs"),
        "again",
    },
    "fixable": {"errors", "compare", "fixes", "store"},
    "fixing": {
        *("errors", "durable", "processes", "matrix", "workspace", "results", "services"),
        *("compare", "fixes", "store", "locate", "landing", "cells", "again", "fixable"),
    },
    "bisect": {
        *(
            "errors",
            "scratch",
            "releases",
            "durable",
            "masking",
            "processes",
            "interpreters",
            "matrix",
        ),
        *("target", "environments", "resolve", "services", "results", "compare", "store"),
        *("requests", "locate", "cells", "jobs"),
    },
    "blaming": {
        *("errors", "releases", "masking", "processes", "interpreters", "matrix", "target"),
        *("workspace", "suites", "services", "store", "locate", "landing", "jobs", "bisect"),
    },
    "peeling": {
        *("errors", "durable", "matrix", "workspace", "results", "services", "suites"),
        *("compare", "fixes", "peels", "store", "locate", "landing", "cells", "again"),
    },
    "measuring": {
        *("errors", "durable", "matrix", "environments", "services", "results", "compare"),
        *("paired", "landing", "cells", "jobs", "again"),
    },
    "underway": {"results", "store", "reports", "estimate", "news"},
    "board": {"releases", "reports", "underway"},
    "console": {"masking", "results", "reports", "news", "underway", "board"},
    "doctor": {
        *("errors", "releases", "processes", "interpreters", "environments", "reports", "locate"),
        *("terminal", "caching"),
    },
    "commands": {
        *("errors", "releases", "durable", "masking", "processes", "interpreters", "matrix"),
        *(
            "target",
            "environments",
            "store",
            "deps",
            "reports",
            "locate",
            "jobs",
            "runner",
            "console",
        ),
        *("terminal", "sandbox"),
        *(
            "again",
            "fixable",
            "fixing",
            "blaming",
            "peeling",
            "baseline",
            "bundles",
            "ci",
            "closing",
        ),
        "cluster",
        *("history", "remembering", "caching", "earlier"),
        *("desk", "entering"),
        *("readiness", "measuring", "compare"),
    },
    "nox": {"errors", "processes", "releases", "matrix", "commands"},
    "completion": set(),
    "arguments": {"releases", "commands", "completion", "doctor"},
    "cli": {"errors", "masking", "console", "arguments"},
    "__main__": {"cli"},
}
#: Not rooms: what runs inside the target's Python imports nothing of ours.
FOREIGN = "probe"


def modules() -> list[Path]:
    """Every module of djhop itself, relative to the package."""
    found = (path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return sorted(p for p in found if p.parts[0] not in (FOREIGN, "data") and p.stem != "__init__")


def imported(path: Path) -> Iterator[str]:
    """The rooms a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse((SOURCE / path).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            package, *rest = (node.module or "").split(".")
            if package == "djhop":
                yield from rest[:1] or (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                assert not alias.name.startswith("djhop."), f"{path}: write from … import …"


def test_every_room_imports_only_what_it_may() -> None:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in modules():
        room = path.parts[0].removesuffix(".py")
        found[room] |= set(imported(path)) - {room}
    assert set(found) <= set(MAY_IMPORT)
    wrong = {room: rooms - MAY_IMPORT[room] for room, rooms in found.items()}
    assert {room: rooms for room, rooms in wrong.items() if rooms} == {}


def test_the_table_has_one_direction() -> None:
    order = list(MAY_IMPORT)
    for room, rooms in MAY_IMPORT.items():
        later = {other for other in rooms if order.index(other) >= order.index(room)}
        assert not later, f"{room} may import {later}, which stand below it"


def test_the_table_names_rooms_that_are_there() -> None:
    there = {path.parts[0].removesuffix(".py") for path in modules()}
    assert set(MAY_IMPORT) == there


@pytest.mark.parametrize("path", modules(), ids=str)
def test_processes_are_started_in_one_room_only(path: Path) -> None:
    text = (SOURCE / path).read_text("utf-8")
    starts = ("import subprocess", "os.fork(", "os.posix_spawn", "os.exec", "os.system(")
    # What enters a sandbox becomes the command; `processes` has started it.
    if path.parts[0] != "processes" and path.parts != ("sandbox", "enter.py"):
        assert not [word for word in starts if word in text]


def test_the_probe_imports_nothing_of_ours() -> None:
    for path in (SOURCE / FOREIGN).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            assert not [name for name in names if name.split(".")[0] == "djhop"], path


def test_the_architecture_names_every_room() -> None:
    text = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")
    assert [room for room in (*MAY_IMPORT, FOREIGN) if f"{room}" not in text] == []
