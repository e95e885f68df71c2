"""Records of live process groups, so that the next djhop can end what a killed one left.

One small JSON file for each group, written when it starts and removed when it has ended: nothing is
shared between threads, and nothing is rewritten. A process is known by its pid *and* the moment it
started; a pid alone may belong to somebody else by now.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from djhop import durable
from djhop.processes import marks
from djhop.processes.identity import identity, place

#: How the name of a recorded folder begins; no other is ever removed.
TEMPORARY = "djhop-service-"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A process group that djhop started: its leader, and the djhop that owns it."""

    #: 0 for a mark without a group.
    pid: int
    started: str
    owner: int
    owner_started: str
    argv: tuple[str, ...]
    #: What all that it starts carries in its environment.
    mark: str = ""
    #: Boot and pid namespace; marks are looked for in this one only.
    place: str = ""
    #: A folder of temporary files that goes with it; "" for none.
    folder: str = ""


def record(folder: Path, pid: int, argv: tuple[str, ...], mark: str) -> Path | None:
    """Write down that `pid` leads a group of ours; None where nothing says which process it is."""
    started, owner = identity(pid), os.getpid()
    if started is None:
        return None
    group = _ours(pid=pid, started=started, argv=argv[:4], mark=mark)
    return _write(folder / f"{owner}-{pid}.json", group)


def record_mark(folder: Path, mark: str, temporary: str = "") -> Path:
    """Write down a mark that several commands share: what carries it may outlive each of them.

    `temporary`: a folder of theirs that begins with `TEMPORARY`, removed when they are ended.
    """
    group = msgspec.structs.replace(_ours(mark=mark), folder=temporary)
    return _write(folder / f"{os.getpid()}-{mark}.json", group)


def _ours(*, mark: str, pid: int = 0, started: str = "", argv: tuple[str, ...] = ()) -> Group:
    owner = os.getpid()
    return Group(
        pid=pid,
        started=started,
        owner=owner,
        owner_started=identity(owner) or "",
        argv=argv,
        mark=mark,
        place=place(),
    )


def _write(path: Path, group: Group) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_bytes(msgspec.json.encode(group))
    aside.replace(path)
    return path


def reap(folder: Path) -> list[str]:
    """End every recorded group whose djhop is gone and whose leader is still the recorded process.

    What carries the mark of such a group is ended as well, wherever it went and whether or not the
    leader is gone. Returns what was ended, in words. Records of what no longer runs are removed.
    """
    ended = []
    for path in sorted(folder.glob("*.new")):
        _remove_if_orphan(path)
    # Marks first: services are asked to end before their groups are killed.
    for path in sorted(folder.glob("*.json"), key=lambda path: (-path.name.count("-"), path)):
        try:
            group = msgspec.json.decode(path.read_bytes(), type=Group)
        except durable.UNREADABLE:
            _remove_if_orphan(path)
            continue
        if group.owner_started and identity(group.owner) == group.owner_started:
            continue  # that djhop is alive, and looks after it
        if group.pid and _end(group):
            ended.append(f"{' '.join(group.argv)} (process group {group.pid})")
        ended += _end_marked(group)
        _remove_folder(group)
        path.unlink(missing_ok=True)
    return ended


def _remove_if_orphan(path: Path) -> None:
    owner = path.name.partition("-")[0]
    if not owner.isdigit() or identity(int(owner)) is None:
        path.unlink(missing_ok=True)


def _end_marked(group: Group) -> Iterator[str]:
    """End what has left the group; yield what that was."""
    if not group.mark or group.place != place():
        return  # in another container its djhop may be alive, though we cannot see it
    if left := marks.left(group.mark, marks.SETTLE):
        marks.end(group.mark)
    for one in left:
        yield f"{one.command} (process {one.pid})"


def _remove_folder(group: Group) -> None:
    folder = Path(group.folder)
    if folder.name.startswith(TEMPORARY) and group.place == place():
        shutil.rmtree(folder, ignore_errors=True)


def _end(group: Group) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError), _held(group.pid) as stop:
        if identity(group.pid) == group.started and os.getpgid(group.pid) == group.pid:
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
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except (OSError, AttributeError):  # a kernel before 5.3, a sandbox, a Python without it
        descriptor = None
    if descriptor is None:
        yield lambda: None
        return
    try:
        yield lambda: signal.pidfd_send_signal(descriptor, signal.SIGSTOP)
    finally:
        os.close(descriptor)
