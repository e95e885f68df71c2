"""Which series the path visits, and the Python it starts on."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from djhop import releases
from djhop.errors import UsageError
from djhop.matrix import steps
from djhop.matrix.config import Matrix

R = releases.load()


def later() -> releases.Releases:
    """The table as it will be when 6.2 and 2028 are released."""
    raw = tomllib.loads(files("djhop").joinpath("data/django-releases.toml").read_text("utf-8"))
    for row in raw["series"]:
        if row.pop("planned", None):
            row["pythons"] = ["3.12", "3.13", "3.14"]
    return releases.parse(raw)


def route(current: str = "", known: releases.Releases = R, **matrix: Any) -> str:
    return " ".join(steps.route(Matrix(**matrix), known, current).series)


@pytest.mark.parametrize(
    ("matrix", "series"),
    [
        # LTS to LTS
        ({"start": "2.2"}, "2.2 3.2 4.2 5.2"),
        ({"start": "4.0"}, "4.0 4.2 5.2"),
        ({"start": "4.2"}, "4.2 5.2"),
        ({"start": "2.2", "goal": "4.1"}, "2.2 3.2 4.1"),
        ({"start": "4.0", "goal": "4.1"}, "4.0 4.1"),
        ({"start": "3.2", "goal": "6.1"}, "3.2 4.2 5.2 6.1"),
        ({"start": "5.2"}, "5.2 6.0 6.1"),
        ({"start": "6.0"}, "6.0 6.1"),
        ({"start": "5.2", "goal": "6.1"}, "5.2 6.1"),
        ({"start": "6.1"}, "6.1"),
        ({"start": "4.2", "goal": "4.2"}, "4.2"),
        # every release
        ({"start": "4.2", "steps": "every-release"}, "4.2 5.0 5.1 5.2 6.0 6.1"),
        ({"start": "4.2", "goal": "5.1", "steps": "every-release"}, "4.2 5.0 5.1"),
        ({"start": "6.1", "steps": "every-release"}, "6.1"),
        # the next one
        ({"start": "4.2", "steps": "next"}, "4.2 5.0"),
        ({"start": "2.2", "steps": "next"}, "2.2 3.0"),
        ({"start": "4.2", "goal": "6.0", "steps": "next"}, "4.2 6.0"),
        ({"start": "6.1", "steps": "next"}, "6.1"),
        # a list
        ({"steps": ("4.2", "5.2")}, "4.2 5.2"),
        ({"steps": ("5.2", "4.2", "5.0", "4.2")}, "4.2 5.0 5.2"),
        ({"steps": ("4.2", "5.0", "5.1", "5.2"), "start": "5.0"}, "5.0 5.1 5.2"),
        ({"steps": ("4.2", "5.0", "5.1", "5.2"), "goal": "5.0"}, "4.2 5.0"),
        ({"steps": ("4.2", "5.0", "5.1"), "start": "5.0", "goal": "5.0"}, "5.0"),
        ({"steps": ("4.2",)}, "4.2"),
    ],
)
def test_the_series_of_the_path(matrix: dict[str, Any], series: str) -> None:
    assert route(**matrix) == series


@pytest.mark.parametrize(
    ("matrix", "series"),
    [
        ({"start": "5.2"}, "5.2 6.2"),
        ({"start": "5.2", "goal": "2028"}, "5.2 6.2 2028"),
        ({"start": "6.2"}, "6.2 2028"),
        ({"start": "2028"}, "2028"),
        ({"start": "6.1", "steps": "every-release"}, "6.1 6.2 2028"),
        ({"start": "6.2", "steps": "next"}, "6.2 2028"),
        ({"steps": ("2028", "5.2", "6.2")}, "5.2 6.2 2028"),
    ],
)
def test_the_series_when_calver_has_come(matrix: dict[str, Any], series: str) -> None:
    assert route(known=later(), **matrix) == series


def test_the_matrix_wins_over_the_target() -> None:
    assert route("3.2") == "3.2 4.2 5.2"
    assert route("3.2", start="4.2") == "4.2 5.2"
    assert route("3.2", steps=("4.2", "5.2")) == "4.2 5.2"


@pytest.mark.parametrize(
    ("current", "matrix", "note"),
    [
        ("4.2", {}, "The goal is Django 5.2, the newest released LTS."),
        ("5.2", {}, "No LTS after 5.2 is released, so the path takes each series."),
        ("4.2", {"steps": "next"}, "Django 5.0 is the next series."),
        ("4.2", {"steps": "every-release"}, "The goal is Django 6.1, the newest released series."),
        ("6.1", {"steps": "next"}, "Django 6.1 is the newest released series."),
        ("6.1", {}, "Nothing to do: Django 6.1 is the goal."),
        ("4.2", {"goal": "4.2"}, "Nothing to do: Django 4.2 is the goal."),
        ("4.2", {"steps": ("5.2",)}, "Nothing to do: Django 5.2 is the only step."),
        ("3.2", {"steps": ("4.2", "5.2")}, "The target is on Django 3.2; the path starts on 4.2"),
    ],
)
def test_what_was_assumed_is_said(current: str, matrix: dict[str, Any], note: str) -> None:
    assert note in " ".join(steps.route(Matrix(**matrix), R, current).notes)


def test_what_was_named_needs_no_note() -> None:
    assert steps.route(Matrix(start="4.2", goal="5.2"), R, "").notes == ()
    assert steps.route(Matrix(steps=("4.2", "5.2")), R, "4.2").notes == ()


@pytest.mark.parametrize(
    ("current", "matrix", "message", "hint"),
    [
        ("", {}, "the target does not say which Django it is on", "say it: --from 4.2"),
        ("6.1", {"goal": "5.2"}, "backwards, from Django 6.1 to Django 5.2", "say an older start"),
        (
            "4.2",
            {"goal": "6.2"},
            "Django 6.2 is not released; it is planned for 2027-04",
            "the new",
        ),
        ("6.2", {}, "the target's own Django: Django 6.2 is not released", "the newest released"),
        ("1.9", {}, "the target's own Django: unknown Django series '1.9'", "did you mean"),
        ("", {"start": "1.9"}, "unknown Django series '1.9'", "did you mean"),
        ("", {"steps": ("4.2", "6.2")}, "Django 6.2 is not released", ""),
        ("", {"steps": ("4.2", "5.2"), "start": "5.0"}, "from: Django 5.0 is not one of", "the st"),
        ("", {"steps": ("4.2", "5.2"), "goal": "6.0"}, "to: Django 6.0 is not one of", "the st"),
        ("", {"steps": ("4.2", "5.2"), "start": "5.2", "goal": "4.2"}, "name no series", ""),
        ("", {"steps": ()}, "name no series", ""),
    ],
)
def test_no_route(current: str, matrix: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        route(current, **matrix)
    assert message in str(caught.value)
    assert caught.value.hint.startswith(hint)


SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12")


def start(
    *, named: str = "", target: str = "", requires: str = "", available: str = ""
) -> tuple[str, str]:
    return steps.start_python(
        named,
        "Django 4.2",
        SUPPORTED,
        target_pythons=tuple(target.split()),
        requires_python=requires,
        available=available.split(),
    )


@pytest.mark.parametrize(
    ("known", "python", "why"),
    [
        ({"named": "3.9", "target": "3.10", "available": "3.10"}, "3.9", ""),
        ({"target": "3.9 3.11", "available": "3.11 3.9 3.12"}, "3.9", "which the target names"),
        ({"target": "3.9 3.11", "available": "3.11 3.12"}, "3.11", "which the target names"),
        ({"target": "3.13 3.7", "available": "3.10 3.13"}, "3.10", "newest on this machine to run"),
        ({"target": "3.9", "available": "3.10 3.11"}, "3.11", "newest on this machine to run"),
        ({"available": "3.9 3.12 3.13"}, "3.12", "newest on this machine to run Django 4.2."),
        ({"requires": ">=3.8,<3.12", "available": "3.9 3.11 3.12"}, "3.11", "newest on this"),
        ({"requires": ">=3.13", "available": "3.9 3.10 3.13"}, "3.10", "(>=3.13) allows none, and"),
        ({"target": "3.10 3.9", "available": "3.7"}, "3.10", "which the target names"),
        ({"available": "3.13"}, "3.12", "the newest to run Django 4.2."),
        ({"requires": "<3.11"}, "3.10", "the newest to run Django 4.2."),
        ({"requires": "rubbish"}, "3.12", "the newest to run Django 4.2."),
    ],
)
def test_the_python_to_start_on(known: dict[str, str], python: str, why: str) -> None:
    chosen, said = start(**known)
    assert chosen == python
    assert why in said
    assert bool(said) == bool(why)


def test_a_python_that_cannot_be_started_on() -> None:
    with pytest.raises(UsageError, match=r"Python 3\.13 does not run Django 4\.2") as caught:
        start(named="3.13")
    assert caught.value.hint == "these do: 3.8, 3.9, 3.10, 3.11, 3.12"


def test_a_series_that_no_python_of_today_runs() -> None:
    with pytest.raises(UsageError, match=r"no Python that djhop can run .* runs Django 1\.8"):
        steps.start_python(
            "3.5", "Django 1.8", (), target_pythons=(), requires_python="", available=()
        )


@pytest.mark.parametrize(
    ("requires", "python", "allowed"),
    [
        ("", "3.6", True),
        (">=3.8", "3.8", True),
        (">=3.8", "3.7", False),
        (">=3.8.1", "3.8", True),
        ("<3.11", "3.11", False),
        ("<=3.11", "3.11", True),
        ("<4", "3.15", True),
        ("~=3.9", "3.12", True),
        ("~=3.9.2", "3.9", True),
        ("~=3.9.2", "3.10", False),
        ("!=3.9.*", "3.9", False),
        ("==3.10.*", "3.10", True),
        ("==3.10", "3.10", True),
        (">=3.9, <3.13", "3.12", True),
        ("^3.9", "3.8", True),
    ],
)
def test_allows(requires: str, python: str, allowed: bool) -> None:
    assert steps.allows(requires, python) is allowed


def test_the_goal_python_must_run_the_last_series() -> None:
    steps.check_goal_python("", "5.2", R)
    steps.check_goal_python("3.13", "5.2", R)
    with pytest.raises(UsageError, match=r"Django 5\.2, where the path ends, does not") as caught:
        steps.check_goal_python("3.15", "5.2", R)
    assert caught.value.hint == "Python 3.15 is supported by Django 6.1"
    with pytest.raises(UsageError) as caught:
        steps.check_goal_python("3.14", "4.2", R)  # the planned 6.2 does, too, but cannot be had
    assert caught.value.hint == "Python 3.14 is supported by Django 5.2, 6.0, 6.1"
