"""Finds CPythons on the machine, and says how to get one that is missing."""

# This runs on every command; os.path takes a tenth of the time of pathlib.
# ruff: noqa: PTH110, PTH116

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from typing import TYPE_CHECKING

import msgspec
from packaging.version import Version

from djhop import durable
from djhop.interpreters.python_places import Candidate, candidates
from djhop.releases import version_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A CPython that environments can be made with."""

    #: Minor version: "3.12".
    python: str
    #: Full version: "3.12.1", "3.15.0b1".
    release: str
    #: Absolute path of the executable, links resolved.
    path: str
    #: Where it was found: "PATH", "pyenv", "uv", …
    source: str
    #: Stands for this very build: changes when the executable is replaced.
    key: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an interpreter says of itself."""

    implementation: str
    version: tuple[int, int, int]
    level: str
    serial: int
    bits: int
    #: Letters of the build: "d" for debug, "t" for free-threaded.
    abi: str

    @property
    def usable(self) -> bool:
        """Whether projects are run on a Python of this kind: CPython, 64 bits, no special build."""
        special = "d" in self.abi or "t" in self.abi
        return (
            self.implementation == "cpython"
            and self.bits == 64
            and not special
            and self.version[:2] >= OLDEST
        )

    @property
    def release(self) -> str:
        """The full version as PEP 440 writes it."""
        level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(self.level, "")
        return ".".join(map(str, self.version)) + (f"{level}{self.serial}" if level else "")

    @property
    def minor(self) -> str:
        """The minor version: "3.12"."""
        return f"{self.version[0]}.{self.version[1]}"


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    mtime_ns: int
    size: int
    facts: Facts


class _Cache(msgspec.Struct, frozen=True, kw_only=True):
    #: 1: the first.
    format: int = 1
    interpreters: dict[str, _Known] = {}


#: uv makes no environments for older ones, and the probe's syntax starts here.
OLDEST = (3, 6)
#: The oldest that uv can download.
_OLDEST_DOWNLOAD = (3, 8)
#: Needs nothing but `sys`, and runs on Python 2.7 too, so that its answer can be remembered.
_QUESTION = (
    'import sys; v = sys.version_info; print(\'{"implementation": "%s", "version": '
    '[%d, %d, %d], "level": "%s", "serial": %d, "bits": %d, "abi": "%s"}\' % ('
    "getattr(getattr(sys, 'implementation', None), 'name', 'python2'), v[0], v[1], v[2], v[3], "
    "v[4], 64 if sys.maxsize > 2**32 else 32, getattr(sys, 'abiflags', '')))"
)


def question(executable: str) -> tuple[str, ...]:
    """The command that asks an executable what it is; its answer goes to `find`'s `query`."""
    # -S: without site-packages it answers in a third of the time and nothing can get in its way.
    return (executable, "-E", "-s", "-S", "-c", _QUESTION)


def find(
    *,
    environ: Mapping[str, str],
    cache: Path,
    query: Callable[[str], str],
    minors: Collection[str] | None = None,
    running: str = "",
) -> dict[str, Interpreter]:
    """Find the best CPython of each minor version, lowest first.

    The highest release of a minor is the best, a final one before any other, and what is on PATH
    at equal release. `query` runs `question(path)` and returns what it prints, "" where that
    fails; each executable is asked once, until it changes (`cache`/interpreters.json). `minors`
    leaves out the others, and saves asking them. `running` is djhop's own Python (`own()`).
    """
    file = cache / "interpreters.json"
    known = _read(file)
    seen: dict[str, _Known] = {}
    best: dict[str, tuple[tuple[bool, Version, bool], Interpreter]] = {}
    for candidate in candidates(environ, running):
        if minors is not None and candidate.minor and candidate.minor not in minors:
            continue
        path = os.path.realpath(candidate.path)
        if path not in seen and (asked := _ask(path, known.get(path), query)):
            seen[path] = asked
        if path in seen and seen[path].facts.usable:
            _keep_best(best, candidate, path, seen[path])
    if any(known.get(path) != entry for path, entry in seen.items()):
        _write(file, known | seen)
    wanted = {m: item for m, (_, item) in best.items() if minors is None or m in minors}
    return dict(sorted(wanted.items(), key=lambda pair: version_key(pair[0])))


def own() -> str:
    """The Python that djhop runs on, or the one its virtual environment was made with."""
    return getattr(sys, "_base_executable", "") or sys.executable


def _ask(path: str, known: _Known | None, query: Callable[[str], str]) -> _Known | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    if known and (known.mtime_ns, known.size) == (stat.st_mtime_ns, stat.st_size):
        return known
    try:
        facts = msgspec.json.decode(query(path).strip(), type=Facts)
    except durable.UNREADABLE:
        # No Python, or one that does not start: asked again next time.
        return None
    return _Known(mtime_ns=stat.st_mtime_ns, size=stat.st_size, facts=facts)


def _keep_best(
    best: dict[str, tuple[tuple[bool, Version, bool], Interpreter]],
    candidate: Candidate,
    path: str,
    known: _Known,
) -> None:
    facts = known.facts
    version = Version(facts.release)
    rank = (not version.is_prerelease, version, candidate.source == "PATH")
    if facts.minor not in best or rank > best[facts.minor][0]:
        text = f"{path}\n{facts.release}\n{known.mtime_ns}\n{known.size}"
        interpreter = Interpreter(
            python=facts.minor,
            release=facts.release,
            path=path,
            source=candidate.source,
            key=hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12],
        )
        best[facts.minor] = (rank, interpreter)


def _read(file: Path) -> dict[str, _Known]:
    try:
        cache = msgspec.json.decode(file.read_bytes(), type=_Cache)
    except durable.UNREADABLE:
        # Losing it costs a few milliseconds per interpreter.
        return {}
    return cache.interpreters if cache.format == 1 else {}


def _write(file: Path, known: Mapping[str, _Known]) -> None:
    there = {path: entry for path, entry in known.items() if os.path.exists(path)}
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError, UnicodeEncodeError):
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(msgspec.json.encode(_Cache(interpreters=there)))
        aside.replace(file)


def uv_can_download(minor: str) -> bool:
    """Whether uv has this Python to download; it has none before 3.8."""
    return version_key(minor) >= _OLDEST_DOWNLOAD


def install_command(minor: str, uv: str) -> tuple[str, ...]:
    """The command with which uv installs a Python for this user, without touching PATH."""
    return (uv, "python", "install", "--no-bin", minor)


def how_to_get(minor: str, *, uv_can_download: bool, system: str = "") -> str:
    """What to type to get a Python that is missing.

    `uv_can_download` is whether this machine lets uv reach the network; `system` is what
    `python_places.this_system` names: "debian", "ubuntu", "macos" or "".
    """
    if version_key(minor) < OLDEST:
        return (
            f"Python {minor} is too old: uv makes no environments before Python 3.6; "
            "start the matrix at a newer one"
        )
    ways = []
    if uv_can_download and version_key(minor) >= _OLDEST_DOWNLOAD:
        ways.append(f"uv python install {minor}")
    ways.append(f"pyenv install {minor}")
    if system == "ubuntu":
        ways.append(
            f"sudo add-apt-repository ppa:deadsnakes/ppa && sudo apt install python{minor}-venv"
        )
    elif system == "macos":
        ways.append(f"brew install python@{minor}")
    elif system == "debian":
        ways.append(f"sudo apt install python{minor}-venv (where this Debian has it)")
    return ", or: ".join(ways)
