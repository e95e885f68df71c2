"""All services of a run: started before the first cell that needs them, ended with the run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from djhop import durable
from djhop.errors import Interrupted
from djhop.matrix.service import Service
from djhop.processes.process import Spawner
from djhop.services.running import Running, ServiceError


class Services:
    """The services that a matrix names, for cells in any number of threads.

    `runs` is what the cells are run with: when it is interrupted the services go on until the cells
    have ended. Their logs go to the folder `logs`, their records to `registry`.
    """

    def __init__(
        self,
        wanted: Mapping[str, Service],
        *,
        environ: Mapping[str, str],
        target: str,
        logs: Path,
        runs: Spawner,
        registry: Path,
    ) -> None:
        self._wanted, self._environ, self._target = wanted, environ, target
        self._logs, self._runs = logs, runs
        self._spawner = Spawner(registry=registry)
        self._lock = threading.Lock()
        self._running: list[Running] = []
        #: What everybody who asks is told, once it is known.
        self._failed: ServiceError | Interrupted | None = ServiceError(
            "the services were not started"
        )
        self._asked = False

    def __bool__(self) -> bool:
        """Whether the matrix names any."""
        return bool(self._wanted)

    def env(self) -> dict[str, str]:
        """Start what is not started yet, and return the variables that lead to it.

        Raises:
            ServiceError: one of them cannot be had; whoever asks again is told the same.
            Interrupted: djhop was asked to stop.
        """
        with self._lock:
            if not self._asked:
                self._asked = True
                self._failed = ServiceError("the services were not started")  # a bug of ours
                self._failed = self._start()
            if self._failed:
                raise self._failed
            return {key: value for one in self._running for key, value in one.env.items()}

    def places(self) -> tuple[tuple[str, str], ...]:
        """The port and the folder of each service that runs."""
        with self._lock:
            return tuple(one.place for one in self._running)

    def _start(self) -> ServiceError | Interrupted | None:
        try:
            durable.make(self._logs)
            for name, service in self._wanted.items():
                self._running.append(self._made(name, service))
                self._running[-1].start()
        except (ServiceError, Interrupted) as error:
            return error
        except OSError as error:
            return ServiceError(f"the services cannot be started: {error}")
        return None

    def _made(self, name: str, service: Service) -> Running:
        return Running(
            name,
            service,
            spawner=self._spawner,
            environ=self._environ,
            target=self._target,
            log=self._logs / f"{name}.txt",
            stopped=lambda: self._runs.interrupted,
        )

    def gone(self) -> ServiceError | None:
        """Why one of them does not serve any more; it is never started again."""
        with self._lock:
            for one in self._running:
                if not self._failed and (why := one.gone()):
                    self._failed = why
            return self._failed if isinstance(self._failed, ServiceError) else None

    def stop(self) -> None:
        """End all of them, the last that was started first; cells must have ended before."""
        with self._lock:
            while self._running:
                self._running.pop().end(lambda: self._runs.hurried)
