"""The sessions that a matrix becomes in a noxfile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import nox as real_nox
import pytest

from djhop import nox
from djhop.errors import ExitCode, UsageError


class Session:
    """A session as nox hands it over."""

    name = "cell(x)"

    def __init__(self, *posargs: str) -> None:
        self.posargs = posargs

    def error(self, text: str) -> None:
        raise RuntimeError(text)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, Any]]]:
    """What is registered: name → the session's own settings, its ids and its function."""
    found: dict[str, dict[str, Any]] = {}

    def session(*, name: str, allow_parallel: bool = False, **more: Any) -> Callable[[Any], Any]:
        def keep(function: Any) -> Any:
            found[name] = {**more, "allow_parallel": allow_parallel, "run": function[1]}
            found[name]["ids"] = function[0]
            return function

        return keep

    monkeypatch.setattr(real_nox, "session", session)
    monkeypatch.setattr(
        real_nox, "parametrize", lambda _, values, ids: lambda function: (values, function)
    )
    monkeypatch.setattr(nox, "_taken", set())
    return found


def test_each_cell_and_each_hop_is_a_session(made: dict[str, dict[str, Any]]) -> None:
    nox.register("supported", target="")
    assert set(made) == {"cell", "hop"}
    assert "py3.12-django5.2" in made["cell"]["ids"]
    assert all(len(hop.split("..")) == 2 for hop in made["hop"]["ids"])
    assert {end for hop in made["hop"]["ids"] for end in hop.split("..")} <= {*made["cell"]["ids"]}
    assert made["cell"]["tags"] == ["supported", "cells"]
    assert made["hop"]["tags"] == ["supported", "hops"]
    settings = [(one["venv_backend"], one["default"]) for one in made.values()]
    assert settings == [("none", False)] * 2
    assert made["cell"]["allow_parallel"]


def test_a_nox_that_runs_nothing_side_by_side_will_do(
    made: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(*, name: str, tags: Any, venv_backend: str, default: bool) -> Callable[[Any], Any]:
        made[name] = {}
        return lambda function: function

    monkeypatch.setattr(real_nox, "session", older)
    nox.register("supported", target="")
    assert set(made) == {"cell", "hop"}


def test_two_matrices_have_sessions_of_their_own(made: dict[str, dict[str, Any]]) -> None:
    nox.register("supported", target="")
    with pytest.raises(UsageError, match="a session 'cell' already") as caught:
        nox.register("supported", target="")
    assert 'prefix="supported-"' in caught.value.hint
    nox.register("supported", target="", prefix="more-")
    assert set(made) == {"cell", "hop", "more-cell", "more-hop"}


@pytest.mark.parametrize(
    ("target", "posargs", "seen"),
    [
        ("../shop", ("tests", "-k", "x"), ("../shop", ("tests", "-k", "x"))),
        ("../shop", (), ("../shop", ())),
        ("", ("../shop", "-k", "x"), ("../shop", ("-k", "x"))),
    ],
)
def test_what_follows_the_dashes(
    target: str,
    posargs: tuple[str, ...],
    seen: tuple[str, tuple[str, ...]],
    made: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[Any] = []

    def cell(cell: str, *, matrix: str, target: str, args: tuple[str, ...]) -> int:
        ran.append((cell, matrix, (target, args)))
        return ExitCode.OK

    def cells(cells: tuple[str, ...], *, matrix: str, target: str, args: tuple[str, ...]) -> int:
        ran.append((cells, matrix, (target, args)))
        return ExitCode.BREAKS

    plan = nox._plan("supported", "")
    monkeypatch.setattr(nox, "_plan", lambda *_: plan)
    monkeypatch.setattr(nox.running, "cell", cell)
    monkeypatch.setattr(nox.running, "cells", cells)
    nox.register("supported", target=target)
    made["cell"]["run"](Session(*posargs), cell="c")
    with pytest.raises(RuntimeError, match="ended with 1"):
        made["hop"]["run"](Session(*posargs), hop="a..b")
    assert ran == [("c", "supported", seen), (("a", "b"), "supported", seen)]


def test_the_target_is_asked_for_where_none_is_named(made: dict[str, dict[str, Any]]) -> None:
    nox.register("supported", target="")
    with pytest.raises(RuntimeError, match="name the target"):
        made["cell"]["run"](Session(), cell="c")
