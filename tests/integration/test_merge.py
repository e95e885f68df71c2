"""Cells and parts of suites, run apart and merged: held to the same run on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import djhop_cli
import oracle
import pytest
from djhop_cli import SRC, Done

ODD = Path(oracle.__file__).parent / "targets" / "odd"
CELL = "py3.12-django5.2"
#: Name → test; in parts, what surrounds the tests of a class is in more than one of them.
WAYS = {
    "manage": ["manage.py", "test"],
    "pytest": ["pytest"],
    "parallel": ["manage.py", "test", "--parallel", "2", "test_odd", "test_broken_module"],
    "xdist": ["pytest", "-n", "2"],
}


def djhop(*words: object, cache: Path, cwd: Path) -> tuple[int, str]:
    """Run djhop; return its exit code and all that it said."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "djhop", *map(str, words)],
        env=inherited | {"DJHOP_CACHE": str(cache), "PYTHONPATH": str(SRC)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(done: Done, cell: str) -> dict[str, tuple[str | None, str | None]]:
    return {
        name: (test.get("strict"), test.get("plain")) for name, test in done.tests(cell).items()
    }


@pytest.mark.needs_python("3.12")
@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_parts_of_a_suite_are_the_suite(way: str, shared: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "steps": ["5.2"],
        "python": "3.12",
        "test": WAYS[way],
        "packages": ["pytest-xdist", "tblib"],
        "set-env": {
            "RUNNER": "django.test.runner.DiscoverRunner",
            "DJANGO_SETTINGS_MODULE": "settings",
        },
    }
    matrix = djhop_cli.matrix_file(tmp_path / "odd.toml", settings)
    cache = shared / "cache"
    whole = djhop_cli.run(ODD, matrix, cache=cache, out=tmp_path / "one")
    for number in (1, 2, 3):
        words = ["run", ODD, "--matrix", matrix, "--cell", CELL, "--shard", f"{number}/3"]
        bundle = tmp_path / "bundles" / f"{number}.zip"
        code, said = djhop(
            *words, "--bundle", bundle, "--out", tmp_path / f"out{number}", "-q",
            cache=cache, cwd=tmp_path,
        )  # fmt: skip
        assert bundle.is_file(), (code, said)
    code, said = djhop("merge", "bundles", "--out", "merged", cache=cache, cwd=tmp_path)
    merged = djhop_cli.load(tmp_path / "merged" / "latest", returncode=code, said=said)
    assert code == whole.returncode, said
    assert merged.run["whole"] and merged.run["complete"]
    ours, theirs = outcomes(merged, CELL), outcomes(whole, CELL)
    assert ours.keys() == theirs.keys()
    differs = {name for name in ours if ours[name] != theirs[name]}
    # A class is torn down after the last of its tests, of which each part may have one.
    assert {name for name in differs if "TearDownClass" not in name} == set()
    assert merged.cells[CELL]["status"] == whole.cells[CELL]["status"]
    found = [len(json.loads((p / "cell.json").read_text())["tests"])
             for p in merged.folder.glob(f"cells/{CELL}/part-*")]  # fmt: skip
    assert len(found) == 3 and max(found) < len(ours)
