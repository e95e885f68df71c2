"""The matrix that another tool is told, and the matrix file that becomes of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djhop import releases
from djhop.commands import initialising
from djhop.errors import UsageError
from djhop.matrix import config, drafting
from djhop.matrix import plan as planning
from djhop.matrix.plan import Plan
from djhop.target import stated_matrix
from djhop.target.envlist import expand, of_names, series

KNOWN = releases.load()
NEW = [row for row in KNOWN.released() if releases.version_key(row.version) >= (3, 2)]
CELLS = [(python, row.version) for row in NEW for python in row.runnable_pythons]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("py39, py310", ["py39", "py310"]),
        ("py{39,310}-dj{42}", ["py39-dj42", "py310-dj42"]),
        ("py{39,310}-dj42{,-pg}", ["py39-dj42", "py39-dj42-pg", "py310-dj42", "py310-dj42-pg"]),
        ("py{39-311}", ["py39", "py310", "py311"]),
        ("# old\n  py39,\n  lint", ["old", "py39", "lint"]),
        ("{py39, py310}-django42", ["py39-django42", "py310-django42"]),
        ("", []),
    ],
)
def test_an_envlist_is_names(text: str, names: list[str]) -> None:
    assert list(expand(text)) == names


@pytest.mark.parametrize(
    ("factor", "found"),
    [
        ("django42", "4.2"),
        ("dj4.2", "4.2"),
        ("django-42", "4.2"),
        ("Django_4_2", "4.2"),
        ("django111", "1.11"),
        ("django5.1.x", "5.1"),
        ("djangomain", ""),
        ("django99", ""),
        ("drf315", ""),
    ],
)
def test_a_factor_names_a_released_series(factor: str, found: str) -> None:
    assert series(factor, KNOWN) == found


def test_what_is_no_cell_is_said_unless_it_runs_no_tests() -> None:
    names = ["py39-django42-pg", "py39-django42", "py3.10-dj50", "py312-djangomain", "lint", "dj42"]
    told = of_names(names, "tox.ini", KNOWN)
    assert told.cells == (("3.9", "4.2"), ("3.10", "5.0"))
    assert told.unread == (
        "py312-djangomain: a released Django series is not named in it",
        "dj42: a Python is not named in it",
    )


NOX = """
import nox
PYTHONS = ["3.10", "3.12"]

@nox.session(python=PYTHONS)
@nox.parametrize("django", ["4.2", "django~=5.2.0", "5.2.*"])
def tests(session, django):
    pass

@nox.session(python=computed())
@nox.parametrize("django_version", ["5.0"])
def more(session, django_version):
    pass

@nox.session
def lint(session):
    pass
"""


def test_the_sessions_of_nox_are_read_as_far_as_they_are_literal(tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_text(NOX)
    told = stated_matrix.read(tmp_path, KNOWN)
    every = [(p, d) for p in ("3.10", "3.12") for d in ("4.2", "5.2")]
    assert (told.source, sorted(told.cells)) == ("noxfile.py", every)
    assert told.unread == ("session more: its Pythons are computed",)


def test_tox_comes_before_nox_and_classifiers(tmp_path: Path) -> None:
    lines = ["Framework :: Django :: 5.1", "Programming Language :: Python :: 3.11"]
    old = "Programming Language :: Python :: 3.6"
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "a"\nversion = "1"\nclassifiers = {[*lines, old]}\n'
    )
    classified = stated_matrix.read(tmp_path, KNOWN)
    assert (classified.source, classified.cells) == (
        "pyproject.toml: classifiers",
        (("3.11", "5.1"),),
    )
    (tmp_path / "tox.ini").write_text("[tox]\nenvlist = py312\n[testenv]\n")
    told = stated_matrix.read(tmp_path, KNOWN)
    assert told.cells == (("3.11", "5.1"),)
    assert told.unread == ("tox.ini: envlist: py312: a released Django series is not named in it",)
    (tmp_path / "tox.ini").write_text("[tox]\nenvlist = py312-dj52\n[testenv]\n")
    assert stated_matrix.read(tmp_path, KNOWN).cells == (("3.12", "5.2"),)


def planned(text: str) -> Plan:
    return planning.make(
        config.combine((tomllib.loads(text), "x.toml")),
        KNOWN,
        current="4.2",
        available=frozenset(KNOWN.pythons()),
    )


def draft(cells: list[tuple[str, str]], on_path: list[tuple[str, str]]) -> str:
    return drafting.text(
        cells, source="tox.ini", target="", unread=["a"], on_path=on_path, known=KNOWN
    )


@settings(max_examples=12)
@given(st.lists(st.sampled_from(CELLS), min_size=2, max_size=6, unique=True))
def test_the_cells_that_were_read_are_those_of_the_file(cells: list[tuple[str, str]]) -> None:
    kept, odd = drafting.runnable(cells, KNOWN)
    assert (sorted(kept), odd) == (sorted(cells), [])
    if len({django for _, django in kept}) < 2:
        return  # the path goes on to a goal of its own
    path = [(cell.python, cell.django) for cell in planned(draft(kept, CELLS)).path]
    plan = planned(draft(kept, path))
    made = {(cell.python, cell.django) for cell in plan.cells}
    assert made >= {*kept}
    assert made - {*path} <= {*kept}
    assert not [note for note in plan.notes if "gap" in note]


def test_what_djhop_cannot_run_is_said() -> None:
    assert drafting.runnable([("3.5", "2.2"), ("3.12", "5.2")], KNOWN) == (
        [("3.12", "5.2")],
        ["py3.5-django2.2: Django 2.2 does not support that Python, or djhop cannot run it"],
    )


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(initialising.locate, "pythons", lambda _: dict.fromkeys(KNOWN.pythons()))
    (tmp_path / "requirements.txt").write_text("Django==4.2.30\n")
    return tmp_path


def test_no_file_is_overwritten_silently(shop: Path) -> None:
    initialising.init(str(shop), "", force=False)
    file = shop / "djhop.toml"
    assert 'steps = "lts"' in file.read_text()
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        initialising.init(str(shop), "", force=False)
    assert file.read_text() == "mine"
    initialising.init(str(shop), "", force=True)
    assert 'steps = "lts"' in file.read_text()


def test_a_file_elsewhere_says_where_the_target_is(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "tox.ini").write_text("[tox]\nenvlist = py312-dj{42,52}, py312-djmain\n")
    output = shop / "matrices" / "all.toml"
    initialising.init(str(shop), str(output), force=False)
    assert tomllib.loads(output.read_text()) == {
        "target": "..",
        "steps": ["4.2", "5.2"],
        "pythons": ["3.12"],
    }
    assert "#   py312-djmain: a released Django series is not named in it" in output.read_text()
    said = capsys.readouterr().err
    assert "not read: py312-djmain" in said
    assert f"next: djhop plan --matrix {output}" in said
    assert config.load(str(output)).target == str(shop)


def test_a_table_of_pyproject_is_not_hidden(shop: Path) -> None:
    (shop / "pyproject.toml").write_text('[tool.djhop]\nto = "5.2"\n')
    with pytest.raises(UsageError, match="would hide it"):
        initialising.init(str(shop), "", force=False)
