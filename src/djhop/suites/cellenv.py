"""The environment variables of a cell: an allow-list, private places, and what djhop sets."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import msgspec

from djhop.matrix.variables import NEVER

#: What a cell inherits (globs); everything else needs `pass_env`. The commands of a user's shell,
#: the language, the way to the network and its certificates, the user's name, the loader's path.
INHERITED = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "USER",
    "LOGNAME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "NIX_LD*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
_PLACEHOLDER = re.compile(r"\{(workspace|cell|home|tmp|database)\}")


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Where a cell lives; absolute paths."""

    cell: str
    python: str
    workspace: str
    home: str
    tmp: str
    #: The cell's environment: its `bin` comes first in PATH.
    environment: str
    probe: str
    #: Directories of the workspace that are importable, relative to it.
    import_roots: tuple[str, ...] = (".",)

    @property
    def database(self) -> str:
        """A name for databases and the like that no other cell uses: letters, digits and "_"."""
        return "djhop_" + re.sub(r"\W+", "_", self.cell.replace(".", ""))


def cell_environ(
    room: Room,
    *,
    inherited: Mapping[str, str],
    pass_env: Sequence[str] = (),
    set_env: Mapping[str, str] | None = None,
    settings: str = "",
    branch: bool = False,
) -> dict[str, str]:
    """Return the whole environment of a cell's processes.

    Args:
        inherited: djhop's own environment.
        pass_env: further names to inherit, globs as in tox.
        set_env: what the matrix sets; {workspace}, {cell}, {home}, {tmp} and {database} are
            replaced, other braces stay. It wins over everything; its PYTHONPATH is added to ours.
        settings: DJANGO_SETTINGS_MODULE, if the suite needs it.
        branch: whether branches are measured: up to Python 3.13 only the slow tracer can.
    """
    env = passed(inherited, pass_env)
    env.update(_private(room, env.get("PATH", os.defpath)))
    if not any(env.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        env["LANG"] = "C.UTF-8"
    if settings:
        env["DJANGO_SETTINGS_MODULE"] = settings
    if _version(room.python) >= ((3, 14) if branch else (3, 12)):
        # Half the time of the C tracer: https://coverage.readthedocs.io/en/latest/config.html
        env["COVERAGE_CORE"] = "sysmon"
    ours = env["PYTHONPATH"]
    for name, value in (set_env or {}).items():
        env[name] = _filled(value, room)
    if env["PYTHONPATH"] != ours:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (ours, env["PYTHONPATH"])))
    return env


def passed(inherited: Mapping[str, str], pass_env: Sequence[str]) -> dict[str, str]:
    """Return what of djhop's own environment a cell or a service may see."""
    return {
        name: value
        for name, value in inherited.items()
        if _allowed(name, INHERITED) or (_allowed(name, pass_env) and not _allowed(name, NEVER))
    }


def _allowed(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def _private(room: Room, path: str) -> dict[str, str]:
    roots = [str(PurePath(room.workspace, root)) for root in room.import_roots]
    return {
        "PATH": os.pathsep.join((f"{room.environment}/bin", path)),
        "VIRTUAL_ENV": room.environment,
        "HOME": room.home,
        "TMPDIR": room.tmp,
        "TMP": room.tmp,
        "TEMP": room.tmp,
        "XDG_CACHE_HOME": f"{room.home}/.cache",
        "XDG_CONFIG_HOME": f"{room.home}/.config",
        "XDG_DATA_HOME": f"{room.home}/.local/share",
        "XDG_STATE_HOME": f"{room.home}/.local/state",
        "XDG_RUNTIME_DIR": room.tmp,
        # Or a test that asks git finds a repository above the cache.
        "GIT_CEILING_DIRECTORIES": str(PurePath(room.workspace).parent),
        # Django runs its system checks in the order of a set: without this, what a dead run
        # reports differs from run to run.
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join((room.probe, *roots)),
    }


def _filled(value: str, room: Room) -> str:
    return _PLACEHOLDER.sub(lambda match: str(getattr(room, match[1])), value)


def _version(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", python)[:2])
