"""A command that goes on while others run, in the foreground or as a daemon, until it is ended.

Its output goes straight to a file: a daemon keeps what it inherits, and would die of a pipe that
nobody reads any more. Its leader is reaped as soon as somebody asks for its status, since a command
that ends it may wait for its pid to vanish; from then on its group is no longer known by that pid,
and what is left is found by the mark alone (`marks.py`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from djhop.errors import InfraError
from djhop.processes import leftovers, marks
from djhop.processes.sink import quoted

if TYPE_CHECKING:
    from djhop.processes.process import Command

#: Seconds between the polite signal and the one that cannot be refused.
GRACE = 3.0


class Background:
    """One such command, from its start to `end`: its leader, and all that carries its mark.

    Raises:
        OSError: the program is not there, or cannot be run.
        InfraError: the log cannot be written.
    """

    def __init__(self, command: Command, mark: str, registry: Path | None) -> None:
        self._mark = mark
        self._record: Path | None = None
        self._process = _start(command, mark)
        try:
            if registry:
                with contextlib.suppress(OSError):  # without a record it runs just as well
                    pid = self._process.pid
                    self._record = leftovers.record(registry, pid, command.argv, mark)
        except BaseException:
            self.end()
            raise

    def status(self) -> int | None:
        """The status of the leader, once it has ended; nothing that it started is ended by this."""
        return self._process.poll()

    def end(self) -> int:
        """End the group and what has left it; return the status of the leader."""
        try:
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # a stopped process does not hear the first
            marks.end(self._mark, GRACE)
            limit = time.monotonic() + GRACE
            while self.status() is None and time.monotonic() < limit:
                time.sleep(marks.PAUSE)
        finally:
            self._signal(signal.SIGKILL)
            status = self._process.wait()
            if self._record:
                self._record.unlink(missing_ok=True)
        return status

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the group, as long as its name is surely ours."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.status() is None:
                os.killpg(self._process.pid, number)


def _start(command: Command, mark: str) -> subprocess.Popen[bytes]:
    try:
        log = open(command.log or os.devnull, "ab", buffering=0)  # noqa: PTH123, SIM115
    except OSError as error:
        raise InfraError(f"cannot write the log {command.log}: {error.strerror}") from error
    with log:
        log.write(f"$ {quoted(command.argv)}\n".encode())
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env={**command.env, marks.VARIABLE: mark},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
