"""One cell: what a pass leaves behind does not meet the next, and git finds nothing above it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from djhop.cells import cells
from djhop.cells.job import Job
from djhop.environments import environments
from djhop.environments.environments import Environment
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell
from djhop.processes.process import Completed, Spawner
from djhop.resolve.locks import Lock
from djhop.results import passes
from djhop.results.eventlog import Seen
from djhop.results.events import PassEvents
from djhop.results.passes import Next, Ran
from djhop.suites.suites import Room, Stand, cell_environ
from djhop.target.target import Suite, Target


@pytest.fixture
def job(tmp_path: Path) -> Job:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "data.txt").write_text("kept")
    return Job(
        cell=Cell(django="5.2", python="3.12"),
        target=Target(root=str(root), name="shop", sources=(), suite=Suite(kind="pytest", argv=())),
        matrix=Matrix(only=("tests",)),
        settings=CellSettings(before=("prepare",)),
        interpreter=Interpreter(
            python="3.12", release="3.12.1", path="/python", source="PATH", key="k"
        ),
        lock=Lock(pins=(), django_release="5.2.1"),
        folder=str(tmp_path / "run" / "cell"),
        cache=str(tmp_path / "cache"),
        files=("data.txt",),
    )


def test_each_pass_starts_on_a_fresh_tree(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Environment(
        key="k",
        path=tmp_path / "env",
        python=tmp_path / "env" / "bin" / "python",
        site_packages=tmp_path / "env" / "lib",
        packages={},
    )
    found: list[tuple[str, list[str], list[str]]] = []

    def one_pass(self: object, stand: Stand, wanted: Next) -> Ran:
        """What a suite may do to its room; it fails, so that another pass is wanted."""
        tree, home = Path(stand.room.workspace), Path(stand.room.home)
        names = ([p.name for p in sorted(tree.iterdir())], [p.name for p in home.iterdir()])
        found.append((wanted.mode, *names))
        (tree / "data.txt").unlink()
        (tree / "made.txt").touch()
        (home / "left").touch()
        tests = {"a": Seen(outcome="failed", when="call")}
        events = PassEvents(began=True, ended=True, framework="pytest 9", tests=tests)
        done = Completed(argv=("python",), returncode=1, seconds=1.0)
        return passes.finish(wanted.mode, done, events)

    def command(self: object, when: str, lines: tuple[str, ...], stand: Stand) -> str:
        for line in lines:
            Path(stand.room.workspace, line).touch()
        return ""

    monkeypatch.setattr(cells._Work, "_commands", command)
    monkeypatch.setattr(cells._Work, "_environment", lambda _: (made, tmp_path / "tools"))
    monkeypatch.setattr(cells._Work, "_pass", one_pass)
    monkeypatch.setattr(environments, "harvest", lambda *_: None)
    result = cells.run_cell(job, Spawner(), lambda *_: None)
    fresh = (["data.txt", "prepare"], [])
    assert found == [("strict", *fresh), ("plain", *fresh)]
    assert result.status == "failed"
    assert Path(job.target.root, "data.txt").read_text() == "kept"


def git(*words: str, cwd: Path, env: dict[str, str]) -> int:
    done = subprocess.run(["git", *words], cwd=cwd, env=env, capture_output=True, check=False)
    return done.returncode


def test_git_in_a_cell_finds_no_repository_above_it(tmp_path: Path) -> None:
    tree = tmp_path / "home" / "cache" / "workspaces" / "py3.12-django5.2" / "tree"
    tree.mkdir(parents=True)
    place = Room(
        cell="py3.12-django5.2",
        python="3.12",
        workspace=str(tree),
        home=str(tree.parent / "home"),
        tmp=str(tree.parent / "tmp"),
        environment="/env",
        probe="/probe",
    )
    bare = {"PATH": os.environ["PATH"]}
    env = cell_environ(place, inherited=bare)
    assert git("init", str(tmp_path / "home"), cwd=tree, env=bare) == 0
    assert git("rev-parse", "--show-toplevel", cwd=tree, env=bare) == 0, "there is one to be found"
    assert git("rev-parse", "--show-toplevel", cwd=tree, env=env) == 128
    # One of the target's own is its own.
    assert git("init", str(tree), cwd=tree, env=env) == 0
    assert git("rev-parse", "--show-toplevel", cwd=tree, env=env) == 0


def test_a_damaged_cache_of_uv_is_said_once(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Path("/nowhere")
    environment = Environment(
        key="k",
        path=nowhere,
        python=nowhere,
        site_packages=nowhere,
        packages={},
        damaged=("sqlparse",),
    )
    monkeypatch.setattr(environments, "ensure", lambda *_, **__: environment)
    monkeypatch.setattr(environments, "tools", lambda *_, **__: nowhere)
    work = cells._Work(job, Spawner(), lambda *_: None)
    work._environment()
    work._environment()
    (note,) = work.notes
    assert "`uv cache clean sqlparse`" in note
