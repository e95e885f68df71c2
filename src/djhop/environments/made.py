"""An environment that was made: what it is, and whether it still is what was made."""

from __future__ import annotations

import contextlib
import datetime
import os
from pathlib import Path

import msgspec

from djhop import durable
from djhop.environments import building, looks
from djhop.environments.looks import Change, Look

MARKER = "djhop.json"
#: Changes named in a sentence.
NAMED = 3


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual environment with exactly the packages of a lock."""

    key: str
    path: Path
    #: Its Python executable.
    python: Path
    site_packages: Path
    #: Name (normalised) → version.
    packages: dict[str, str]
    #: Whether it was made just now.
    created: bool = False
    #: What tests, or somebody else, had done to the one before: why it was made again.
    changes: tuple[Change, ...] = ()
    #: Packages whose files in uv's cache are damaged still: it was made without that cache.
    damaged: tuple[str, ...] = ()


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """Written last: an environment that has one is complete."""

    interpreter: str
    packages: dict[str, str]
    look: Look
    created: str
    format: int = building.FORMAT


def mark(path: Path, interpreter: str, packages: dict[str, str]) -> None:
    """Write down that the environment at `path` is complete, and what it looks like.

    Raises:
        OSError: it cannot be looked at or written to.
    """
    site_packages = site_packages_of(path)
    assert site_packages is not None
    marker = Marker(
        interpreter=interpreter,
        packages=packages,
        look=looks.look(site_packages),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    (path / MARKER).write_bytes(msgspec.json.encode(marker))


def find(path: Path) -> Environment | None:
    """The environment at `path` if it is complete; its `changes` are what it should not have."""
    try:
        marker = msgspec.json.decode((path / MARKER).read_bytes(), type=Marker)
    except durable.UNREADABLE:
        return None
    site_packages, python = site_packages_of(path), path / "bin" / "python"
    # Without its Python the interpreter it was made of is gone.
    if marker.format != building.FORMAT or site_packages is None or not python.exists():
        return None
    look, changes = looks.again(site_packages, marker.look)
    if look != marker.look and not changes:
        _remember(path, msgspec.structs.replace(marker, look=look))
    return Environment(
        key=path.name,
        path=path,
        python=python,
        site_packages=site_packages,
        packages=marker.packages,
        changes=changes,
    )


def used(path: Path) -> None:
    """Note that an environment is used now: what nobody has used for long may be removed."""
    with contextlib.suppress(OSError):  # it is somebody else's
        os.utime(path)


def changes(environment: Environment) -> tuple[Change, ...]:
    """What is no more as it was made; to be asked after each run in it."""
    found = find(environment.path)
    return (Change("it", "removed"),) if found is None else found.changes


def told(changes: tuple[Change, ...]) -> str:
    """Name changes in words: "alpha.py changed, gamma added and 3 more"."""
    named = [f"{change.path} {change.how}" for change in changes[:NAMED]]
    more = f" and {len(changes) - NAMED} more" if len(changes) > NAMED else ""
    return f"{', '.join(named)}{more}"


def site_packages_of(path: Path) -> Path | None:
    """Where the packages of the environment at `path` are; None where there is no such folder."""
    return next(path.glob("lib/python3*/site-packages"), None)


def _remember(path: Path, marker: Marker) -> None:
    aside = path / f".{MARKER}.{os.getpid()}"
    try:
        aside.write_bytes(msgspec.json.encode(marker))
        aside.replace(path / MARKER)
    except OSError:
        aside.unlink(missing_ok=True)  # it is looked at again
