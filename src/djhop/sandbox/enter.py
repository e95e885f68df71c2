"""Goes into namespaces of its own, and becomes the command. A script: standard library, no djhop.

    python -I enter.py REFUSED WRITABLE… -- COMMAND…

The user, mount and network namespaces are new (user_namespaces(7), mount_namespaces(7),
network_namespaces(7)): there is a loopback of its own and no other network; every file system is
read-only but for the folders WRITABLE and a new /dev/shm; nothing can be gained back, as no
capability is left. It is exec that it ends with, not fork: signals, exit status and process group
are the command's own. What cannot be had is written to the file REFUSED, and nothing is run.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

# <sched.h>, <sys/mount.h>, <linux/mount.h>, <sys/prctl.h>, <linux/sockios.h>, <linux/if.h>
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
#: The number of mount_setattr(2), the same on every architecture; Linux 5.12.
MOUNT_SETATTR = 442
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
REFUSED, NOT_FOUND, NOT_EXECUTABLE = 125, 127, 126

#: Semaphores and shared memory are files there.
SHARED = "/dev/shm"

_libc = ctypes.CDLL(None, use_errno=True)


def main(argv: list[str]) -> int:
    """Enter, and become the command; return the exit status where that failed."""
    refused, *rest = argv
    at = rest.index("--")
    writable, command = rest[:at], rest[at + 1 :]
    try:
        enter(writable)
    except (OSError, AttributeError) as error:
        Path(refused).write_text(f"{error}\n", encoding="utf-8")
        return REFUSED
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"djhop: cannot run {command[0]!r}: {error.strerror}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def enter(writable: list[str]) -> None:
    """Leave the network and the writable file systems behind, but for `writable`."""
    user, group, here = os.getuid(), os.getgid(), Path.cwd()
    _call("namespaces", _libc.unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
    # Who one is stays as it was; nobody else is known.
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    for folder in writable:
        _mount(folder, folder, "", MS_BIND | MS_REC)
    _set_read_only("/", 1)
    for folder in writable:
        _set_read_only(folder, 0)
    if any(Path(folder).is_relative_to(SHARED) for folder in writable):
        raise OSError(f"{SHARED} is to be a new one: no cache and no run may lie in it")
    if Path(SHARED).is_dir():
        _mount("tmpfs", SHARED, "tmpfs", MS_NOSUID | MS_NODEV)
    os.chdir(here)  # the same folder, on the mount that may be written
    _raise_loopback()
    _drop_capabilities()


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    words = (os.fsencode(source), os.fsencode(target), os.fsencode(kind))
    _call(f"mount {target}", _libc.mount, *words, ctypes.c_ulong(flags), None)


def _set_read_only(folder: str, on: int) -> None:
    """Make the mount at `folder`, and all below it, read-only, or writable again."""
    changed = (MOUNT_ATTR_RDONLY, 0) if on else (0, MOUNT_ATTR_RDONLY)
    attributes = struct.pack("=QQQQ", *changed, 0, 0)
    name = os.fsencode(folder)
    _call(
        f"read-only {folder}",
        _libc.syscall,
        *map(ctypes.c_long, (MOUNT_SETATTR, AT_FDCWD)),
        *(name, ctypes.c_long(AT_RECURSIVE), attributes, ctypes.c_size_t(len(attributes))),
    )


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("16xH", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _drop_capabilities() -> None:
    """What could undo all this goes with the exec: root has no more rights than anybody else."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    for capability in range(last + 1):
        _call("capabilities", _libc.prctl, PR_CAPBSET_DROP, capability, 0, 0, 0)
    _call("no new privileges", _libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _call(what: str, function: ctypes._NamedFuncPointer, *arguments: object) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
