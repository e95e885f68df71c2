"""The table of packages whose job Django has taken over."""

from __future__ import annotations

import msgspec
import pytest
from packaging.utils import canonicalize_name

from djhop import releases, superseded


def test_the_table_is_sound() -> None:
    rows = superseded.load()
    known = {row.version for row in releases.load().series} | {"1.9"}
    assert len(rows) >= 10
    assert len({row.package for row in rows}) == len(rows)
    for row in rows:
        assert row.package == canonicalize_name(row.package)
        assert row.since in known
        assert row.by
        # The note is that of the series that has it.
        assert row.notes.split("/")[:2] == ["releases", row.since]


def test_a_hop_shows_what_it_makes_possible_and_no_more() -> None:
    packages = {"jsonfield", "pytz", "django-csp", "requests"}
    names = [row.package for row in superseded.between(packages, "3.0", "4.2")]
    assert names == ["jsonfield", "pytz"]
    assert [row.package for row in superseded.between(packages, "3.1", "4.0")] == ["pytz"]
    assert superseded.between(packages, "4.2", "4.2") == ()


def test_what_today_already_makes_unnecessary() -> None:
    assert [row.package for row in superseded.until({"pytz", "django-csp"}, "5.2")] == ["pytz"]


@pytest.mark.parametrize(
    "row", ['package = "a"', 'package = "a"\nsince = "1"\nby = "b"\nnotes = "c"\nwhy = "d"']
)
def test_the_table_is_read_strictly(row: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        superseded.parse(f"[[superseded]]\n{row}\n")
