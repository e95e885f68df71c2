"""Errors of a table name the file, the line or the key, and what was meant."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest

from djhop.errors import UsageError
from djhop.matrix import strict


class Inner(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    cells: str
    set_env: dict[str, str] = {}


class Outer(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    python: str = ""
    goal_python: str = ""
    how: Literal["auto", "never"] = "auto"
    jobs: int = 0
    seconds: float | None = None
    branch: bool = False
    pythons: str | tuple[str, ...] = ()
    override: tuple[Inner, ...] = ()


def refusal(table: dict[str, object]) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        strict.convert(table, Outer, "x.toml")
    return str(caught.value), caught.value.hint


def test_a_good_table() -> None:
    table = {"python": "3.10", "seconds": 5, "override": [{"cells": "a", "set-env": {"A": "1"}}]}
    inner = Inner(cells="a", set_env={"A": "1"})
    assert strict.convert(table, Outer, "x") == Outer(python="3.10", seconds=5.0, override=(inner,))
    assert strict.convert({}, Outer, "x") == Outer()


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"pyhton": "3"}, "x.toml: pyhton: unknown key", "did you mean 'python'?"),
        ({"goal_python": "3"}, "x.toml: goal_python: unknown key", "did you mean 'goal-python'?"),
        (
            {"zz": 1},
            "x.toml: zz: unknown key",
            "known keys: branch, goal-python, how, jobs, override, python, pythons, seconds",
        ),
        (
            {"override": [{"cells": "a"}, {"cells": "b", "setenv": {}}]},
            "x.toml: override[1].setenv: unknown key",
            "did you mean 'set-env'?",
        ),
        (
            {"python": 3.1},
            "x.toml: python: expected a text, got a number",
            'versions go in quotes, as in "3.10"',
        ),
        (
            {"pythons": [3.1]},
            "x.toml: pythons[0]: expected a text, got a number",
            'versions go in quotes, as in "3.10"',
        ),
        ({"pythons": 3}, "x.toml: pythons: expected a text or a list, got an integer", ""),
        ({"jobs": "2"}, "x.toml: jobs: expected an integer, got a text", ""),
        ({"jobs": True}, "x.toml: jobs: expected an integer, got true or false", ""),
        ({"branch": 1}, "x.toml: branch: expected true or false, got an integer", ""),
        ({"seconds": "1"}, "x.toml: seconds: expected a number, got a text", ""),
        ({"how": "sometimes"}, "x.toml: how: unknown value 'sometimes'", "one of auto, never"),
        ({"how": False}, "x.toml: how: expected a text, got true or false", "one of auto, never"),
        ({"override": {"cells": "a"}}, "x.toml: override: expected a list, got a table", ""),
        ({"override": ["a"]}, "x.toml: override[0]: expected a table, got a text", ""),
        ({"override": [{}]}, "x.toml: override[0]: lacks the key `cells`", ""),
        (
            {"override": [{"cells": "a", "set-env": {"A": 1}}]},
            "x.toml: override[0].set-env[...]: expected a text, got an integer",
            "",
        ),
    ],
)
def test_a_wrong_table(table: dict[str, object], message: str, hint: str) -> None:
    assert refusal(table) == (message, hint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'a = "1"\nb = 3.10.1\n', ":2: not TOML: Expected newline or end of document"),
        (b"a = 1\na = 2\n", ":2: not TOML: Cannot overwrite a value"),
        (b"a = 1\n\n[b", ":3: not TOML: Expected ']' at the end of a table declaration"),
        (b"a = [1,\n", ":1: not TOML: "),
        (b"a = '\xff'", ": is not UTF-8, so it is not TOML"),
    ],
)
def test_broken_toml(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(text)
    with pytest.raises(UsageError) as caught:
        strict.read_toml(path)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "(at " not in str(caught.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        strict.read_toml(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        strict.read_toml(tmp_path)
