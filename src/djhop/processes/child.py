"""One command while it runs: its process group, its pipe, its record, and the end of it all."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from djhop.processes import leftovers, marks, waiting
from djhop.processes.sink import Sink

#: Seconds spent at most on what is left in the pipe when everything has ended: a process that was
#: not found may hold the pipe open, and write, for ever.
DRAIN = 0.5
CHUNK = 1 << 16


class Child:
    """A process group: its leader, the pipe it writes to, and what tells that the leader ended."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str, registry: Path | None) -> None:
        assert process.stdout is not None
        self._process, self._pipe, self._pid = process, process.stdout, process.pid
        self._mark = mark
        self._exit: waiting.Waitable | None = None
        self._record: Path | None = None
        #: What the leader left running, shortened command lines; known after `end`.
        self.left: tuple[str, ...] = ()
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
                    self._record = leftovers.record(registry, self._pid, argv, mark)
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

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        # macOS says EPERM of a group in which only a zombie is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)

    def end(self, sink: Sink | None, *, by_itself: bool = False, group_only: bool = False) -> int:
        """End the group and what has left it, empty the pipe, reap the leader; return its status.

        `by_itself`: the leader was not told to end, so what still runs was left behind by it.
        `group_only`: what has left the group may go on.
        """
        try:
            if group_only:
                self.signal(signal.SIGKILL)
            else:
                self._end_all(by_itself)
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

    def _end_all(self, by_itself: bool) -> None:
        left: tuple[marks.Left, ...] = ()
        try:
            left = marks.left(self._mark, marks.SETTLE if by_itself else 0)
        finally:
            self.signal(signal.SIGKILL)
        if not by_itself:  # the rest of the group was told to end as well
            left = tuple(one for one in left if not self._leads(one.pid))
        if left:
            marks.end(self._mark)
        self.left = tuple(one.command for one in left)

    def _leads(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return os.getpgid(pid) == self._pid
        return True  # it has ended with the group

    def _read(self, sink: Sink) -> bool:
        data = os.read(self._pipe.fileno(), CHUNK)
        sink.write(data)
        return bool(data)
