"""Making something once for everybody: under a lock, aside, and put in place in one step.

What is half made looks absent; what a killed djhop left half made is removed by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import filelock
from uv import find_uv_bin

from djhop.environments.installer import Uv
from djhop.errors import InfraError, Interrupted
from djhop.workspace.removal import remove

if TYPE_CHECKING:
    from djhop.processes.process import Spawner

#: Seconds between two looks at whether an environment is free.
PAUSE = 0.05
#: Seconds that an environment may be absent: it is so for a moment while it is replaced.
VANISHED = 5.0
#: Part of every key: a change of how environments are made makes new ones.
FORMAT = 1
#: Variables that change what a pin installs.
SOURCES = re.compile(r"UV_(INDEX|INDEX_URL|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_BINARY.*)$")


def key_of(pins: tuple[str, ...], interpreter: str, env: Mapping[str, str]) -> str:
    """The name of what these pins make on this interpreter, from these indexes."""
    sources = sorted(f"{k}={_without_user(v)}" for k, v in env.items() if SOURCES.match(k))
    parts = [str(FORMAT), interpreter, *sorted(pins), *sources]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _without_user(urls: str) -> str:
    """Index URLs without credentials: a token that changes daily is no other index."""
    return " ".join(
        urlsplit(u)._replace(netloc=urlsplit(u).netloc.rpartition("@")[2]).geturl()
        for u in urls.split()
    )


def uv(
    cache: Path,
    key: str,
    spawner: Spawner,
    env: dict[str, str],
    *,
    cwd: Path | None = None,
    offline: bool = False,
) -> Uv:
    """uv, with a fresh log for what is made under `key`."""
    log = cache / "logs" / f"{key}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    return Uv(
        spawner=spawner,
        executable=find_uv_bin(),
        env=env,
        cwd=cwd or cache,
        log=log,
        offline=offline,
    )


@contextlib.contextmanager
def only_one(path: Path, spawner: Spawner) -> Iterator[None]:
    """Hold the lock of what is made at `path`; wait as long as another process makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"))
    while True:
        try:
            lock.acquire(timeout=0.2)
            break
        except filelock.Timeout:
            if spawner.interrupted:
                raise Interrupted("interrupted while another djhop makes an environment") from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def in_use(path: Path, spawner: Spawner) -> Iterator[None]:
    """Let nobody replace what is at `path` as long as something runs there; many may at once."""
    held = _hold(path, fcntl.LOCK_SH, spawner)
    try:
        yield
    finally:
        os.close(held)


@contextlib.contextmanager
def unused(path: Path) -> Iterator[bool]:
    """Keep others from using what is at `path`, if nobody does now; whether that is so."""
    held = _try(path, fcntl.LOCK_EX)
    try:
        yield held is not None
    finally:
        if held is not None:
            os.close(held)


def _hold(path: Path, kind: int, spawner: Spawner) -> int:
    """Lock the folder that is at `path`, and wait as long as it takes; closing lets go of it.

    The folder itself is locked: the system lets go of it where djhop is killed.
    """
    limit = time.monotonic() + VANISHED
    while (held := _try(path, kind)) is None:
        if spawner.interrupted:
            raise Interrupted("interrupted while another djhop uses an environment")
        if path.exists():
            limit = time.monotonic() + VANISHED
        elif time.monotonic() > limit:
            raise InfraError(f"{path} has vanished", hint="run the same again")
        time.sleep(PAUSE)
    return held


def _try(path: Path, kind: int) -> int | None:
    """Lock the folder at `path` now; None where somebody has it, or is putting another there."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(held, kind | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(held), path.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    except OSError:
        ours = True  # a file system without locks
    if ours:
        return held
    os.close(held)
    return None


@contextlib.contextmanager
def built_aside(path: Path, spawner: Spawner) -> Iterator[Path]:
    """Give a place to build in; what was built there is put at `path` in one step.

    To be used under the lock of `path`; what is at `path` in use is replaced when it no more is.
    What an earlier process left is removed.
    """
    trash = path.with_name(f".trash-{path.name}")
    aside = path.with_name(f".building-{path.name}-{os.getpid()}")
    for stale in path.parent.glob(f".building-{path.name}-*"):
        remove(stale, trash)
    try:
        yield aside
        if path.exists():
            old = path.with_name(f".building-{path.name}-old")
            held = _hold(path, fcntl.LOCK_EX, spawner)
            try:
                path.rename(old)
                aside.rename(path)
            finally:
                os.close(held)
            remove(old, trash)
        else:
            aside.rename(path)
    except OSError as error:
        raise InfraError(f"cannot make {path}: {error}") from error
    finally:
        remove(aside, trash)
        remove(trash, trash)


def sweep(cache: Path) -> None:
    """Remove what a killed djhop left half made, and nothing that somebody is making."""
    for aside in cache.glob("*/.building-*"):
        name = aside.name.removeprefix(".building-").rpartition("-")[0]
        lock = filelock.FileLock(aside.with_name(f"{name}.lock"))
        with contextlib.suppress(filelock.Timeout), lock.acquire(timeout=0):
            remove(aside, aside.with_name(f"{aside.name}-trash"))
