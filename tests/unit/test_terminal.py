"""What is printed fits the terminal, and comes out whatever standard output is."""

from __future__ import annotations

import datetime
import io
import sys

import pytest

from djhop import cli, doctor, releases, terminal
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.reports import planned
from djhop.reports.fold import fold
from djhop.target.target import Target

# ---------------------------------------------------------------------------------------- folding


def test_folding() -> None:
    assert fold("  a bb ccc dddd", 8, 4) == ["  a bb", "    ccc", "    dddd"]
    assert fold("  name     value and more", 20, 11) == ["  name     value and", "           more"]


@pytest.mark.parametrize("whole", ["4.2 → 5.2", "`djhop deps --emit pip`", "/a/long/path-of-it"])
def test_what_is_one_thing_stays_on_one_line(whole: str) -> None:
    for width in range(10, 40):
        lines = fold(f"some words before {whole} and after", width, 2)
        assert [line for line in lines if whole in line], (width, lines)


def test_a_word_longer_than_the_line_keeps_its_indent() -> None:
    assert fold(f"     {'x' * 30}", 20, 7) == [f"     {'x' * 30}"]


# --------------------------------------------------------------------------------- the terminal


def test_the_height_leaves_room_for_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "30")
    assert terminal.height() == 27
    monkeypatch.delenv("LINES")
    monkeypatch.setattr("sys.__stdout__", io.StringIO())
    assert terminal.height() == 40


def test_the_width_is_that_of_columns_else_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal.width() == 80
    monkeypatch.setenv("COLUMNS", "123")
    assert terminal.width() == 123
    monkeypatch.setenv("COLUMNS", "many")
    assert terminal.width() == 80


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not terminal.color()
    monkeypatch.setattr(sys, "stdout", Screen())
    assert terminal.color()
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal.color()
    monkeypatch.delenv("TERM")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.color()


def test_what_cannot_be_encoded_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    terminal.show("4.2 → 5.2\n\n")
    assert raw.getvalue() == b"4.2 ? 5.2\n"


# ------------------------------------------------------------------------------- plan and doctor

OLD, NEW = Cell(django="4.2", python="3.12"), Cell(django="5.2", python="3.12")
PLAN = Plan(
    cells=(OLD, NEW),
    path=(OLD, NEW),
    hops=(Hop(before=OLD, after=NEW, axis="django"),),
    notes=("a sentence of many words " * 8,),
)
TARGET = Target(
    root="/home/me/shop", name="shop", sources=(), django="4.2", django_source="x " * 50
)
PYTHON = Interpreter(python="3.12", release="3.12.1", path="/p/3.12/python", source="x", key="k")


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("found", [{}, {"3.12": PYTHON}])
def test_a_plan_fits_the_terminal(width: int, found: dict[str, Interpreter]) -> None:
    day = datetime.date(2026, 1, 1)
    text = planned.text(TARGET, PLAN, found, releases.load(), width=width, today=day)
    assert max(map(len, text.splitlines())) <= width
    wide = planned.text(TARGET, PLAN, found, releases.load(), width=100, today=day)
    assert text.split() == wide.split()


FINDINGS = {
    "djhop": "1",
    "python": "3.12.1",
    "uv": "uv 0.9 " + "with words " * 9,
    "git": "",
    "cache": {"path": "/cache", "bytes": 1, "free": 3 * 1024**3},
    "index": "answers",
    "interpreters": [
        {"python": "3.12", "release": "3.12.1", "path": "/p/python3.12", "source": "of words " * 9}
    ],
    "absent": {"3.14": "uv python install 3.14, or: " + "another way, or: " * 5},
    "missing": ["what is missing " * 9],
}


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("missing", [[], FINDINGS["missing"]])
def test_what_doctor_says_fits_the_terminal(width: int, missing: list[str]) -> None:
    lines = doctor.lines({**FINDINGS, "missing": missing}, width)
    assert max(map(len, lines)) <= width
    assert "" in lines  # its blocks stand apart
    words = " ".join(lines).split()
    assert words == " ".join(doctor.lines({**FINDINGS, "missing": missing}, 100)).split()


# ----------------------------------------------------------------------------- the command line


def refused(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(line)
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_hop_names_its_series_itself(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert f"No such option '{option}'" in refused(capsys, "hop", "4.2", "5.2", option, "6.0")


@pytest.mark.parametrize("command", [("plan",), ("deps",), ("run",), ("hop", "4.2", "5.2")])
def test_a_policy_is_one_of_three(capsys: pytest.CaptureFixture[str], command: tuple[str]) -> None:
    said = refused(capsys, *command, "--policy", "bogus")
    assert "'minimal', 'latest', 'frozen'" in said
