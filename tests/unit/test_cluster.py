"""What is made of a cluster's answers; the cluster itself is in the integration tests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import djhop
from djhop import cluster
from djhop.cells.job import Job
from djhop.cluster import STOP, Cluster
from djhop.errors import InfraError, Interrupted, UsageError
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.patterns import CellSettings
from djhop.matrix.plan import Cell
from djhop.processes.process import Spawner
from djhop.resolve.locks import Lock
from djhop.results.results import CellResult
from djhop.target.target import Target

CELL = Cell(django="5.2", python="3.12")
FINE = CellResult(id=CELL.id, django="5.2", python="3.12", status="passed")


class Future:
    """Gives these answers, one after the other; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.cancelled = [*answers], False

    def result(self, timeout: float) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, force: bool) -> None:
        self.cancelled = force


class Client:
    def __init__(self, future: Future) -> None:
        self.future = future

    def submit(self, *_: Any, pure: bool) -> Future:
        assert not pure  # an equal job is to be run, not remembered
        return self.future


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "run" / "cells" / CELL.id
    folder.parent.mkdir(parents=True)
    (tmp_path / "shop").mkdir()
    python = Interpreter(python="3.12", release="3.12.1", path="/p", source="PATH", key="k")
    target = Target(root=str(tmp_path / "shop"), name="shop", sources=())
    return Job(cell=CELL, target=target, matrix=Matrix(), settings=CellSettings(),
               interpreter=python, lock=Lock(pins=(), django_release="5.2.1"),
               folder=str(folder), cache="/cache", files=())  # fmt: skip


def run(job: Job, *answers: Any, spawner: Spawner | None = None) -> CellResult:
    client = Client(Future(*answers))
    return Cluster(client).run(job, spawner or Spawner(), lambda *_: None)


def test_a_worker_s_answer_is_waited_for(job: Job, tmp_path: Path) -> None:
    (tmp_path / "run" / STOP).touch()  # left by a run that was interrupted, and is taken up again
    assert run(job, TimeoutError(), TimeoutError(), FINE) is FINE
    assert not (tmp_path / "run" / STOP).exists()


def test_what_a_worker_says_of_itself_is_passed_on_and_the_rest_is_infra(job: Job) -> None:
    with pytest.raises(InfraError, match="no disk"):
        run(job, InfraError("no disk"))
    with pytest.raises(InfraError, match=r"the cluster did not run it \(ValueError: died 4 times"):
        run(job, ValueError("died 4 times\nmore"))


def test_workers_are_asked_to_stop_and_not_waited_for_for_ever(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = Spawner()
    spawner.interrupt()
    assert run(job, TimeoutError(), FINE, spawner=spawner) is FINE
    assert (tmp_path / "run" / STOP).is_file()
    monkeypatch.setattr(cluster, "GRACE", 0.0)
    with pytest.raises(Interrupted):
        run(job, TimeoutError(), spawner=spawner)


def test_a_worker_that_lacks_something_runs_nothing(job: Job, tmp_path: Path) -> None:
    with pytest.raises(InfraError, match="a worker has djhop"):
        cluster.remote(job, "0.0.0")
    (tmp_path / "shop").rmdir()
    with pytest.raises(InfraError, match=r"a worker does not see .*shop"):
        cluster.remote(job, djhop.__version__)


def test_a_worker_heeds_who_asks_it_to_stop(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJHOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cluster, "LOOK", 0.01)
    monkeypatch.setattr(cluster.locate, "pythons", lambda *_: {"3.12": job.interpreter})
    seen: list[Job] = []

    def work(here: Job, spawner: Spawner, _: Any) -> CellResult:
        seen.append(here)
        (tmp_path / "run" / STOP).touch()
        until = time.monotonic() + 10
        while not spawner.interrupted and time.monotonic() < until:
            time.sleep(0.01)
        assert spawner.interrupted
        return FINE

    monkeypatch.setattr(cluster.cells, "run_cell", work)
    assert cluster.remote(job, djhop.__version__) is FINE
    assert seen[0].cache == str(tmp_path / "cache")  # its own, not that of who sent it


@pytest.mark.parametrize("address", ["dask://", "dask://x", "tcp://x:1", "dask://a b:1", "x"])
def test_what_is_no_cluster(address: str) -> None:
    with pytest.raises(UsageError, match="is no cluster"), cluster.connected(address):
        pass
