"""Command → Completed: the only room that starts processes, and the one that ends them.

Every child leads a session, and so a process group, of its own. When it has ended, however it
ended, its group is killed *before* the leader is reaped: as long as the leader is a zombie its pid,
which is the group's name, cannot be given to anybody else. What has left the group is found by the
mark that every child carries in its environment (`marks.py`).
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from djhop.errors import InfraError
from djhop.processes import foreground, leftovers, marks
from djhop.processes.background import Background
from djhop.processes.child import Child
from djhop.processes.clock import Clock, Watching
from djhop.processes.sink import Decode, Sink, quoted

#: Seconds between the polite signal and the one that cannot be refused.
GRACE = 3.0
#: Seconds that a command has to dump its stacks before it is told to end.
DUMP = 0.3
#: As shells have it.
NOT_EXECUTABLE, NOT_FOUND = 126, 127
#: The machine has no room for another process; nothing is wrong with the command.
EXHAUSTED = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. No shell is ever used."""

    argv: tuple[str, ...]
    cwd: str
    #: The environment of the child; nothing is inherited, and only its mark is added.
    env: dict[str, str]
    #: Seconds; None for no limit.
    timeout: float | None = None
    #: File that gets stdout and stderr together, with what looks secret in `env` masked; None keeps
    #: them in `Completed.output`, as they are.
    log: str | None = None
    #: Most bytes of output kept; what is beyond is counted and dropped.
    limit: int = 16 * 1024 * 1024
    #: How bytes that are not UTF-8 become text: "surrogateescape" gives file names back unharmed.
    decode: Decode = "replace"
    #: What `Spawner.lasting` gave: what leaves the group may run until that ends; "": no longer
    #: than the command.
    mark: str = ""
    #: Signal at which its processes dump their stacks: sent before they are ended for a limit.
    dump: int | None = None


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended."""

    argv: tuple[str, ...]
    #: Exit status; negative: ended by that signal. 127: no such program, 126: it cannot be run.
    returncode: int
    #: Time spent stopped (Ctrl-Z, a machine asleep) does not count.
    seconds: float
    output: str = ""
    #: A limit was reached: its own, or what `overdue` says.
    timed_out: bool = False
    #: djhop itself was asked to stop, and ended it.
    interrupted: bool = False
    #: Bytes of output dropped beyond the limit.
    dropped: int = 0
    #: What it had left running, and djhop ended: command lines, shortened.
    left: tuple[str, ...] = ()


class Spawner:
    """Runs commands, from any number of threads, and can end all of them.

    `registry` is a folder for the records of live process groups (see `reap_leftovers`).
    """

    def __init__(self, registry: Path | None = None) -> None:
        self._registry = registry
        #: How often `interrupt` was called. A plain number, and no lock: a signal handler sets it.
        self._asked = 0
        self._live: set[Child] = set()

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._asked > 0

    @property
    def hurried(self) -> bool:
        """Whether `interrupt` was called more than once."""
        return self._asked > 1

    def interrupt(self) -> None:
        """End all running children within `GRACE` seconds; later runs return interrupted at once.

        Safe in a signal handler: it returns at once, and each `run` ends its own child. The second
        call cuts the grace short.
        """
        self._asked += 1

    def suspend(self) -> None:
        """Stop all running children, then this process; on SIGCONT all go on. For SIGTSTP.

        Safe in a signal handler. What runs in the background goes on.
        """
        stopped = tuple(self._live)
        for child in stopped:
            child.signal(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        for child in stopped:
            child.signal(signal.SIGCONT)

    def run(
        self,
        command: Command,
        on_tick: Callable[[], None] | None = None,
        until: Callable[[], bool] = lambda: False,
        overdue: Callable[[float, float], bool] = lambda *_: False,
    ) -> Completed:
        """Run `command` to its end and say how it ended; whatever it started is ended too.

        `on_tick` is called about ten times a second meanwhile; `until` is asked as often, and where
        it says yes this command alone is interrupted. `overdue` is given the seconds it has run and
        those since its last output, and where it says yes the command is ended as for its timeout.
        A program that is not there is a result (127, the reason in the output), not an error.

        Raises:
            InfraError: no room for another process, or the log cannot be written.
        """
        if self._asked:
            return Completed(
                argv=command.argv, returncode=-signal.SIGTERM, seconds=0.0, interrupted=True
            )
        with contextlib.closing(
            Sink(
                command.argv,
                log=command.log,
                limit=command.limit,
                decode=command.decode,
                environ=command.env,
            )
        ) as sink:
            clock = Clock(command.timeout)
            watching = Watching(clock, on_tick, until, overdue)
            status, why, left = self._run(command, sink, watching)
        return Completed(
            argv=command.argv,
            returncode=status,
            seconds=clock.ran,
            output=sink.text(),
            timed_out=why == "timeout",
            interrupted=why == "interrupt",
            dropped=sink.dropped,
            left=left,
        )

    @contextlib.contextmanager
    def lasting(self, temporary: str = "") -> Iterator[str]:
        """Give a mark for commands that may start services: those are ended with the context.

        `temporary`: a folder of theirs, recorded with the mark (see `leftovers.record_mark`).
        """
        mark = marks.new()
        with contextlib.ExitStack() as stack:
            stack.callback(marks.end, mark)
            if self._registry:
                with contextlib.suppress(OSError):
                    path = leftovers.record_mark(self._registry, mark, temporary)
                    stack.callback(path.unlink, True)
            yield mark

    def foreground(self, command: Command) -> int:
        """Run a command that has the terminal; return its status as a shell has it.

        What it leaves running is ended. An interrupt is the command's own affair.

        Raises:
            UsageError: there is no such program, or it cannot be run.
        """
        with self.lasting() as mark:
            return foreground.run(command, mark)

    def background(self, command: Command) -> Background:
        """Start a command that goes on until `Background.end`; it needs a mark and a log.

        An interrupt does not end it: what it serves is to end first.

        Raises:
            OSError: the program is not there, or cannot be run.
            InfraError: the log cannot be written.
        """
        return Background(command, command.mark, self._registry)

    def _run(
        self, command: Command, sink: Sink, watching: Watching
    ) -> tuple[int, str, tuple[str, ...]]:
        mark, why = command.mark or marks.new(), "error"
        try:
            process = _start(command, mark)
        except (OSError, ValueError) as error:
            return _refused(command, error, sink), "", ()
        child = Child(process, mark, self._registry)
        self._live.add(child)
        try:
            why = self._attend(child, sink, watching, command.dump)
        finally:
            self._live.discard(child)
            status = child.end(sink, by_itself=not why, group_only=bool(command.mark))
            watching.clock.look(sink.received)
        return status, why, child.left

    def _attend(self, child: Child, sink: Sink, watching: Watching, dump: int | None) -> str:
        """Wait until the leader has ended; return why it was told to, if it was."""
        end_at, kill_at, why = math.inf, math.inf, ""
        while not child.wait(sink, watching.clock.pause):
            watching.clock.look(sink.received)
            now = time.monotonic()
            if not why and (why := watching.reason(now, asked=self._asked)):
                end_at = now
                if dump is not None and why == "timeout":
                    end_at += DUMP
                    child.signal(dump)
                    child.signal(signal.SIGCONT)
            if now >= end_at:
                end_at, kill_at = math.inf, now + GRACE
                child.signal(signal.SIGTERM)
                child.signal(signal.SIGCONT)  # a stopped process does not hear the first
            elif why and (now >= kill_at or self._asked > 1):
                child.signal(signal.SIGKILL)
            watching.tick(now)
        return why


def _start(command: Command, mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env={**command.env, marks.VARIABLE: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        bufsize=0,
    )


def reap_leftovers(folder: Path) -> list[str]:
    """End what a djhop that was killed has left running, and say what that was.

    `folder` is the registry of its `Spawner`. Only groups whose leader is still the very process
    that was recorded (pid and start time) are ended, and what carries the mark of one; nothing of
    a djhop that is alive.
    """
    return leftovers.reap(folder)


def _refused(command: Command, error: OSError | ValueError, sink: Sink) -> int:
    """Turn a failure to start into a result, unless the machine is to blame."""
    if isinstance(error, OSError) and error.errno in EXHAUSTED:
        raise InfraError(
            f"cannot start another process: {error.strerror}", hint="try fewer --jobs"
        ) from error
    reason = f"djhop: cannot run {quoted(command.argv)}: {error}\n"
    sink.write(reason.encode(errors="backslashreplace"))
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
