"""What the test session of a noxfile.py installs, read without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from djhop.target import noxfile
from djhop.target.toxfile import Tox

DJANGO = """
import nox
EXTRA = ["factory-boy", "time-machine>=2"]

@nox.session
def lint(session):
    session.install("ruff")

@nox.session(python=["3.9", "3.10"])
@nox.parametrize("django", ["3.2", "4.2"])
def tests(session, django):
    session.install("-r", "requirements/test.txt", "-e", ".[sql, redis]", *EXTRA)
    session.install(f"django=={django}")
    session.install("--upgrade", "pip", "-c", "pins.txt", "--index-url=https://e.org", "--pre")
    if django == "3.2":
        session.install("pytz")
    session.run("pytest")
"""


def read(root: Path, text: str) -> Tox:
    (root / "noxfile.py").write_text(text)
    return noxfile.read(root)


def test_the_test_session(tmp_path: Path) -> None:
    found = read(tmp_path, DJANGO)
    assert found.deps == ("-r requirements/test.txt", "factory-boy", "time-machine>=2", "pip")
    assert found.extras == ("sql", "redis")
    assert found.notes == ("noxfile.py: 1 things that session tests computes are not read.",)


@pytest.mark.parametrize(
    ("text", "deps"),
    [
        ("@session\ndef unit_tests(s):\n    s.install('a')\n", ("a",)),
        ("@nox.session(name='test-all')\ndef go(s):\n    s.install('a')\n", ("a",)),
        ("@nox.session\ndef latest(s):\n    s.install('a')\n", ()),
        ("@nox.session\ndef docs(s):\n    s.install('a')\n", ()),
        ("def tests(s):\n    s.install('a')\n", ()),
        (
            "@nox.session\ndef test_min(s):\n    s.install('a')\n"
            "@nox.session\ndef tests(s):\n    s.install('b')\n",
            ("b",),
        ),
        ("raise SystemExit\n", ()),
        ("", ()),
    ],
)
def test_which_session(tmp_path: Path, text: str, deps: tuple[str, ...]) -> None:
    assert read(tmp_path, text).deps == deps


def test_groups(tmp_path: Path) -> None:
    text = "@nox.session\ndef tests(s):\n    s.install('--group', 'pyproject.toml:dev')\n"
    assert read(tmp_path, text).groups == ("dev",)


def test_what_is_no_python_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, "def (:\n").notes[0].startswith("noxfile.py is not read: ")
    assert read(tmp_path, "a = \0\n").notes[0].startswith("noxfile.py is not read: ")


def test_tox_comes_first() -> None:
    tox, nox = Tox(path="tox.ini", deps=("a",)), Tox(path="noxfile.py", deps=("b",))
    assert noxfile.needs(tox, nox) is tox
    assert noxfile.needs(Tox(path="tox.ini"), nox) is nox
    assert noxfile.needs(tox, Tox()) is tox
