"""Cells on a Dask cluster that is there already: `--executor dask://HOST:PORT`.

Its workers see the same files at the same places: the target, and the folder that runs land in.
Each has its own interpreters and cache. A cell whose worker dies is run again by another one.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

import djhop
from djhop import locate, untested
from djhop.cells import cells
from djhop.cells.job import Job, Report
from djhop.errors import DjhopError, InfraError, Interrupted, UsageError
from djhop.processes import process
from djhop.processes.process import Spawner
from djhop.results.results import CellResult
from djhop.sandbox import sandbox

#: In the folder of a run: whoever works for it is to stop.
STOP = "stop"
#: Seconds between two looks at what was asked for, and that workers have to stop.
LOOK, GRACE = 0.5, 30.0
#: Seconds until a scheduler that does not answer is given up.
ANSWER = 15.0


class Cluster:
    """A connection to a scheduler; `run` does what `cells.run_cell` does, elsewhere."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def workers(self) -> int:
        """How many workers there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def run(self, job: Job, spawner: Spawner, report: Report) -> CellResult:
        """Have a cell done by a worker.

        Raises:
            InfraError: workers died of it, or the scheduler is gone.
            Interrupted: djhop was asked to stop.
        """
        report("cluster")
        if not spawner.interrupted:  # a run that is taken up again was once told to stop
            (_run_of(job) / STOP).unlink(missing_ok=True)
        future = self._client.submit(remote, job, djhop.__version__, pure=False)
        stopped = 0.0
        while True:
            with contextlib.suppress(concurrent.futures.TimeoutError, TimeoutError):
                return self._result(future)
            if not spawner.interrupted:
                continue
            (_run_of(job) / STOP).touch()
            stopped = stopped or time.monotonic()
            if time.monotonic() - stopped > GRACE:
                future.cancel(force=True)
                raise Interrupted("interrupted, and its worker did not stop")

    def _result(self, future: Any) -> CellResult:
        try:
            found = future.result(timeout=LOOK)
        except (DjhopError, concurrent.futures.TimeoutError, TimeoutError):
            raise
        except Exception as error:  # of the cluster: the cell shows nothing
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InfraError(
                f"the cluster did not run it ({said})", hint="look at the logs of its workers"
            ) from error
        assert isinstance(found, CellResult)
        return found


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler at dask://HOST:PORT.

    Raises:
        UsageError: it is no such address, or djhop was installed without Dask.
        InfraError: nobody answers, or there are no workers.
    """
    if not re.fullmatch(r"dask://[^/\s:]+:\d{1,5}", address):
        raise UsageError(f"--executor: {address!r} is no cluster", hint="dask://HOST:PORT")
    try:
        import distributed
    except ImportError as error:
        raise UsageError(
            "--executor: Dask is not installed", hint="python -m pip install 'djhop[dask]'"
        ) from error
    at = f"tcp://{address.removeprefix('dask://')}"
    try:
        client = distributed.Client(at, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise InfraError(f"no scheduler answers at {address}") from error
    with client:
        cluster = Cluster(client)
        if not cluster.workers:
            raise InfraError(f"the cluster at {address} has no workers", hint="dask worker …")
        yield cluster


def remote(job: Job, version: str) -> CellResult:
    """Do a cell here, on a worker.

    Raises:
        InfraError: this machine lacks something that the job needs.
        Interrupted: whoever sent it was asked to stop.
    """
    if version != djhop.__version__:
        raise InfraError(f"a worker has djhop {djhop.__version__}, and not {version}")
    for needed in (Path(job.target.root), _run_of(job)):
        if not needed.is_dir():
            raise InfraError(f"a worker does not see {needed}", hint="workers share a file system")
    spawner = Spawner(registry=locate.cache() / "running")
    if job.matrix.sandbox:
        sandbox.require(spawner)
    # A worker that was killed here has left its suite running.
    list(process.reap_leftovers(locate.cache() / "running"))
    found = locate.pythons(spawner, [job.cell.python])
    if job.cell.python not in found:
        return untested.no_python(job.cell)
    here = msgspec.structs.replace(
        job, interpreter=found[job.cell.python], cache=str(locate.cache())
    )
    over = threading.Event()
    watcher = threading.Thread(target=_heed, args=(_run_of(job) / STOP, spawner, over), daemon=True)
    watcher.start()
    try:
        return cells.run_cell(here, spawner, lambda *_, **__: None)
    finally:
        over.set()


def _heed(stop: Path, spawner: Spawner, over: threading.Event) -> None:
    """Interrupt what runs here when the run that it is for is to stop."""
    while not over.wait(LOOK):
        if stop.exists():
            spawner.interrupt()
            return


def _run_of(job: Job) -> Path:
    """The folder of the run that a job is of: two above the cell's."""
    return Path(job.folder).parents[1]
