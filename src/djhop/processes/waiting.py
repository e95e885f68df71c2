"""How to learn that a child has ended without reaping it, on each system.

Not reaped, it keeps its pid: the name of its process group stays ours until the group is dead.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import Protocol


class Waitable(Protocol):
    """What `select` can wait for."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


def watch(pid: int) -> Waitable | None:
    """Open what becomes readable when the child ends, without reaping it; None: ask again."""
    if sys.platform == "linux":
        try:
            return io.FileIO(os.pidfd_open(pid))
        except (OSError, AttributeError):  # a kernel before 5.3, a sandbox, a Python without it
            return None
    if hasattr(select, "kqueue"):
        queue = select.kqueue()
        event = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        try:
            queue.control([event], 0)
        except OSError:  # it has ended already
            queue.close()
            return None
        return queue
    return None


def has_ended(pid: int) -> bool:
    """Whether the child has ended; it is not reaped."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13; there `watch` found it gone
        return True
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
