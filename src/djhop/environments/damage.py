"""Packages that tests wrote into through uv's hard links: in uv's cache they are damaged too.

Each is remembered (an empty file `damaged/PACKAGE` in djhop's cache) until uv has forgotten it, and
no environment with it is made from uv's cache before. uv cannot forget while another uv is at work;
`uv run` and `uvx` are as long as what they run, and that may be djhop itself.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from djhop.errors import InfraError

if TYPE_CHECKING:
    from djhop.environments.installer import Uv
    from djhop.environments.looks import Change

FOLDER = "damaged"
#: Seconds that uv waits for other uv processes to let go of its cache.
LOCK_TIMEOUT = "2"
#: Seconds for an older uv, which knows no such limit.
TIMEOUT = 60.0


def remember(changes: tuple[Change, ...], site_packages: Path, cache: Path) -> None:
    """Write down whose files have changed that are shared with uv's cache.

    Raises:
        OSError: it cannot be written.
    """
    shared = {change.path for change in changes if change.shared}
    if not shared:
        return
    for record in site_packages.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
            files = {row[0] for row in csv.reader(lines) if row}
        if shared & files:
            name = canonicalize_name(record.parent.stem.partition("-")[0])
            (cache / FOLDER).mkdir(parents=True, exist_ok=True)
            (cache / FOLDER / name).touch()


def forget(packages: Iterable[str], cache: Path, uv: Uv) -> tuple[str, ...]:
    """Let uv forget the damaged ones of `packages`; return those it could not forget now.

    Raises:
        Interrupted: djhop was asked to stop.
    """
    damaged = tuple(sorted({name for name in packages if (cache / FOLDER / name).exists()}))
    if not damaged:
        return ()
    try:
        uv.run("cache", "clean", *damaged, env={"UV_LOCK_TIMEOUT": LOCK_TIMEOUT}, timeout=TIMEOUT)
    except InfraError:
        return damaged
    for name in damaged:
        with contextlib.suppress(OSError):
            (cache / FOLDER / name).unlink()
    return ()


def told(packages: tuple[str, ...]) -> str:
    """Say what uv could not forget, and what to type."""
    names = " ".join(packages)
    return (
        f"tests wrote into {names} through uv's hard links, so uv's cache is damaged too: the "
        "environment was made with --no-cache, as another uv is using the cache; type "
        f"`uv cache clean {names}` when none is, or other projects get the damaged files"
    )
