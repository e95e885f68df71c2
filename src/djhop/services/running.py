"""One service: started in the foreground or as a daemon, asked whether it is ready, ended."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from djhop import masking
from djhop.errors import InfraError, Interrupted
from djhop.matrix import service as services
from djhop.matrix.service import Service
from djhop.processes import leftovers
from djhop.processes.background import Background
from djhop.processes.process import NOT_EXECUTABLE, NOT_FOUND, Command, Completed, Spawner

#: Seconds between two questions whether it is ready, and what one of them may take.
PAUSE, ASK = 0.1, 10.0
#: Seconds that `stop` may take before signals are sent.
STOP = 30.0
#: Seconds in which a service that does not answer once may do so after all.
AGAIN = 5.0
#: Lines of its log that are shown, and bytes at its end that they are looked for in.
TAIL, LOG_END = 8, 1 << 16


class ServiceError(InfraError):
    """A service did not start, or is gone: nothing can be said about the target."""


class Running:
    """A service from its start to its end; `end` must be called, whatever `start` raised."""

    def __init__(
        self,
        name: str,
        wanted: Service,
        *,
        spawner: Spawner,
        environ: Mapping[str, str],
        target: str,
        log: Path,
        stopped: Callable[[], bool],
    ) -> None:
        self.name, self._wanted, self._spawner = name, wanted, spawner
        self._log, self._stopped = log, stopped
        self._ends = contextlib.ExitStack()
        # Not below the cache: the path of a socket must be short, and a service that runs as
        # another user must be able to come here.
        self._folder = tempfile.mkdtemp(prefix=f"{leftovers.TEMPORARY}{name[:20]}-")
        self._ends.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._port, self._target = free_port(), target
        #: Variables of the cells.
        self.env = {key: self._filled(value) for key, value in wanted.env.items()}
        private = {"HOME": self._folder, "TMPDIR": self._folder}
        self._environ = {**environ, **private, **self.env}
        self._mark = self._ends.enter_context(spawner.lasting(self._folder))
        self._leader: Background | None = None
        #: What `ready` said when it was last asked, and what it ended with.
        self._said, self._asked = "", 0

    @property
    def place(self) -> tuple[str, str]:
        """The port on this machine, and the folder, that are its own."""
        return str(self._port), self._folder

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            ServiceError: it ended, could not be started or was not ready in time.
            Interrupted: djhop was asked to stop.
        """
        limit = time.monotonic() + self._wanted.ready_timeout
        for line in self._wanted.prepare:
            done = self._run(line, limit - time.monotonic())
            if done.interrupted:
                raise Interrupted("interrupted")
            if done.returncode:
                raise self._failed(f"is not prepared: `{line}` {_how(done)}")
        try:
            self._leader = self._spawner.background(self._command(self._wanted.start, None))
        except (OSError, ValueError) as error:  # ValueError: what no argv or variable may hold
            why = getattr(error, "strerror", "") or error
            raise self._failed(f"cannot be started: {why}") from error
        self._await(limit)

    def _await(self, limit: float) -> None:
        while True:
            ready = self._ready(limit)
            # Somebody else may answer on its port: what has ended is not ready.
            if gone := self._ended():
                raise self._failed(gone)
            if self._asked in (NOT_FOUND, NOT_EXECUTABLE):
                raise self._failed("cannot be asked whether it is ready")
            if ready:
                return
            if self._stopped():
                raise Interrupted("interrupted")
            if time.monotonic() >= limit:
                raise self._failed(f"was not ready within {self._wanted.ready_timeout:g} s")
            time.sleep(PAUSE)

    def _ready(self, limit: float) -> bool:
        """Ask once, and keep what it said for the one who has to look into it."""
        done = self._run(self._wanted.ready, min(ASK, limit - time.monotonic()), logged=False)
        self._asked = done.returncode
        self._said = f"{shlex.join(done.argv)}: {_how(done)}\n{done.output}"
        return done.returncode == 0

    def _ended(self) -> str:
        """How its first process ended, if that went wrong; a daemon's ends with 0."""
        assert self._leader is not None
        status = self._leader.status()
        return f"ended with {status}" if status else ""

    def _reaped(self) -> bool:
        """Let its first process vanish if it has ended: `stop` may wait for that."""
        self._ended()
        return True

    def gone(self) -> ServiceError | None:
        """Why it does not serve any more; None as long as it does."""
        limit = time.monotonic() + AGAIN
        while True:
            ready = self._ready(limit)
            if ended := self._ended():
                return self._failed(ended)
            if ready or self._stopped():
                return None
            if time.monotonic() >= limit:
                return self._failed("does not answer any more")
            time.sleep(PAUSE)

    def end(self, hurried: Callable[[], bool]) -> None:
        """End it: by its own command, then by signals; `hurried` cuts the first short."""
        try:
            if self._wanted.stop and self._leader:
                self._run(self._wanted.stop, STOP, lambda: self._reaped() and hurried())
        finally:
            if self._leader:
                self._ends.callback(self._leader.end)
            self._ends.close()
            with contextlib.suppress(OSError):  # a service writes its log by itself
                masking.rewrite(self._log, self._environ)

    def _run(
        self,
        command: str | tuple[str, ...],
        timeout: float,
        until: Callable[[], bool] | None = None,
        *,
        logged: bool = True,
    ) -> Completed:
        wanted = self._command(command, max(timeout, PAUSE), logged=logged)
        return self._spawner.run(wanted, until=until or self._stopped)

    def _command(
        self, command: str | tuple[str, ...], timeout: float | None, *, logged: bool = True
    ) -> Command:
        return Command(
            argv=tuple(self._filled(word) for word in services.words(command)),
            cwd=self._folder,
            env=self._environ,
            timeout=timeout,
            log=str(self._log) if logged else None,
            mark=self._mark,
        )

    def _filled(self, text: str) -> str:
        return services.filled(text, service=self._folder, port=self._port, target=self._target)

    def _failed(self, how: str) -> ServiceError:
        lines = (f"the service {self.name!r} {how}", *_tail(self._said, 2), *self._logged())
        said = masking.mask("\n".join(lines), masking.values(self._environ))
        return ServiceError(said, hint=f"see {self._log}")

    def _logged(self) -> tuple[str, ...]:
        try:
            with self._log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - LOG_END))
                end = log.read(LOG_END)
        except OSError:  # nothing was started
            return ()
        if size > LOG_END:  # half a line may hold half a secret
            end = end.partition(b"\n")[2]
        return (*_tail(end.decode("utf-8", "replace"), TAIL), f"all of it: {self._log}")


def free_port() -> int:
    """A port on loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _how(done: Completed) -> str:
    return "took too long" if done.timed_out else f"ended with {done.returncode}"


def _tail(text: str, lines: int) -> list[str]:
    return [line for line in text.splitlines() if line.strip()][-lines:]
