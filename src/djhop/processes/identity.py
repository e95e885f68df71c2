"""Which process a pid is: a pid alone may belong to somebody else by now."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path


def identity(pid: int) -> str | None:
    """Say which process `pid` is: its place and the moment it started; None if there is none."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            return None
        # proc(5): field 22 is the start time; the name (field 2) may hold spaces and brackets.
        return f"{place()}:{stat.rpartition(')')[2].split()[19]}"
    argv = ("ps", "-o", "lstart=", "-p", str(pid))
    try:
        found = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


@functools.cache
def place() -> str:
    """This boot and this pid namespace: a pid means nothing in another container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
