"""The dominating causes of real projects, from failures that were recorded in runs of them.

`recorded_causes.json`: per red cell, what its first cause was made of, and whose it is. Files of
Django and of Python are as reports shorten them; all others are the project's.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from djhop.compare.causes import Gathering, Sighting
from djhop.results import owners
from djhop.results.eventlog import Exc, Frame
from djhop.results.paths import Paths

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded_causes.json").read_text("utf-8")
)
PYTHONS = ("importlib/", "unittest/")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Where everything lies: `tree`, `site-packages` and `lib`."""
    site = tmp_path / "site-packages"
    info = site / "Django-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text("django/__init__.py,sha256=x,1\n")
    root, lib = tmp_path / "tree", tmp_path / "lib"
    return Paths(root=str(root), site_packages=(str(site),), stdlib=(str(lib),))


def frame(row: list[Any], room: Path) -> Frame:
    file, line, function, source = row
    folder = "lib" if file.startswith(PYTHONS) else "tree"
    folder = "site-packages" if file.startswith("django/") else folder
    return (str(room / folder / file), line, function, source)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['target']}-{row['cell']}")
def test_the_dominating_cause_has_its_owner_place_and_removal(
    row: dict[str, Any], paths: Paths, tmp_path: Path
) -> None:
    exc = Exc(
        type=row["exception"],
        name=row["exception"].rpartition(".")[2],
        mro=(row["exception"],),
        message=row["message"],
        frames=tuple(frame(one, tmp_path) for one in row["frames"]),
    )
    gathering = Gathering()
    failure = owners.failure(exc, "call", paths)
    gathering.take([Sighting(failure=failure, cell=row["cell"], tests=("t",), hop="h")])
    (cause,) = gathering.causes()
    assert [cause.owner.kind, cause.owner.name] == row["owner"]
    assert cause.place == row["place"]
    assert (cause.known.id if cause.known else "") == row["known"]
    assert cause.why
