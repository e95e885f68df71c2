"""A command that has the terminal: a person types to it, or reads what it says as it says it.

It stays in djhop's own session and process group, so that the terminal's keys (Ctrl-C, Ctrl-Z)
reach it as if it had been typed there.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType
from typing import TYPE_CHECKING

from djhop.errors import UsageError
from djhop.processes import marks

if TYPE_CHECKING:
    from djhop.processes.process import Command

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: Command, mark: str) -> int:
    """Run a command to its end; return its status as a shell has it (128 + a signal's number).

    A signal to djhop goes to the command, and djhop waits for what comes of it.

    Raises:
        UsageError: there is no such program, or it cannot be run.
    """
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []  # what came while the command was being started

    def pass_on(number: int, _: FrameType | None) -> None:
        at_keys = number == signal.SIGINT and sys.stdin is not None and sys.stdin.isatty()
        if not at_keys:  # the terminal has told the command itself
            if not running:
                early.append(number)
            for process in running:
                process.send_signal(number)

    # Functions, as what is ignored would be ignored by the command, too.
    before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        running.append(_start(command, mark))
        for number in early:
            running[0].send_signal(number)
        status = running[0].wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _start(command: Command, mark: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv, cwd=command.cwd, env={**command.env, marks.VARIABLE: mark}
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot run {command.argv[0]!r} in the cell: {why}") from error
