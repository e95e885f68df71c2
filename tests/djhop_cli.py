"""djhop as a user runs it: a process of its own, judged by what it leaves on disk."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SRC = Path(__file__).parent.parent / "src"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Done:
    """A `djhop run` that has ended: what it said, and the JSON that it wrote."""

    returncode: int
    said: str
    folder: Path
    run: dict[str, Any]
    #: Cell id → cell.json.
    cells: dict[str, dict[str, Any]]

    def tests(self, cell: str) -> dict[str, dict[str, Any]]:
        """The tests of a cell: id → its entry."""
        return {test["id"]: test for test in self.cells[cell]["tests"]}

    def counts(self, cell: str, mode: str) -> dict[str, int]:
        """Tests per outcome as run.json has it; only what is not zero."""
        (found,) = (row for row in self.run["cells"] if row["id"] == cell)
        return {name: n for name, n in found["counts"][mode].items() if n}

    def hop(self, before: str, after: str) -> dict[str, Any]:
        """The hop between two cells."""
        ends = (before, after)
        (found,) = (hop for hop in self.run["hops"] if (hop["before"], hop["after"]) == ends)
        return dict(found)

    def python(self, cell: str) -> Path:
        """The interpreter of the environment in which the cell ran its suite."""
        return Path(self.cells[cell]["passes"][0]["argv"][0])


def run(
    target: Path,
    matrix: Path,
    *,
    cache: Path,
    out: Path,
    env: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    timeout: float = 900.0,
) -> Done:
    """Run djhop on `target`; fail where it says nothing at all."""
    command = [sys.executable, "-m", "djhop", "run", str(target), "--matrix", str(matrix)]
    command += ["--json", "--out", str(out), "--install-python", "never", *options]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        command,
        env=inherited | {"DJHOP_CACHE": str(cache), "PYTHONPATH": str(SRC)} | {**(env or {})},
        cwd=out.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.stdout, f"djhop ended with {done.returncode}: {done.stderr}"
    # What is printed is what is on disk.
    assert json.loads(done.stdout) == json.loads((out / "latest" / "run.json").read_text())
    return load(out / "latest", returncode=done.returncode, said=done.stderr)


def load(folder: Path, *, returncode: int, said: str) -> Done:
    """Read the run in `folder` again."""
    cells = {
        path.parent.name: json.loads(path.read_text()) for path in folder.glob("cells/*/cell.json")
    }
    return Done(
        returncode=returncode,
        said=said,
        folder=folder.resolve(),
        run=json.loads((folder / "run.json").read_text()),
        cells=cells,
    )


def matrix_file(path: Path, settings: Mapping[str, Any]) -> Path:
    """Write a matrix; JSON's strings, numbers and lists are TOML's. A dict becomes a table.

    Only the tests are run, each once, where `settings` do not ask for more.
    """
    settings = {"only": ["tests"], "flaky": {"reruns": 0}, **settings}
    lines = [f"{k} = {json.dumps(v)}" for k, v in settings.items() if not isinstance(v, dict)]
    for name, table in settings.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
