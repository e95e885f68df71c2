"""The table of series: its own consistency, and what is read from it."""

import datetime
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import pytest

from djhop import releases
from djhop.errors import UsageError

R = releases.load()
VERSIONS = [row.version for row in R.series]


def table(**changes: Mapping[str, object]) -> releases.Releases:
    """The shipped table with some rows changed: series → keys (None takes the key out)."""
    raw = tomllib.loads(files("djhop").joinpath("data/django-releases.toml").read_text("utf-8"))
    for row in raw["series"]:
        row.update(changes.get(row["version"], {}))
    raw["series"] = [{k: v for k, v in row.items() if v is not None} for row in raw["series"]]
    return releases.parse(raw)


def following(version: str, steps: int = 1) -> str:
    return VERSIONS[VERSIONS.index(version) + steps]


def test_the_rows_are_in_order_of_age_and_calver_comes_last() -> None:
    assert VERSIONS.index("6.2") < VERSIONS.index("2028")
    assert sorted(VERSIONS, key=releases.version_key) == VERSIONS
    assert len(set(VERSIONS)) == len(VERSIONS)


def test_rows_out_of_order_are_sorted() -> None:
    raw = {"series": [{"version": v} for v in ("2028", "10.0", "9.2", "6.2")], "removed_in": {}}
    assert [row.version for row in releases.parse(raw).series] == ["6.2", "9.2", "10.0", "2028"]


@pytest.mark.parametrize("row", [row for row in R.series if row.next], ids=lambda row: row.version)
def test_what_is_next_is_gone_in_the_very_next_series(row: releases.Series) -> None:
    assert R.removed_in(row.next) == following(row.version)


@pytest.mark.parametrize(
    "row", [row for row in R.series if row.after_next], ids=lambda row: row.version
)
def test_what_is_after_next_outlives_the_next_series_and_dies_soon_after(
    row: releases.Series,
) -> None:
    """An X.0 series defers to the next X.0, three series on; the others two series on."""
    deferred = 3 if row.version.endswith(".0") else 2
    assert R.removed_in(row.after_next) == following(row.version, deferred)


def test_a_class_is_pending_until_it_is_next_and_never_named_later() -> None:
    for name, removed in R.removals.items():
        naming = [row.version for row in R.series if name in (row.next, row.after_next)]
        assert all(releases.version_key(v) < releases.version_key(removed) for v in naming)
        as_next = [row.version for row in R.series if row.next == name]
        assert len(as_next) <= 1
        assert as_next in ([], naming[-1:])


def test_quiet_series_have_no_class_of_their_own() -> None:
    for row in R.released():
        if row.version != "1.8":  # only there to start from; its classes are not recorded
            assert row.quiet == (not row.next), row.version


def test_the_digits_of_a_class_are_never_believed() -> None:
    assert R.removed_in("RemovedInDjango70Warning") == "2028"
    assert R.removed_in("RemovedInDjango110Warning") == "1.10"
    assert R.removed_in("RemovedInDjango99Warning") is None
    assert R.removed_in("DeprecationWarning") is None


def test_released_and_newest() -> None:
    assert [row.version for row in R.released()][-1] == R.newest().version == "6.1"
    assert R.newest_lts().version == "5.2"
    assert not {"6.2", "2028"} & {row.version for row in R.released()}


def test_between_has_both_ends_and_planned_series_too() -> None:
    assert [row.version for row in R.between("6.0", "2028")] == ["6.0", "6.1", "6.2", "2028"]
    assert [row.version for row in R.between("5.2", "5.2")] == ["5.2"]
    assert R.between("5.2", "4.2") == ()


def test_supports_counts_pythons_added_in_a_patch_release() -> None:
    assert R.supports("4.2", "3.12")
    assert not R.supports("4.2", "3.13")
    assert R.get("3.2").python_minors == ("3.6", "3.7", "3.8", "3.9", "3.10")


def test_pythons_that_djhop_can_run() -> None:
    assert R.get("1.11").python_minors[0] == "2.7"
    assert R.get("1.11").runnable_pythons == ("3.6", "3.7")
    assert R.get("1.8").runnable_pythons == ()
    assert R.pythons() == tuple(f"3.{minor}" for minor in range(6, 16))


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        ("4.2.11", "did you mean '4.2'?"),
        ("2028.1", "did you mean '2028'?"),
        ("4.20", "did you mean '4.2'?"),
        ("5,2", "did you mean '5.2'?"),
        ("nonsense", "known: 1.8, 1.11,"),
        ("", "known: 1.8, 1.11,"),
    ],
)
def test_an_unknown_series(version: str, hint: str) -> None:
    with pytest.raises(UsageError, match="unknown Django series") as caught:
        R.get(version)
    assert caught.value.hint.startswith(hint)
    assert caught.value.hint.endswith(", 6.0, 6.1; unreleased: 6.2, 2028")


def test_a_series_that_is_not_released() -> None:
    with pytest.raises(UsageError, match=r"Django 6\.2 is not released.*planned for 2027-04"):
        R.get_released("6.2")
    assert R.get_released("6.1").version == "6.1"
    released = table(**{"6.2": {"planned": None, "released": "2027-04-05"}})
    assert released.newest().version == released.newest_lts().version == "6.2"


@pytest.mark.parametrize(
    ("version", "series"),
    [
        ("4.2.11", "4.2"),
        ("4.2", "4.2"),
        ("4", "4.0"),
        ("5.2rc1", "5.2"),
        ("6.1.dev20260101", "6.1"),
        ("6.10.1", "6.10"),
        ("2028", "2028"),
        ("2028.1", "2028"),
        ("2028.1.2", "2028"),
        ("2031rc1", "2031"),
    ],
)
def test_series_of(version: str, series: str) -> None:
    assert releases.series_of(version) == series


def test_series_of_nonsense() -> None:
    with pytest.raises(UsageError, match="'main' is not a Django version"):
        releases.series_of("main")


@pytest.mark.parametrize(
    ("end", "today", "ended"),
    [
        ("2026-04-07", "2026-04-07", False),
        ("2026-04-07", "2026-04-08", True),
        ("2026-04", "2026-04-30", False),
        ("2026-04", "2026-05-01", True),
        ("", "2026-05-01", False),
    ],
)
def test_security_ended(end: str, today: str, ended: bool) -> None:
    row = releases.Series(version="9.9", security_end=end)
    assert row.security_ended(datetime.date.fromisoformat(today)) is ended


def test_every_released_series_has_dates_and_pythons() -> None:
    for row in R.released():
        assert row.pythons
        if row.version != "1.8":
            assert row.released < row.mainstream_end <= row.security_end
            assert releases.series_of(row.latest) == row.version
            assert row.latest not in row.yanked
    assert all(row.planned for row in R.series if row not in R.released())
