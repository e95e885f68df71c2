"""Where Pythons are kept on people's machines."""

# This runs on every command; os.path takes a tenth of the time of pathlib.
# ruff: noqa: PTH117, PTH119, PTH120, PTH208

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An executable that may be a Python, not run yet."""

    path: str
    #: Who put it there: "PATH", "pyenv", "asdf", "mise", "uv", "Homebrew", "python.org", …
    source: str
    #: The minor version that its name tells, "" where only running it would tell.
    minor: str = ""


#: Executables are looked up by name, which is faster than listing every directory of PATH.
_NEWEST_MINOR = 20
_NAMES = (*(f"python3.{minor}" for minor in range(6, _NEWEST_MINOR)), "python3", "python")
_MINOR = re.compile(r"^(?:cpython-|python@|python-)?(\d+\.\d+)")
#: Pythons of other kinds, which pyenv and uv keep beside CPython's.
_OTHER_KIND = re.compile(r"pypy|graal|jython|iron|micropython|pyston|freethreaded|debug|\dt$", re.I)
#: Directories that hold one directory per version, by the tool that owns them.
_OWNERS = {"pyenv": "versions", "asdf": "installs/python", "mise": "installs/python"}


def candidates(environ: Mapping[str, str], running: str = "") -> Iterator[Candidate]:
    """Name every executable that may be a Python, in order of preference, without running any.

    `running` is the Python that djhop itself runs on. A directory of shims is never looked into:
    shims start slowly and fail where their version is not selected; what they stand for is kept
    beside them.
    """
    if running:
        yield Candidate(path=running, source="djhop's own")
    home = environ.get("HOME", "")
    shims: dict[str, str] = {}
    for folder in environ.get("PATH", "").split(os.pathsep):
        if folder.rstrip("/").endswith("shims"):
            parent = os.path.dirname(folder.rstrip("/"))
            shims[parent] = _owner(parent)
        elif os.path.isabs(folder):
            yield from _in_folder(folder, "PATH")
    for parent, owner in shims.items():
        yield from _installed(f"{parent}/{_OWNERS[owner]}", owner)
    for folder, owner in _version_folders(environ, home).items():
        yield from _installed(folder, owner)
    for folder, owner in _plain_folders(home):
        yield from _in_folder(folder, owner)


def _owner(folder: str) -> str:
    name = os.path.basename(folder).lstrip(".")
    return name if name in _OWNERS else "pyenv"


def _version_folders(environ: Mapping[str, str], home: str) -> dict[str, str]:
    """Directories that hold a directory per version."""
    data = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    found = {
        f"{environ.get('PYENV_ROOT') or f'{home}/.pyenv'}/versions": "pyenv",
        f"{environ.get('ASDF_DATA_DIR') or f'{home}/.asdf'}/installs/python": "asdf",
        f"{environ.get('MISE_DATA_DIR') or f'{data}/mise'}/installs/python": "mise",
        environ.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python": "uv",
        "/opt/homebrew/opt": "Homebrew",
        "/usr/local/opt": "Homebrew",
        "/Library/Frameworks/Python.framework/Versions": "python.org",
    }
    return {folder: owner for folder, owner in found.items() if os.path.isabs(folder)}


def _plain_folders(home: str) -> Iterator[tuple[str, str]]:
    yield "/usr/local/bin", "the system"
    if sys.platform != "darwin":
        # On macOS /usr/bin/python3 may only be a stub that offers to install something.
        yield "/usr/bin", "the system"
    if home:
        yield f"{home}/.local/bin", "the user"


def _in_folder(folder: str, source: str) -> Iterator[Candidate]:
    for name in _NAMES:
        path = f"{folder}/{name}"
        if os.access(path, os.X_OK) and not _in_virtual_environment(path):
            told = name.removeprefix("python") if "." in name else ""
            yield Candidate(path=path, source=source, minor=told)


def _in_virtual_environment(path: str) -> bool:
    return os.access(f"{os.path.dirname(os.path.dirname(path))}/pyvenv.cfg", os.F_OK)


def _installed(folder: str, owner: str) -> Iterator[Candidate]:
    """The Pythons in the directories of `folder`, newest version first."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in sorted(names, key=_newest_first):
        if _OTHER_KIND.search(name) or (owner == "Homebrew" and not name.startswith("python@3.")):
            continue
        match = _MINOR.match(name)
        for executable in ("bin/python3", "bin/python", f"bin/python{match[1] if match else '3'}"):
            path = f"{folder}/{name}/{executable}"
            if os.access(path, os.X_OK) and not _in_virtual_environment(path):
                yield Candidate(path=path, source=owner, minor=match[1] if match else "")
                break


def _newest_first(name: str) -> tuple[list[int], str]:
    return [-int(digits) for digits in re.findall(r"\d+", name)[:3]], name


def system(os_release: str, platform: str) -> str:
    """Name the system as far as it decides where Pythons come from: "debian", "macos" or ""."""
    if platform == "darwin":
        return "macos"
    names = re.findall(r"(?m)^ID(?:_LIKE)?=[\"']?([^\"'\n]*)", os_release)
    words = " ".join(names).split()
    if "ubuntu" in words:
        return "ubuntu"
    return "debian" if "debian" in words else ""


def this_system() -> str:
    """The system djhop runs on, as `system` names it."""
    path = Path("/etc/os-release")
    text = path.read_text(errors="replace") if path.is_file() else ""
    return system(text, sys.platform)
