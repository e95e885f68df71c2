"""Where things are on this machine: the cache, uv, the interpreters. The only room that asks."""

from __future__ import annotations

import functools
import importlib.metadata
import os
from collections.abc import Collection
from pathlib import Path

import platformdirs
import uv as uv_package

from djhop.environments import environments
from djhop.errors import InfraError
from djhop.interpreters import interpreters
from djhop.interpreters.interpreters import Interpreter
from djhop.processes.process import Command, Spawner


def cache() -> Path:
    """The one folder djhop keeps between runs: $DJHOP_CACHE, or the user's cache directory."""
    named = os.environ.get("DJHOP_CACHE")
    return Path(named).expanduser().resolve() if named else platformdirs.user_cache_path("djhop")


@functools.cache
def uv() -> str:
    """The uv that was installed with djhop."""
    try:
        return str(uv_package.find_uv_bin())
    except FileNotFoundError as error:
        raise InfraError("uv is not there", hint="python -m pip install uv") from error


@functools.cache
def uv_version() -> str:
    """The version of that uv: locks are made anew when it changes."""
    return importlib.metadata.version("uv")


def pythons(spawner: Spawner, minors: Collection[str] | None = None) -> dict[str, Interpreter]:
    """The interpreters of this machine by minor version; only `minors`, where they are named."""
    env = {"PATH": os.environ.get("PATH", os.defpath)}

    def query(path: str) -> str:
        argv = interpreters.question(path)
        done = spawner.run(Command(argv=argv, cwd=os.sep, env=env, timeout=10))
        return done.output if done.returncode == 0 else ""

    return interpreters.find(
        environ=os.environ, cache=cache(), query=query, minors=minors, running=interpreters.own()
    )


def install_python(minor: str, spawner: Spawner) -> str:
    """Let uv install a Python; return why it could not, or ""."""
    env = environments.uv_environ(os.environ)
    argv = interpreters.install_command(minor, uv())
    done = spawner.run(Command(argv=argv, cwd=str(cache()), env=env, timeout=600))
    if done.returncode == 0:
        return ""
    said = done.output.strip().splitlines()
    return said[-1].strip() if said else f"uv ended with {done.returncode}"
