"""Answers kept from one djhop to the next, and the place where uv is asked."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from djhop import durable, scratch
from djhop.deps.answers import FORMAT
from djhop.errors import InfraError
from djhop.processes.process import Spawner
from djhop.resolve import lockstore, resolve
from djhop.resolve.locks import Lock
from djhop.resolve.request import Request, locals_of

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """Where and with what uv is run, and where answers are kept."""

    spawner: Spawner
    uv: str
    uv_version: str
    env: Mapping[str, str]
    cache: Path
    jobs: int = 1
    offline: bool = False
    fresh: bool = False
    #: Takes what is being done, for a person who waits; called from several threads.
    say: Callable[[str], None] = lambda _: None

    @property
    def folder(self) -> Path:
        """Where answers are kept."""
        return self.cache / "deps"

    def key(self, request: Request, lock: Lock, cwd: str) -> str:
        """All that decides what can be said of a lock."""
        return lockstore.cache_key(request, lock, uv_version=self.uv_version, env=self.env, cwd=cwd)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for the files of one question."""
        durable.make(self.folder)
        with scratch.folder(self.folder, ".asking-") as folder:
            yield folder


class _Kept(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """`deps/<key>.json`."""

    #: Seconds since 1970.
    created: float
    value: T
    format: int = FORMAT


def kept(site: Site, key: str, kind: type[T], make: Callable[[], T], request: Request) -> T:
    """What is kept under `key`, while it is young or `request` has a date; else what `make` gives.

    What points into this machine's files is never kept: it can change at any time.
    """
    path = site.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    local = bool(locals_of(request))
    if not site.fresh and not local and (found := _read(path, kind)):
        age = time.time() - found.created
        if request.exclude_newer or site.offline or 0 <= age < resolve.MAX_AGE:
            return found.value
    made = make()
    with contextlib.suppress(InfraError):  # what cannot be kept is made again
        durable.make(path.parent)
        durable.write(path, msgspec.json.encode(_Kept(created=time.time(), value=made)))
    return made


def _read(path: Path, kind: type[T]) -> _Kept[T] | None:
    shape: Any = _Kept[kind]  # type: ignore[valid-type]
    try:
        found: _Kept[T] = msgspec.json.decode(path.read_bytes(), type=shape)
    except durable.UNREADABLE:
        return None
    return found if found.format == FORMAT else None
