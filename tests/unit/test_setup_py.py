"""setup.py, read and never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djhop.target import setup_py


@pytest.mark.parametrize(
    ("source", "key", "expected"),
    [
        ("setup(name='x')", "name", "x"),
        ("setuptools.setup(name='a' 'b' + 'c')", "name", "abc"),
        ("n = 'x'\nsetup(name=n)", "name", "x"),
        (
            "r = ['a']\nr += ['b']\nr.append('c')\nr.extend(['d'])\nsetup(i=r)",
            "i",
            ["a", "b", "c", "d"],
        ),
        ("A = ['a']\nsetup(i=A + ['b'] + list(('c',)))", "i", ["a", "b", "c"]),
        ("A = ['a']\nsetup(i=[*A, 'b'])", "i", ["a", "b"]),
        (
            "E = {'t': ['x']}\nE['d'] = E['t'] + ['y']\nsetup(e=E)",
            "e",
            {"t": ["x"], "d": ["x", "y"]},
        ),
        ("A = {'t': ['x']}\nsetup(e={**A, 'd': []})", "e", {"t": ["x"], "d": []}),
        ("kw = dict(name='x', v=open('f').read())\nsetup(**kw)", "name", "x"),
        ("def main():\n    deps = ['a']\n    setup(i=deps)\nmain()", "i", ["a"]),
        ("if __name__ == '__main__':\n    setup(name='x')", "name", "x"),
        ("try:\n    N = 'x'\nexcept Exception:\n    N = 'y'\nsetup(name=N)", "name", "x"),
        ("d: list = ['a']\nsetup(i=d)", "i", ["a"]),
    ],
)
def test_literals(source: str, key: str, expected: Any) -> None:
    call = setup_py.read(source)
    assert call.found
    assert call.arguments[key] == expected


@pytest.mark.parametrize(
    ("condition", "known"),
    [
        ("sys.version_info < (2, 7)", "no"),
        ("sys.version_info[:2] <= (2, 7)", "no"),
        ("sys.version_info < (3,)", "no"),
        ("sys.version_info < (3, 6)", "no"),
        ("sys.version_info >= (3, 5)", "yes"),
        ("version_info[0] == 2", "no"),
        ("sys.version_info[0] != 2", "yes"),
        ("sys.version_info.major >= 3", "yes"),
        ("sys.version_info.major < 3", "no"),
        # Some Pythons say yes to these, and some say no; or they were not read.
        ("sys.version_info < (3, 7)", None),
        ("sys.version_info <= (3, 6)", None),
        ("sys.version_info > (3, 6)", None),
        ("sys.version_info[0] == 3", None),
        ("sys.version_info > OLD", None),
        ("2 < sys.version_info[0] < 3", None),
        ("sys.version_info[0] is not 2", None),
        ("six.PY2", None),
    ],
)
def test_conditions_on_pythons_before_djhops(condition: str, known: str | None) -> None:
    one = setup_py.read(f"setup(i=['a', 'yes' if {condition} else 'no'])")
    texts, unread = setup_py.texts(one.arguments["i"])
    assert texts == ["a", *([known] if known else [])]
    assert bool(unread) == (known is None)
    block = f"r = ['a']\nif {condition}:\n  r += ['yes']\nelse:\n  r += ['no']\nsetup(i=r)"
    assert setup_py.read(block).arguments["i"] == texts


def test_what_is_computed_is_said_to_be_unread(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six\n")
    call = setup_py.read("setup(a=['x', f()], b=open('requirements.txt').read().split(), c=g())")
    known, unread = setup_py.texts(call.arguments["a"])
    assert known == ["x"]
    assert len(unread) == 1
    _, (file,) = setup_py.texts(call.arguments["b"])
    assert setup_py.named_files(file, tmp_path) == ("requirements.txt",)
    _, (nothing,) = setup_py.texts(call.arguments["c"])
    assert setup_py.named_files(nothing, tmp_path) == ()


@pytest.mark.parametrize(
    "source", ["print 'python 2'", "x = 1", "", "\0", "(" * 5000, "setup = 1\n'\\d'"]
)
def test_what_cannot_be_read_says_why(source: str) -> None:
    call = setup_py.read(source)
    assert not call.found
    assert call.problem


def test_a_list_that_doubles_itself_stays_small() -> None:
    source = "a = ['x']\nb = 'x'\n" + "a = a + a\nb = b + b\n" * 64 + "setup(a=a, b=b)"
    known, _ = setup_py.texts(setup_py.read(source).arguments["a"])
    assert len(known) <= 100_000


@given(source=st.text(alphabet="setup(=[]{}'\"ab,+*\n :.", max_size=60))
def test_any_text_is_read(source: str) -> None:
    call = setup_py.read(source)
    for value in call.arguments.values():
        setup_py.texts(value)
