"""Records of live process groups, so that the next djhop can end what a killed one left.

One small JSON file for each group, written when it starts and removed when it has ended: nothing is
shared between threads, and nothing is rewritten. A process is known by its pid *and* the moment it
started; a pid alone may belong to somebody else by now.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

#: Says which process a pid is at this moment, or None where there is none.
Identify = Callable[[int], str | None]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A process group that djhop started: its leader, and the djhop that owns it."""

    pid: int
    started: str
    owner: int
    owner_started: str
    argv: tuple[str, ...]


def record(folder: Path, pid: int, argv: tuple[str, ...], identify: Identify) -> Path | None:
    """Write down that `pid` leads a group of ours; None where nothing says which process it is."""
    started, owner = identify(pid), os.getpid()
    if started is None:
        return None
    group = Group(
        pid=pid, started=started, owner=owner, owner_started=identify(owner) or "", argv=argv[:4]
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{owner}-{pid}.json"
    aside = path.with_suffix(".new")
    aside.write_bytes(msgspec.json.encode(group))
    aside.replace(path)
    return path


def reap(folder: Path, identify: Identify) -> list[str]:
    """End every recorded group whose djhop is gone and whose leader is still the recorded process.

    Returns what was ended, in words. Records of what no longer runs are removed.

    A group whose leader is gone is left alone, whatever of it still runs: nothing proves any more
    whose it is. (Issue 8: a subreaper or a cgroup would.)
    """
    ended = []
    for path in sorted(folder.glob("*.new")):
        _remove_if_orphan(path, identify)
    for path in sorted(folder.glob("*.json")):
        try:
            group = msgspec.json.decode(path.read_bytes(), type=Group)
        except (OSError, msgspec.MsgspecError):
            _remove_if_orphan(path, identify)
            continue
        if group.owner_started and identify(group.owner) == group.owner_started:
            continue  # that djhop is alive, and looks after it
        if _end(group, identify):
            ended.append(f"{' '.join(group.argv)} (process group {group.pid})")
        path.unlink(missing_ok=True)
    return ended


def _remove_if_orphan(path: Path, identify: Identify) -> None:
    owner = path.name.partition("-")[0]
    if not owner.isdigit() or identify(int(owner)) is None:
        path.unlink(missing_ok=True)


def _end(group: Group, identify: Identify) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError), _held(group.pid) as stop:
        if identify(group.pid) == group.started and os.getpgid(group.pid) == group.pid:
            stop()
            os.killpg(group.pid, signal.SIGKILL)
            return True
    return False


@contextlib.contextmanager
def _held(pid: int) -> Iterator[Callable[[], None]]:
    """Yield a function that stops exactly the process that `pid` is now.

    Between the look at its identity and the kill of its group the leader could end, and the pid
    could be given to another. A stopped process does not end by itself.
    """
    if not hasattr(os, "pidfd_open"):
        yield lambda: None
        return
    descriptor = os.pidfd_open(pid)
    try:
        yield lambda: signal.pidfd_send_signal(descriptor, signal.SIGSTOP)
    finally:
        os.close(descriptor)
