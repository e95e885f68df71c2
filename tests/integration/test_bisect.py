"""Bisects of real runs: a patch release of Django, a version of a package, a Python."""

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

TARGETS = Path(oracle.__file__).parent / "targets"
MOVED = """
steps = ["4.2", "5.0"]
python = "3.11"
test = ["pytest"]
only = ["tests"]
[[override]]
cells = "django4.2"
packages = ["django==4.2.16", "itsdangerous==2.0.1"]
[[override]]
cells = "django5.0"
packages = ["itsdangerous==2.2.0"]
"""


def culprits(blame: dict[str, Any]) -> list[list[tuple[str, str, str]]]:
    assert blame["outcome"] == "found", blame
    return [[(c["name"], c["good"], c["bad"]) for c in way["culprits"]] for way in blame["ways"]]


@pytest.mark.slow
@pytest.mark.needs_python("3.11")
def test_a_run_finds_the_patch_release_and_the_version_that_broke_it(
    tmp_path: Path, shared: Path
) -> None:
    matrix = tmp_path / "matrix.toml"
    matrix.write_text(MOVED)
    done = djhop_cli.run(
        oracle.copy(TARGETS / "moved-releases", tmp_path / "moved"),
        matrix,
        cache=shared / "djhop",
        out=tmp_path / "reports",
        options=("--auto",),
    )
    files = {json.loads(p.read_text())["tests"][0]: json.loads(p.read_text())
             for p in done.folder.glob("bisect/*.json")}  # fmt: skip
    patch = files.pop("test_moved.py::Moved::test_a_patch_release")
    # https://docs.djangoproject.com/en/stable/releases/4.2.17/
    assert culprits(patch) == [[("Django", "4.2.16", "4.2.17")]]
    assert "/releases/4.2.17/" in patch["text"]
    package = files.pop("test_moved.py::Moved::test_a_package")
    assert culprits(package) == [[("itsdangerous", "2.0.1", "2.1.0")]]
    assert files == {}
    report = (done.folder / "report.txt").read_text()
    assert "bisect: Django 4.2.16 is the last good release" in report
    assert {one["cause"] for one in done.run["blames"]} == {patch["cause"], package["cause"]}


@pytest.mark.needs_python("3.11", "3.12")
def test_a_bisect_of_an_earlier_run_blames_python(tmp_path: Path, shared: Path) -> None:
    settings = {
        "steps": ["4.2"],
        "python": "3.11",
        "goal-python": "3.12",
        "test": ["manage.py", "test"],
        "only": ["tests"],
    }
    done = djhop_cli.run(
        oracle.copy(TARGETS / "python-hop", tmp_path / "python-hop"),
        djhop_cli.matrix_file(tmp_path / "matrix.toml", settings),
        cache=shared / "djhop",
        out=tmp_path / "reports",
    )
    argv = [sys.executable, "-m", "djhop", "bisect", str(done.folder), "--json", "--repeat", "1"]
    env = {"DJHOP_CACHE": str(shared / "djhop"), "PYTHONPATH": str(djhop_cli.SRC)}
    made = subprocess.run(
        argv, env=os.environ | env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    (blame,) = json.loads(made.stdout)
    assert culprits(blame) == [[("Python", "3.11", "3.12")]]
    assert blame["tests"] == ["test_kind.Kind.test_removed_from_python"]
    # Both ends were run with the packages of the run, and nothing else was.
    assert [one["answer"] for one in blame["tried"]] == ["good", "bad"]
