"""The plan: its promises over random matrices, and the paths people will see."""

import itertools
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from djhop import releases
from djhop.errors import UsageError
from djhop.matrix import config, patterns, plan
from djhop.matrix.config import CellChoice, Matrix, Override
from djhop.matrix.plan import Cell, Hop, Plan

R = releases.load()
HERE = frozenset(f"3.{minor}" for minor in range(6, 14))
PYTHONS = ("3.9", "3.10", "3.11", "3.12")
SERIES = ("3.2", "4.2", "5.0", "6.1", "2028")


def make(matrix: Matrix | None = None, current: str = "", **known: Any) -> Plan:
    return plan.make(matrix or Matrix(), R, current=current, **{"available": HERE, **known})


def path(made: Plan) -> str:
    return " ".join(f"{cell.django}/{cell.python}" for cell in made.path)


def beside(made: Plan) -> list[str]:
    return [hop.id for hop in made.hops if not hop.on_path]


def cell(name: str) -> Cell:
    python, _, django = name.removeprefix("py").partition("-django")
    return Cell(django=django, python=python)


# ------------------------------------------------------------------ random matrices

pattern = st.sampled_from(
    ["py3.9", "py3.12-*", "django5.0", "django4.2-py3.10", "django6.1,py3.11", "py9"]
)


@st.composite
def tables(draw: st.DrawFn) -> releases.Releases:
    """A table of released series, neighbours among them not always sharing a Python."""
    supported = st.sets(st.sampled_from(PYTHONS), min_size=1).map(sorted)
    rows = [
        {"version": version, "pythons": draw(supported), "lts": draw(st.booleans())}
        for version in SERIES[: draw(st.integers(1, len(SERIES)))]
    ]
    return releases.parse({"series": rows, "removed_in": {}})


@st.composite
def questions(draw: st.DrawFn) -> tuple[Matrix, releases.Releases, dict[str, Any]]:
    """A matrix, a table, and what is known of target and machine."""
    known = draw(tables())
    series = [row.version for row in known.series]
    one = st.sampled_from(series)
    listed = st.lists(one, min_size=1).map(tuple)
    choice = st.builds(CellChoice, django=one, python=st.sampled_from(PYTHONS))
    some_pythons = st.lists(st.sampled_from(PYTHONS), unique=True).map(tuple)
    matrix = Matrix(
        start=draw(st.just("") | one),
        goal=draw(st.just("") | one),
        steps=draw(st.sampled_from(config.STEPS) | listed),
        goal_python=draw(st.just("") | st.sampled_from(PYTHONS)),
        pythons=draw(st.just("all") | some_pythons),
        include=tuple(draw(st.lists(choice, max_size=3))),
        exclude=tuple(draw(st.lists(pattern, max_size=2))),
    )
    facts = {
        "current": draw(one),
        "target_pythons": draw(some_pythons),
        "requires_python": draw(st.sampled_from(["", ">=3.10", "<3.9"])),
        "available": frozenset(draw(some_pythons)),
    }
    return matrix, known, facts


def made_or_refused(question: tuple[Matrix, releases.Releases, dict[str, Any]]) -> Plan | None:
    """Lay the plan; None where it is refused, which must be by a UsageError."""
    matrix, known, facts = question
    try:
        return plan.make(matrix, known, **facts)
    except UsageError:
        return None


def check_hops(made: Plan) -> None:
    """Every hop changes one axis, upwards in Django, and joins two cells of the plan."""
    for hop in made.hops:
        changed = (hop.before.django != hop.after.django, hop.before.python != hop.after.python)
        assert changed == ((True, False) if hop.axis == "django" else (False, True))
        assert {hop.before, hop.after} <= set(made.cells)
        if hop.axis == "django":
            key = releases.version_key
            assert key(hop.before.django) < key(hop.after.django)
        if hop.on_path:
            assert {hop.before, hop.after} <= set(made.path)
        else:
            assert hop.after not in made.path
    assert len({hop.id for hop in made.hops}) == len(made.hops)
    further = [hop.after for hop in made.hops if not hop.on_path]
    assert len(set(further)) == len(further)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions())
def test_the_promises_of_every_plan(
    question: tuple[Matrix, releases.Releases, dict[str, Any]],
) -> None:
    matrix, known, _ = question
    made = made_or_refused(question)
    if made is None:
        return
    assert made == made_or_refused(question)
    check_hops(made)
    assert made.cells[: len(made.path)] == made.path
    further = [(releases.version_key(c.django), c.python) for c in made.cells[len(made.path) :]]
    assert sorted(further, key=lambda k: (k[0], releases.version_key(k[1]))) == further
    assert len(set(made.cells)) == len(made.cells) > 0
    assert all(known.supports(c.django, c.python) for c in made.cells)
    assert not any(known.supports(c.django, c.python) for c in made.unsupported)
    for left in (*made.cells, *made.unsupported):
        assert not patterns.matches(left.id, matrix.exclude)
    for wanted in matrix.include:
        name = Cell(django=wanted.django, python=wanted.python).id
        listed = {c.id for c in (*made.cells, *made.unsupported)}
        assert (name in listed) is not patterns.matches(name, matrix.exclude)
    assert all(note.endswith(".") for note in made.notes)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions())
def test_the_path_is_a_staircase(
    question: tuple[Matrix, releases.Releases, dict[str, Any]],
) -> None:
    """Nothing excluded: the path is whole, and Python moves only where it must."""
    matrix, known, facts = question
    made = made_or_refused((replace(matrix, exclude=()), known, facts))
    if made is None:
        return
    on_path = [hop for hop in made.hops if hop.on_path]
    assert [(hop.before, hop.after) for hop in on_path] == list(itertools.pairwise(made.path))
    order = list(dict.fromkeys(c.django for c in made.path))
    for hop in on_path:
        if hop.axis == "python":
            following = order[order.index(hop.before.django) + 1 :][:1]
            needed = not all(known.supports(series, hop.before.python) for series in following)
            assert needed or (not following and hop.after.python == matrix.goal_python)
    if matrix.goal_python:
        assert made.path[-1].python == matrix.goal_python


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(), st.lists(pattern, min_size=1, max_size=3).map(tuple))
def test_what_select_leaves(
    question: tuple[Matrix, releases.Releases, dict[str, Any]], wanted: tuple[str, ...]
) -> None:
    made = made_or_refused(question)
    if made is None:
        return
    meant = tuple(c for c in made.cells if any(plan.matches(c, p) for p in wanted))
    if not meant:
        with pytest.raises(UsageError):
            plan.select(made, wanted)
        return
    left = plan.select(made, wanted)
    assert left.cells == meant
    assert left.path == tuple(c for c in made.path if c in meant)
    assert set(left.hops) == {h for h in made.hops if {h.before, h.after} <= set(meant)}
    check_hops(left)
    assert plan.select(left, ("*",)) == left


# ------------------------------------------------------------------ the path


@pytest.mark.parametrize(
    ("matrix", "known", "expected"),
    [
        (
            {"start": "2.2", "goal": "5.2", "python": "3.8"},
            {},
            "2.2/3.8 3.2/3.8 4.2/3.8 4.2/3.10 5.2/3.10",
        ),
        (
            {"start": "2.2", "goal": "5.2", "python": "3.8"},
            {"available": frozenset({"3.8", "3.12"})},
            "2.2/3.8 3.2/3.8 4.2/3.8 4.2/3.12 5.2/3.12",
        ),
        (
            {"start": "2.2", "goal": "5.2"},
            {"target_pythons": ("3.6", "3.7")},
            "2.2/3.6 3.2/3.6 3.2/3.10 4.2/3.10 5.2/3.10",
        ),
        (
            {"start": "2.2", "goal": "5.2"},
            {"available": frozenset({"3.8", "3.10"})},
            "2.2/3.8 3.2/3.8 4.2/3.8 4.2/3.10 5.2/3.10",
        ),
        (
            {"start": "4.2", "goal": "6.1"},
            {"target_pythons": ("3.10",)},
            "4.2/3.10 5.2/3.10 5.2/3.12 6.1/3.12",
        ),
        (
            {"start": "4.2", "goal": "5.2", "python": "3.10", "goal_python": "3.13"},
            {},
            "4.2/3.10 5.2/3.10 5.2/3.13",
        ),
        (
            {"start": "3.2", "goal": "5.2", "python": "3.8", "goal_python": "3.12"},
            {},
            "3.2/3.8 4.2/3.8 4.2/3.12 5.2/3.12",
        ),
        (
            {"start": "5.2", "goal": "5.2", "python": "3.10", "goal_python": "3.13"},
            {},
            "5.2/3.10 5.2/3.13",
        ),
        ({"start": "5.2", "goal": "5.2", "python": "3.10"}, {}, "5.2/3.10"),
        (
            {"steps": ("2.2", "5.2"), "python": "3.9"},
            {},
            "2.2/3.9 4.2/3.9 4.2/3.10 5.2/3.10",
        ),
    ],
)
def test_a_path(matrix: dict[str, Any], known: dict[str, Any], expected: str) -> None:
    assert path(make(Matrix(**matrix), **known)) == expected


def test_the_path_when_calver_has_come() -> None:
    raw = tomllib.loads(files("djhop").joinpath("data/django-releases.toml").read_text("utf-8"))
    for row in raw["series"]:
        if row.pop("planned", None):
            row["pythons"] = ["3.12", "3.13", "3.14"]
    known = releases.parse(raw)
    matrix = config.combine(({"from": "5.2", "to": "2028"}, "m"), known=known)
    made = plan.make(matrix, known, current="", target_pythons=("3.11",), available=HERE)
    assert path(made) == "5.2/3.11 5.2/3.12 6.2/3.12 2028/3.12"
    assert made.cells[-1].id == "py3.12-django2028"
    assert plan.matches(made.cells[-1], "django2028")


@pytest.mark.parametrize(
    "here", [{"3.11"}, {"3.12"}, {"3.10", "3.11", "3.12"}, HERE, {"3.11", "3.14"}]
)
def test_the_demo_runs_on_any_one_python_from_310_to_312(here: set[str]) -> None:
    made = make(config.load("demo"), available=frozenset(here))
    best = max(here & {"3.10", "3.11", "3.12"})
    assert path(made) == " ".join(f"{v}/{best}" for v in ("4.2", "5.0", "5.1", "5.2"))
    assert not any("not on this machine" in note for note in made.notes)


@pytest.mark.parametrize("here", [{"3.13"}, {"3.14"}, set()])
def test_the_demo_plans_a_python_to_download_where_there_is_none(here: set[str]) -> None:
    made = make(config.load("demo"), available=frozenset(here))
    assert path(made) == "4.2/3.12 5.0/3.12 5.1/3.12 5.2/3.12"
    assert "Python 3.12 is not on this machine; 4 of 4 cells need it." in made.notes


def test_a_single_cell_has_no_hops_and_a_note() -> None:
    made = make(current="6.1")
    assert (len(made.cells), made.hops) == (1, ())
    assert "Nothing to do: Django 6.1 is the goal." in made.notes


def test_the_notes_say_what_was_assumed() -> None:
    made = make(
        current="4.2",
        target_pythons=("3.10",),
        requires_python="<3.11",
        matrix=Matrix(goal_python="3.14"),
    )
    assert made.notes == (
        "The goal is Django 5.2, the newest released LTS.",
        "The path starts on Python 3.10, which the target names.",
        "Python 3.14 is not on this machine; 1 of 3 cells need it.",
        "The target's requires-python (<3.11) rules out Python 3.14.",
    )


def test_all_named_and_all_here_needs_no_note() -> None:
    assert make(Matrix(start="4.2", goal="5.2", python="3.10")).notes == ()


def test_a_detour_is_noted() -> None:
    made = make(Matrix(steps=("2.2", "5.2"), python="3.9"))
    assert any(note.startswith("It goes by way of Django 4.2:") for note in made.notes)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (Matrix(start="4.2", python="3.13"), "Python 3.13 does not run Django 4.2"),
        (Matrix(start="4.2", goal_python="3.15"), "goal-python: Django 5.2"),
        (Matrix(start="1.8"), "no Python that djhop can run"),
        (Matrix(start="4.2", exclude=("*",)), "exclude leaves no cell"),
        (Matrix(), "does not say which Django it is on"),
    ],
)
def test_no_plan(matrix: Matrix, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(matrix)
    assert message in str(caught.value)


# ------------------------------------------------------------------ further cells


LATE = Matrix(start="4.2", goal="5.2", python="3.10")


def test_further_pythons_go_where_django_supports_them() -> None:
    made = make(replace(LATE, pythons=("3.9", "3.12", "3.13")))
    assert [c.id for c in made.cells] == [
        "py3.10-django4.2",
        "py3.10-django5.2",
        "py3.9-django4.2",
        "py3.12-django4.2",
        "py3.12-django5.2",
        "py3.13-django5.2",
    ]
    assert made.unsupported == ()
    left_out = "Left out, as Django does not support it: py3.13-django4.2, py3.9-django5.2."
    assert left_out in made.notes
    assert beside(made) == [
        "py3.10-django4.2..py3.12-django4.2",
        "py3.12-django4.2..py3.12-django5.2",
        "py3.12-django5.2..py3.13-django5.2",
    ]


def test_every_python() -> None:
    made = make(replace(LATE, pythons="all"))
    minors = [c.python for c in made.cells if c.django == "4.2"]
    assert sorted(minors, key=releases.version_key) == [*R.get("4.2").runnable_pythons]
    assert len(made.cells) == len(R.get("4.2").pythons) + len(R.get("5.2").pythons)
    assert not any(note.startswith("Left out") for note in made.notes)


def test_every_python_is_from_36_on() -> None:
    made = make(Matrix(start="1.11", goal="2.2", pythons="all"))
    assert {c.python for c in made.cells} == {"3.6", "3.7", "3.8", "3.9"}


def test_included_cells() -> None:
    more = (
        CellChoice(django="6.1", python="3.13"),
        CellChoice(django="5.2", python="3.10"),
        CellChoice(django="5.2", python="3.8"),
        CellChoice(django="4.2", python="3.13"),
    )
    made = make(replace(LATE, include=more))
    assert [c.id for c in made.cells[2:]] == ["py3.13-django6.1"]
    assert [c.id for c in made.unsupported] == ["py3.13-django4.2", "py3.8-django5.2"]
    assert beside(made) == []
    assert any(note.startswith("Listed but not run") for note in made.notes)


def test_a_cell_that_is_named_is_listed_and_not_left_out() -> None:
    more = (CellChoice(django="5.2", python="3.8"),)
    made = make(replace(LATE, pythons=("3.8",), include=more))
    assert [c.id for c in made.unsupported] == ["py3.8-django5.2"]
    assert not any(note.startswith("Left out") for note in made.notes)


def test_an_included_cell_hops_from_the_series_before_it_in_the_matrix() -> None:
    more = tuple(CellChoice(django=d, python="3.12") for d in ("6.0", "5.2"))
    assert beside(make(replace(LATE, include=more))) == [
        "py3.10-django5.2..py3.12-django5.2",
        "py3.12-django5.2..py3.12-django6.0",
    ]


def test_no_hop_leaps_over_a_series_of_the_matrix() -> None:
    more = tuple(CellChoice(django=d, python="3.12") for d in ("6.0", "4.2"))
    made = make(replace(LATE, include=more))
    assert beside(made) == ["py3.10-django4.2..py3.12-django4.2"]


def test_exclude_takes_further_cells_and_the_next_hop_leans_on_what_is_left() -> None:
    made = make(replace(LATE, pythons=("3.11", "3.12"), exclude=("django4.2-py3.12",)))
    assert beside(made) == [
        "py3.10-django4.2..py3.11-django4.2",
        "py3.11-django4.2..py3.11-django5.2",
        "py3.11-django5.2..py3.12-django5.2",
    ]
    assert not any("gap" in note for note in made.notes)


def test_exclude_may_take_a_cell_of_the_path() -> None:
    made = make(Matrix(start="3.2", goal="5.2", python="3.10", exclude=("django4.2",)))
    assert path(made) == "3.2/3.10 5.2/3.10"
    assert made.hops == ()
    gap = "The path has a gap, and its hops are left out: exclude takes py3.10-django4.2."
    assert gap in made.notes


def test_patterns_that_match_nothing_are_noted() -> None:
    matrix = replace(
        LATE, exclude=("py3.9",), allow_failure=("django6.1",), override=(Override(cells="py9"),)
    )
    assert make(matrix).notes == (
        "exclude: 'py3.9' matches no cell.",
        "allow-failure: 'django6.1' matches no cell.",
        "override: 'py9' matches no cell.",
    )


# ------------------------------------------------------------------ one hop


def one_hop(before: str, after: str, matrix: Matrix | None = None, **known: Any) -> Plan:
    known = {"available": HERE, **known}
    return plan.one_hop(matrix or Matrix(), R, before=before, after=after, **known)


def test_one_hop_is_two_cells_on_a_python_that_runs_both() -> None:
    made = one_hop("4.2", "5.2", target_pythons=("3.8", "3.11"))
    before, after = cell("py3.11-django4.2"), cell("py3.11-django5.2")
    assert made.cells == made.path == (before, after)
    assert made.hops == (Hop(before=before, after=after, axis="django"),)
    assert path(one_hop("3.2", "5.2", target_pythons=("3.8",))) == "3.2/3.10 5.2/3.10"
    assert path(one_hop("4.2", "5.2", Matrix(python="3.10"))) == "4.2/3.10 5.2/3.10"


def test_one_hop_leaves_out_the_rest_of_the_matrix() -> None:
    matrix = Matrix(start="3.2", pythons="all", exclude=("django4.2",))
    assert len(one_hop("4.2", "5.2", matrix).cells) == 2


@pytest.mark.parametrize(
    ("before", "after", "matrix", "message", "hint"),
    [
        (
            "2.2",
            "5.2",
            Matrix(),
            "no Python runs both Django 2.2 and Django 5.2",
            "hop by hop: 2.2",
        ),
        ("5.2", "4.2", Matrix(), "Django 4.2 is not newer than Django 5.2", "a hop goes from"),
        ("5.2", "5.2", Matrix(), "Django 5.2 is not newer than Django 5.2", "a hop goes from"),
        ("5.2", "6.2", Matrix(), "planned for 2027-04", ""),
        ("4.3", "5.2", Matrix(), "unknown Django series '4.3'", ""),
        ("4.2", "5.2", Matrix(python="3.8"), "Python 3.8 does not run both Django 4.2", "these do"),
    ],
)
def test_no_such_hop(before: str, after: str, matrix: Matrix, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        one_hop(before, after, matrix)
    assert message in str(caught.value)
    assert caught.value.hint.startswith(hint)


# ------------------------------------------------------------------ select and settings


def test_select_takes_commas_and_factors() -> None:
    made = make(replace(LATE, pythons=("3.12",)))
    left = plan.select(made, ("django5.2-py3.12,py3.12-django4.2",))
    assert [c.id for c in left.cells] == ["py3.12-django4.2", "py3.12-django5.2"]
    assert [hop.id for hop in left.hops] == ["py3.12-django4.2..py3.12-django5.2"]
    assert left.path == ()


def test_select_notes_a_pattern_that_matches_nothing() -> None:
    assert "'py3.9' matches no cell." in plan.select(make(LATE), ("django5.2,py3.9",)).notes


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("py3.10-django5.1", "matches no cell", "did you mean 'py3.10-django5.2'? the cells are"),
        ("jango5.2", "matches no cell", "did you mean 'django5.2'? the cells are py3.10-dj"),
        ("zzz", "matches no cell", "the cells are py3.10-django4.2, py3.10-django5.2"),
        ("", "matches no cell", "the cells are"),
        ("py3.8", "'py3.8': Django does not support py3.8-django5.2", ""),
    ],
)
def test_select_of_nothing(asked: str, message: str, hint: str) -> None:
    made = make(replace(LATE, include=(CellChoice(django="5.2", python="3.8"),)))
    with pytest.raises(UsageError) as caught:
        plan.select(made, (asked,))
    assert message in str(caught.value)
    assert caught.value.hint.startswith(hint)


def test_select_keeps_the_unsupported_that_were_asked_for() -> None:
    made = make(replace(LATE, include=(CellChoice(django="5.2", python="3.8"),)))
    assert [c.id for c in plan.select(made, ("django5.2",)).unsupported] == ["py3.8-django5.2"]
    assert plan.select(made, ("django4.2",)).unsupported == ()


def test_settings_of_a_cell() -> None:
    matrix = Matrix(set_env={"A": "1"}, override=(Override(cells="django5.2", timeout=9.0),))
    assert plan.settings_of(matrix, cell("py3.12-django5.2")) == patterns.CellSettings(
        env={"A": "1"}, timeout=9.0
    )
    assert plan.settings_of(matrix, cell("py3.12-django4.2")).timeout == 3600.0


def test_names_of_cells_and_hops() -> None:
    one = cell("py3.12-django5.2")
    assert (one.id, one.factors) == ("py3.12-django5.2", ("py3.12", "django5.2"))
    hop = Hop(before=cell("py3.10-django4.2"), after=cell("py3.10-django5.2"), axis="django")
    assert hop.id == "py3.10-django4.2..py3.10-django5.2"
