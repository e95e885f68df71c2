"""Command → Completed: the only room that starts processes, and the one that ends them.

Every child leads a session, and so a process group, of its own. When it has ended, however it
ended, its group is killed *before* the leader is reaped: as long as the leader is a zombie its pid,
which is the group's name, cannot be given to anybody else.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from djhop.errors import InfraError
from djhop.processes import leftovers, waiting
from djhop.processes.sink import Decode, Sink, quoted

#: Seconds between the polite signal and the one that cannot be refused.
GRACE = 3.0
#: Seconds between two calls of `on_tick`, and the longest a wish to stop waits to be seen.
TICK = 0.1
#: Seconds spent at most on what is left in the pipe when the group is dead: a process that left the
#: group may hold the pipe open, and write, for ever.
DRAIN = 0.5
CHUNK = 1 << 16
#: As shells have it.
NOT_EXECUTABLE, NOT_FOUND = 126, 127
#: The machine has no room for another process; nothing is wrong with the command.
EXHAUSTED = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. No shell is ever used."""

    argv: tuple[str, ...]
    cwd: str
    #: The whole environment of the child; nothing is inherited.
    env: dict[str, str]
    #: Seconds; None for no limit.
    timeout: float | None = None
    #: File that gets stdout and stderr together; None keeps them in `Completed.output`.
    log: str | None = None
    #: Most bytes of output kept; what is beyond is counted and dropped.
    limit: int = 16 * 1024 * 1024
    #: How bytes that are not UTF-8 become text: "surrogateescape" gives file names back unharmed.
    decode: Decode = "replace"


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended."""

    argv: tuple[str, ...]
    #: Exit status; negative: ended by that signal. 127: no such program, 126: it cannot be run.
    returncode: int
    seconds: float
    output: str = ""
    timed_out: bool = False
    #: djhop itself was asked to stop, and ended it.
    interrupted: bool = False
    #: Bytes of output dropped beyond the limit.
    dropped: int = 0


class Spawner:
    """Runs commands, from any number of threads, and can end all of them.

    `registry` is a folder for the records of live process groups (see `reap_leftovers`).
    """

    def __init__(self, registry: Path | None = None) -> None:
        self._registry = registry
        #: How often `interrupt` was called. A plain number, and no lock: a signal handler sets it.
        self._asked = 0

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._asked > 0

    def interrupt(self) -> None:
        """End all running children within `GRACE` seconds; later runs return interrupted at once.

        Safe in a signal handler: it returns at once, and each `run` ends its own child. The second
        call cuts the grace short.
        """
        self._asked += 1

    def run(self, command: Command, on_tick: Callable[[], None] | None = None) -> Completed:
        """Run `command` to its end and say how it ended; whatever it started is ended too.

        `on_tick` is called about ten times a second meanwhile. A program that is not there is a
        result (127, the reason in the output), not an error.

        Raises:
            InfraError: no room for another process, or the log cannot be written.
        """
        started = time.monotonic()
        if self._asked:
            return Completed(
                argv=command.argv, returncode=-signal.SIGTERM, seconds=0.0, interrupted=True
            )
        with contextlib.closing(
            Sink(command.argv, log=command.log, limit=command.limit, decode=command.decode)
        ) as sink:
            status, why = self._run(command, sink, on_tick)
        return Completed(
            argv=command.argv,
            returncode=status,
            seconds=time.monotonic() - started,
            output=sink.text(),
            timed_out=why == "timeout",
            interrupted=why == "interrupt",
            dropped=sink.dropped,
        )

    def _run(
        self, command: Command, sink: Sink, on_tick: Callable[[], None] | None
    ) -> tuple[int, str]:
        try:
            process = _start(command)
        except (OSError, ValueError) as error:
            return _refused(command, error, sink), ""
        child = _Child(process, self._registry)
        try:
            why = self._attend(child, sink, command.timeout, on_tick)
        finally:
            status = child.end(sink)
        return status, why

    def _attend(
        self,
        child: _Child,
        sink: Sink,
        timeout: float | None,
        on_tick: Callable[[], None] | None,
    ) -> str:
        """Wait until the leader has ended; return why it was told to, if it was."""
        tick = time.monotonic()
        limit, kill_at, why = tick + (math.inf if timeout is None else timeout), math.inf, ""
        while not child.wait(sink, max(0.0, min(TICK, limit - time.monotonic()))):
            now = time.monotonic()
            if not why and (self._asked or now >= limit):
                why = "interrupt" if self._asked else "timeout"
                limit, kill_at = math.inf, now + GRACE
                child.signal(signal.SIGTERM)
                child.signal(signal.SIGCONT)  # a stopped process does not hear the first
            elif why and (now >= kill_at or self._asked > 1):
                child.signal(signal.SIGKILL)
            if on_tick and now >= tick:
                tick = now + TICK
                on_tick()
        return why


class _Child:
    """A process group: its leader, the pipe it writes to, and what tells that the leader ended."""

    def __init__(self, process: subprocess.Popen[bytes], registry: Path | None) -> None:
        assert process.stdout is not None
        self._process, self._pipe, self._pid = process, process.stdout, process.pid
        self._exit: waiting.Waitable | None = None
        self._record: Path | None = None
        try:
            os.set_blocking(self._pipe.fileno(), False)
            self._exit = waiting.watch(self._pid)
            self._poll = select.poll()
            for source in (self._pipe, self._exit):
                if source is not None:
                    self._poll.register(source, select.POLLIN)
            if registry:
                argv = tuple(map(str, process.args)) if isinstance(process.args, tuple) else ()
                with contextlib.suppress(OSError):  # without a record it runs just as well
                    self._record = leftovers.record(registry, self._pid, argv, identity)
        except BaseException:
            self.end(None)
            raise

    def wait(self, sink: Sink, seconds: float) -> bool:
        """Read what comes within `seconds`; True when the leader has ended (and is not reaped)."""
        ended = False
        for descriptor, _event in self._poll.poll(seconds * 1000 if self._exit else 20):
            if descriptor != self._pipe.fileno():
                ended = True
            else:
                with contextlib.suppress(BlockingIOError):
                    if not self._read(sink):
                        self._poll.unregister(self._pipe)
        return ended or (self._exit is None and waiting.has_ended(self._pid))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        # macOS says EPERM of a group in which only a zombie is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)

    def end(self, sink: Sink | None) -> int:
        """Kill the group, take what is left in the pipe, reap the leader; return its status.

        Issue 8: what left the group by `setsid` is ended here, once djhop is a subreaper
        (PR_SET_CHILD_SUBREAPER) and such orphans become its own children.
        """
        self.signal(signal.SIGKILL)
        try:
            if sink:
                limit = time.monotonic() + DRAIN
                with contextlib.suppress(BlockingIOError):
                    while self._read(sink) and time.monotonic() < limit:
                        pass
        finally:
            self._pipe.close()
            if self._exit:
                self._exit.close()
            status = self._process.wait()
            if self._record:
                self._record.unlink(missing_ok=True)
        return status

    def _read(self, sink: Sink) -> bool:
        data = os.read(self._pipe.fileno(), CHUNK)
        sink.write(data)
        return bool(data)


def _start(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=command.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        bufsize=0,
    )


def reap_leftovers(folder: Path) -> list[str]:
    """End what a djhop that was killed has left running, and say what that was.

    `folder` is the registry of its `Spawner`. Only groups whose leader is still the very process
    that was recorded (pid and start time) are ended, and none whose djhop is alive.
    """
    return leftovers.reap(folder, identity)


def identity(pid: int) -> str | None:
    """Say which process `pid` is: this boot and the moment it started; None if there is none."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            return None
        # proc(5): field 22 is the start time; the name (field 2) may hold spaces and brackets.
        return f"{_boot()}:{stat.rpartition(')')[2].split()[19]}"
    argv = ("ps", "-o", "lstart=", "-p", str(pid))
    try:
        found = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


@functools.cache
def _boot() -> str:
    """This boot and this pid namespace: a pid means nothing in another container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _refused(command: Command, error: OSError | ValueError, sink: Sink) -> int:
    """Turn a failure to start into a result, unless the machine is to blame."""
    if isinstance(error, OSError) and error.errno in EXHAUSTED:
        raise InfraError(
            f"cannot start another process: {error.strerror}", hint="try fewer --jobs"
        ) from error
    reason = f"djhop: cannot run {quoted(command.argv)}: {error}\n"
    sink.write(reason.encode(errors="backslashreplace"))
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
