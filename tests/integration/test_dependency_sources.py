"""Projects of each packaging tool, their lock files made by it: djhop moves only what must move."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import oracle
import pytest
import uv
from packaging.requirements import Requirement

from djhop import requests
from djhop.interpreters import interpreters
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell
from djhop.processes.process import Spawner
from djhop.resolve import resolve
from djhop.resolve.locks import Lock
from djhop.resolve.request import DJANGO_OWN
from djhop.target import target

TARGETS = Path(oracle.__file__).parent / "targets"
PYTHON = "3.10"
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PYTHON"))}
#: So that these tests say the same next year.
THEN = "2026-01-01"
#: How a reason reads that is a requirement.
REQUIRES = re.compile(r"(\S+) (\S+) requires (\S+)")
#: Django itself, and what it requires, always moves with it.
FREE = DJANGO_OWN | {"django"}


def piptools(root: Path) -> dict[str, str]:
    text = (root / "requirements/test.txt").read_text()
    return dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", text))


def packages(name: str) -> Callable[[Path], dict[str, str]]:
    def read(root: Path) -> dict[str, str]:
        table = tomllib.loads((root / name).read_text())
        return {item["name"]: item["version"] for item in table["package"]}

    return read


def pipenv(root: Path) -> dict[str, str]:
    table = json.loads((root / "Pipfile.lock").read_text())
    both = {**table["default"], **table["develop"]}
    return {name: item["version"].removeprefix("==") for name, item in both.items()}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    def ask(path: str) -> str:
        argv = interpreters.question(path)
        try:
            return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        except OSError:
            return ""

    folder = tmp_path_factory.mktemp("interpreters")
    return interpreters.find(environ=os.environ, cache=folder, query=ask)[PYTHON]


def locks(root: Path, path: tuple[str, ...], python: Interpreter, cache: Path) -> list[Lock]:
    """The lock of each series, each from the one before."""
    matrix = Matrix(exclude_newer=THEN)
    looked = target.look(root, matrix)
    found: list[Lock] = []
    for series in path:
        answer = resolve.resolve(
            requests.of(Cell(django=series, python=PYTHON), looked, matrix, python),
            previous=found[-1] if found else None,
            cache=cache,
            spawner=Spawner(),
            uv=uv.find_uv_bin(),
            uv_env=ENVIRON,
            cwd=str(root),
        )
        assert isinstance(answer, Lock), answer
        found.append(answer)
    return found


@pytest.mark.needs_python(PYTHON)
@pytest.mark.parametrize(
    ("name", "today", "path"),
    [
        pytest.param("piptools-shop", piptools, ("3.2", "4.2", "5.2"), marks=pytest.mark.slow),
        pytest.param(
            *("poetry-shop", packages("poetry.lock"), ("3.2", "4.2", "5.2")), marks=pytest.mark.slow
        ),
        pytest.param("pipenv-shop", pipenv, ("3.2", "4.2", "5.2"), marks=pytest.mark.slow),
        ("uv-shop", packages("uv.lock"), ("4.2", "5.2")),
    ],
)
def test_only_what_must_move_moves(
    name: str,
    today: Callable[[Path], dict[str, str]],
    path: tuple[str, ...],
    python: Interpreter,
    tmp_path: Path,
) -> None:
    written = today(TARGETS / name)
    found = locks(TARGETS / name, path, python, tmp_path / "cache")
    first = found[0].packages
    assert len(first) > 30
    assert {n for n, v in first.items() if v != written.get(n)} <= FREE, "all as the lock file has"
    for before, after in itertools.pairwise(found):
        changed = {move.package for move in resolve.diff(before, after)} - FREE
        moved = changed & before.packages.keys()
        direct = {n for n, via in after.via.items() if "the project" in via}
        # The one package of the four projects that says which Django it does not run on.
        assert moved & direct == {"django-celery-beat"}
        for package in changed - direct:
            askers = set(after.via[package])
            assert askers & (changed | {"django", "asgiref"}), f"nothing makes {package} move"
        for package in moved:
            told = REQUIRES.fullmatch(after.moves_why[package])
            assert told, after.moves_why[package]
            who, version, constraint = told.groups()
            cap = who == package and constraint.startswith("django")
            assert version == (before if cap else after).packages[who]
            needs = Requirement(constraint)
            held, now = (lock.packages[needs.name] for lock in (before, after))
            # What was there is ruled out, by the new Django or by what moved for it.
            assert not needs.specifier.contains(now if cap else held)
            assert cap == (package in direct)


@pytest.mark.needs_python(PYTHON)
def test_the_lock_file_is_what_keeps_them(python: Interpreter, tmp_path: Path) -> None:
    """The same project without its lock file gets the releases of today."""
    root = tmp_path / "shop"
    shutil.copytree(TARGETS / "uv-shop", root)
    (root / "uv.lock").unlink()
    (found,) = locks(root, ("4.2",), python, tmp_path / "cache")
    written = packages("uv.lock")(TARGETS / "uv-shop")
    moved = {n for n, v in found.packages.items() if n in written and v != written[n]} - FREE
    assert len(moved) > 10


@pytest.mark.parametrize("name", ["piptools-shop", "poetry-shop", "pipenv-shop", "uv-shop"])
def test_what_they_require_is_what_they_wrote(name: str) -> None:
    found = target.look(TARGETS / name, Matrix())
    assert len(found.requirements) < len(found.pins) / 2
    texts = [text for text in found.requirements if "whitenoise" in text]
    assert texts, "a requirement of the project itself"
    assert "==" not in "".join(texts)
    assert not {re.split(r"[<>=~\[ ]", text)[0] for text in found.requirements} & {"vine", "amqp"}
