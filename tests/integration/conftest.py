"""Fixtures of the tests of locks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import djangos
import pytest
import uv
from locking import ENVIRON, Counting, Lay

from djhop.interpreters import interpreters
from djhop.interpreters.interpreters import Interpreter
from djhop.resolve import resolve
from djhop.resolve.locks import Lock
from djhop.resolve.resolve import Request, Unresolvable


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interpreter]:
    def ask(path: str) -> str:
        argv = interpreters.question(path)
        try:
            return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        except OSError:
            return ""

    folder = tmp_path_factory.mktemp("interpreters")
    return interpreters.find(environ=os.environ, cache=folder, query=ask)


@pytest.fixture
def lay(found: dict[str, Interpreter], tmp_path: Path) -> Lay:
    def go(
        requirements: tuple[str, ...],
        django: str,
        python: str,
        previous: Lock | None = None,
        env: dict[str, str] | None = None,
        offline: bool = False,
        sleep: Callable[[float], None] = lambda _: None,
        fresh: bool = False,
        **more: object,
    ) -> tuple[Lock | Unresolvable, Counting]:
        if python not in found:
            pytest.skip(f"no Python {python} here")
        counting = Counting()
        request = Request(
            requirements=requirements,
            django=django,
            python=python,
            python_release=found[python].release,
            interpreter_path=str(found[python].path),
            interpreter_key=found[python].key,
            **more,  # type: ignore[arg-type]
        )
        answer = resolve.resolve(
            request,
            previous=previous,
            cache=tmp_path / "cache",
            spawner=counting,
            uv=uv.find_uv_bin(),
            uv_env={**ENVIRON, **(env or {})},
            cwd=str(tmp_path),
            offline=offline,
            fresh=fresh,
            sleep=sleep,
        )
        return answer, counting

    return go


@pytest.fixture(scope="session")
def django(shared: Path) -> dict[str, Path]:
    """Series → the folder of its newest release's package."""
    found = djangos.install(shared / "djangos")
    return {series: folder / "django" for series, folder in found.items()}
