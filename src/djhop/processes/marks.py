"""What a command left running, wherever it went: found by a mark in its environment, and ended.

A process that starts a session of its own leaves the group of its command, and one whose parent has
ended is nobody's child; the environment it has inherited stays. Only Linux shows the environment of
another process, in /proc: elsewhere nothing is found. Nor is a process that was started with
another environment on purpose (`env -i`), or that has written over its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import time
from pathlib import Path
from typing import NamedTuple

#: Environment variable that carries the mark; each command has a mark of its own.
VARIABLE = "DJHOP_COMMAND_ID"
#: Seconds in which what is about to end by itself may do so (the helpers of multiprocessing).
SETTLE = 0.1
#: Seconds between the polite signal and the one that cannot be refused; then as long again.
PATIENCE = 1.0
PAUSE = 0.02
#: Bytes; nearly every environment is smaller.
CHUNK = 1 << 16
#: Characters of a command line that are enough to recognise it by.
WIDTH = 70


class Left(NamedTuple):
    """A process that still ran when its command had ended."""

    pid: int
    #: Its command line, shortened.
    command: str


def new() -> str:
    """A mark that no other command has, of whatever djhop."""
    return f"{os.getpid()}-{secrets.token_hex(8)}"


def left(mark: str, settle: float) -> tuple[Left, ...]:
    """The processes with this mark, but for those that end within `settle` seconds."""
    limit = time.monotonic() + settle
    while (pids := _find(mark)) and time.monotonic() < limit:
        time.sleep(PAUSE)
    return tuple(Left(pid, _command(pid)) for pid in pids)


def end(mark: str, patience: float | None = None) -> None:
    """End every process with this mark: ask, wait at most `patience` seconds, kill.

    `patience`: `PATIENCE` if not given.
    """
    asked: set[int] = set()
    limit = time.monotonic() + (PATIENCE if patience is None else patience)
    while (pids := _find(mark)) and time.monotonic() < limit + PATIENCE:
        for pid in pids:
            if time.monotonic() >= limit:
                _send(pid, mark, signal.SIGKILL)
            elif pid not in asked:
                asked.add(pid)
                _send(pid, mark, signal.SIGTERM)
                _send(pid, mark, signal.SIGCONT)  # a stopped process does not hear the first
        time.sleep(PAUSE)


def _find(mark: str) -> list[int]:
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - about 8 µs for each process, and no more
    except OSError:
        return []
    return [int(name) for name in names if name.isdigit() and _has(name, mark)]


def _has(pid: str | int, mark: str) -> bool:
    """Whether a process carries the mark; False for those of others, which we may not read."""
    data = b""
    try:
        file = os.open(f"/proc/{pid}/environ", os.O_RDONLY)
    except OSError:
        return False
    try:
        while chunk := os.read(file, CHUNK):
            data += chunk
            if len(chunk) < CHUNK:
                break
    except OSError:  # it has just ended
        return False
    finally:
        os.close(file)
    return f"{VARIABLE}={mark}\0".encode() in data


def _send(pid: int, mark: str, number: signal.Signals) -> None:
    """Send a signal to the process with the mark, never to another that has its pid by now."""
    with contextlib.suppress(OSError):
        try:
            process = os.pidfd_open(pid)
        except (OSError, AttributeError):  # a kernel before 5.3, a sandbox, a Python without it
            if _has(pid, mark):
                os.kill(pid, number)
            return
        try:
            if _has(pid, mark):
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        words = []
    line = shlex.join(word.decode(errors="replace") for word in words)
    line = "".join(char if char.isprintable() else " " for char in line)
    return f"{line[: WIDTH - 1]}…" if len(line) > WIDTH else line or f"process {pid}"
