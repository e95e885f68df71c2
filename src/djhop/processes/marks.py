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
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Environment variable that carries the mark; each command has a mark of its own.
VARIABLE = "DJHOP_COMMAND_ID"
#: Seconds in which what is about to end by itself may do so (the helpers of multiprocessing).
SETTLE = 0.1
#: Seconds between the polite signal and the one that cannot be refused.
PATIENCE = 1.0
#: Seconds after which what starts itself anew, faster than it is killed, is given up.
STUBBORN = 5.0
#: Seconds spent at most, in one look, on processes that began during that look.
CHASE = 0.2
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
    killed: set[int] = set()
    limit = time.monotonic() + (PATIENCE if patience is None else patience)
    found, calm = True, False
    while found and (now := time.monotonic()) < limit + STUBBORN:
        if calm:
            time.sleep(PAUSE)
        found, calm = False, True
        for pid in _each(mark):
            found = True
            if now >= limit:
                calm = calm and pid in killed  # what begins anew is not waited for
                killed.add(pid)
                _send(pid, mark, signal.SIGKILL)
            elif pid not in asked:
                asked.add(pid)
                _send(pid, mark, signal.SIGTERM)
                _send(pid, mark, signal.SIGCONT)  # a stopped process does not hear the first


def _find(mark: str) -> list[int]:
    return list(dict.fromkeys(_each(mark)))


def _each(mark: str) -> Iterator[int]:
    """Yield each process with the mark as it is found, also those that begin meanwhile.

    A process that starts another and ends is gone when it is looked at, and the other is not on the
    list: so the processes that began since the list was made are looked at, and those that began
    since then, until none of them has ended already.
    """
    last = _last()
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - about 8 µs for each process, and no more
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit() and _has(name, mark))
    limit, gone = time.monotonic() + CHASE, True
    while gone and (now := _last()) > last and time.monotonic() < limit:
        gone = False
        for pid in range(last + 1, now + 1):
            has = _has(pid, mark)
            gone = gone or has is None
            if has:
                yield pid
        last = now


def _last() -> int:
    """The pid, or the number of a thread, that was given last; 0 where nothing tells."""
    try:
        return int(Path("/proc/loadavg").read_bytes().split()[-1])
    except (OSError, ValueError, IndexError):
        return 0


def _has(pid: str | int, mark: str) -> bool | None:
    """Whether a process carries the mark; None: it has ended.

    False for those of others, which we may not read.
    """
    data = b""
    try:
        file = os.open(f"/proc/{pid}/environ", os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError:
        return False
    try:
        while chunk := os.read(file, CHUNK):
            data += chunk
            if len(chunk) < CHUNK:
                break
    except OSError:  # it has just ended
        return None
    finally:
        os.close(file)
    # One that has ended and is not reaped has no environment any more.
    return f"{VARIABLE}={mark}\0".encode() in data if data else None


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
    # One that is about to end has no words any more.
    line = shlex.join(word.decode(errors="replace") for word in words if words != [b""])
    line = "".join(char if char.isprintable() else " " for char in line)
    return f"{line[: WIDTH - 1]}…" if len(line) > WIDTH else line or f"process {pid}"
