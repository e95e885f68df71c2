"""What tests that start processes wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process does anything; a zombie only waits for its parent to take note."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def eventually(check: Callable[[], object], seconds: float = 10.0, pause: float = 0.02) -> bool:
    """Ask until it is so; False if it is not within `seconds`."""
    limit = time.monotonic() + seconds
    while not check():
        if time.monotonic() > limit:
            return False
        time.sleep(pause)
    return True
