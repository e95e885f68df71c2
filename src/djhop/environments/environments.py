"""Lock + interpreter → environment: made once, shared by every cell and run with the same lock."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from djhop.environments import building, bytecode, damage, made
from djhop.environments.building import sweep
from djhop.environments.installer import CannotInstall, Uv, uv_environ
from djhop.environments.made import MARKER, Environment, told
from djhop.environments.overlay import overlay
from djhop.errors import InfraError
from djhop.processes.process import Command, Spawner
from djhop.workspace import outside

if TYPE_CHECKING:
    from djhop.interpreters.interpreters import Interpreter

__all__ = (
    "CannotInstall",
    "Environment",
    "ensure",
    "harvest",
    "installed",
    "overlay",
    "sweep",
    "told",
    "tools",
    "uv_environ",
)

#: What every cell is measured with; it is not part of the target's environment.
TOOLS = ("coverage",)


class HasPins(Protocol):
    """What this room needs of a lock."""

    @property
    def pins(self) -> tuple[str, ...]:
        """Each "name==version" or "name @ url"."""


def ensure(
    lock: HasPins,
    interpreter: Interpreter,
    *,
    cache: Path,
    spawner: Spawner,
    recreate: bool = False,
    offline: bool = False,
    environ: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> Environment:
    """Return the environment of `lock` on `interpreter`; make it where it is not there or changed.

    `environ` is filtered by `uv_environ`; `cwd` is where uv looks for its configuration (default:
    the cache, where there is none). Two processes that want the same one make it once; one that
    somebody runs something in (`in_use`) is replaced when that has ended.

    Raises:
        CannotInstall: a package of the lock cannot be installed on this Python.
        InfraError: the network or the disk failed, or `offline` and a package is not in the cache.
        Interrupted: djhop was asked to stop.
    """
    env = uv_environ(environ)
    inside = outside.contents(lock.pins)
    key = building.key_of((*lock.pins, *filter(None, [inside])), interpreter.key, env)
    path = cache / "envs" / key
    found = made.find(path)
    if found and not (recreate or found.changes):
        made.used(path)
        return found
    with building.only_one(path, spawner):
        found = made.find(path)
        if found and not (recreate or found.changes):
            return found  # another process has made it meanwhile
        before = found.changes if found else ()
        uv = building.uv(cache, key, spawner, env, cwd=cwd, offline=offline)
        with building.built_aside(path, spawner) as aside:
            if found:
                damage.remember(before, found.site_packages, cache)
            damaged = damage.forget(_wanted(lock.pins), cache, uv)
            options = ("--no-cache",) if damaged else _again(lock.pins)
            store = bytecode_store(cache, interpreter)
            _build(aside, lock.pins, interpreter, uv, store, *options)
        uv.log.unlink(missing_ok=True)
        found = made.find(path)
    if found is None:
        raise InfraError(f"the environment {path} vanished while it was made")
    return msgspec.structs.replace(found, created=True, changes=before, damaged=damaged)


def tools(
    interpreter: Interpreter,
    *,
    cache: Path,
    spawner: Spawner,
    requirements: tuple[str, ...] = TOOLS,
    offline: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Return a folder for the end of `sys.path` that holds coverage, the newest for that Python.

    It is shared by all cells of the interpreter, and no part of any environment. Raises what
    `ensure` raises.
    """
    env = uv_environ(environ)
    path = cache / "tools" / building.key_of(requirements, interpreter.key, env)
    if (path / MARKER).exists():
        return path
    with building.only_one(path, spawner):
        if (path / MARKER).exists():
            return path
        uv = building.uv(cache, path.name, spawner, env, offline=offline)
        with building.built_aside(path, spawner) as aside:
            python = interpreter.path
            options = ("--no-deps", "--python", python, "--target", str(aside))
            uv.install(*options, *requirements)
            # uv's --compile-bytecode fails on Python 3.6.
            argv = (python, "-I", "-m", "compileall", "-q", str(aside))
            spawner.run(Command(argv=argv, cwd=str(cache), env=env, timeout=300))
            (aside / MARKER).write_bytes(msgspec.json.encode(requirements))
        uv.log.unlink(missing_ok=True)
    return path


def harvest(environment: Environment, interpreter: Interpreter, cache: Path) -> int:
    """Keep what was compiled in `environment` for the next one with the same packages.

    To be called after a run in it that has changed nothing else; cheap where nothing new was
    compiled. Returns how many files were taken.
    """
    return bytecode.harvest(
        environment.site_packages,
        bytecode_store(cache, interpreter),
        environment.path / bytecode.STATE,
    )


def bytecode_store(cache: Path, interpreter: Interpreter) -> Path:
    """The folder of the bytecode that `interpreter` has compiled."""
    return cache / "bytecode" / interpreter.key


def installed(site_packages: Path) -> dict[str, str]:
    """Name (normalised) → version of everything in a site-packages folder."""
    return {
        canonicalize_name(dist.metadata["Name"]): dist.version
        for dist in importlib.metadata.distributions(path=[str(site_packages)])
        if dist.metadata["Name"]
    }


def _again(pins: tuple[str, ...]) -> tuple[str, ...]:
    """Let uv build anew what lies on this machine: it looks for changes in few of its files."""
    return tuple(f"--reinstall-package={name}" for name in outside.names(pins))


def _build(
    path: Path, pins: tuple[str, ...], interpreter: Interpreter, uv: Uv, store: Path, *options: str
) -> None:
    uv.run(
        *("venv", "--quiet", "--relocatable", "--no-project", "--python", interpreter.path),
        str(path),
    )
    site_packages = made.site_packages_of(path)
    if site_packages is None:
        raise InfraError(f"uv made no usable environment at {path}")
    if pins:
        listed = path / "pins.txt"
        listed.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        python = str(path / "bin" / "python")
        options = ("--no-deps", *options)
        uv.install(*options, "--python", python, "--requirements", str(listed))
        listed.unlink()  # it may hold credentials
    packages = installed(site_packages)
    _check(pins, packages, str(uv.log))
    bytecode.seed(site_packages, store)
    made.mark(path, interpreter.path, packages)


def _check(pins: tuple[str, ...], packages: dict[str, str], log: str) -> None:
    """An environment must be its lock: no package more, none less, none of another version."""
    wanted = _wanted(pins)
    for name in sorted(wanted.keys() | packages.keys()):
        if name not in packages:
            raise CannotInstall(name, "it is in the lock, and was not installed", log)
        if name not in wanted:
            raise CannotInstall(name, "it was installed, and is not in the lock", log)
        if not _same(wanted[name], packages[name]):
            raise CannotInstall(name, f"installed was {packages[name]}, not {wanted[name]}", log)


def _wanted(pins: tuple[str, ...]) -> dict[str, str]:
    """Name (normalised) → version; "" where a pin is a URL."""
    wanted: dict[str, str] = {}
    for pin in pins:
        name, _, version = pin.partition(" @ ")[0].partition("==")
        wanted[canonicalize_name(name.partition("[")[0].strip())] = version.strip()
    return wanted


def _same(wanted: str, found: str) -> bool:
    try:
        return not wanted or Version(wanted) == Version(found)
    except ValueError:  # of the time before PEP 440
        return wanted == found
