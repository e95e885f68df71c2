"""Files of a cell → whose they are, and how a reader wants to see them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from packaging.utils import canonicalize_name

OwnerKind = Literal["project", "package", "django", "python", "environment"]


class Owner(msgspec.Struct, frozen=True):
    """Whose code it is."""

    kind: OwnerKind
    #: Package name for a package, else empty.
    name: str = ""


PROJECT, DJANGO, PYTHON = Owner("project"), Owner("django"), Owner("python")
ENVIRONMENT = Owner("environment")

_STDLIB = re.compile(r"^(.*/lib(?:64)?/python\d+(?:\.\d+)?t?)/")
_DIST_INFO = re.compile(r"^(?P<name>.+?)-[^-]+\.(?:dist-info|egg-info)$")


class Paths:
    """The places of one cell: the workspace's tree, its site-packages and Python's own library.

    Args:
        root: the tree that the suite ran in.
        site_packages: where the cell's packages are installed.
        stdlib: directories of Python's library; others are known by their look.
        hidden: directories whose frames are nobody's: the probe, and the tools of the cell.
        import_roots: where in the tree the project's own modules are, relative to it.
    """

    def __init__(
        self,
        *,
        root: str | Path,
        site_packages: tuple[str | Path, ...],
        stdlib: tuple[str | Path, ...] = (),
        hidden: tuple[str | Path, ...] = (),
        import_roots: tuple[str, ...] = (".",),
    ) -> None:
        self.root = str(root)
        self._sites = tuple(str(site) for site in site_packages)
        self._import_roots = import_roots
        kinds = (("root", (root,)), ("site", site_packages), ("stdlib", stdlib), ("hidden", hidden))
        prefixes = {
            spelling.rstrip("/") + "/": kind
            for kind, folders in kinds
            for folder in folders
            for spelling in (os.path.realpath(folder), str(folder))
        }
        # The longest first: an environment may lie inside of a tree, and the other way round.
        self._prefixes = sorted(prefixes.items(), key=lambda item: -len(item[0]))
        self._known: dict[str, tuple[str, str, Owner | None]] = {}
        self._packages: Packages | None = None

    @property
    def packages(self) -> Packages:
        """What is installed; read when first asked for."""
        if self._packages is None:
            self._packages = Packages(self._sites)
        return self._packages

    def shorten(self, file: str) -> str:
        """Return the path relative to the tree, site-packages or Python's library it is in."""
        return self._look(file)[1]

    def shorten_in(self, text: str) -> str:
        """Return a text in which files of the tree and the environment are named shortly."""
        for prefix, _ in self._prefixes:
            text = text.replace(prefix, "") if len(prefix) > 1 else text
        return text

    def owner_of_file(self, file: str) -> Owner | None:
        """Return whose the file is; None for what is not a file, or is djhop's own."""
        return self._look(file)[2]

    def provides(self, module: str) -> bool:
        """Whether the project or an installed package has this top-level module."""
        if self.packages.has(module):
            return True
        folders = [Path(self.root, folder) for folder in self._import_roots]
        return any((f / module).is_dir() or (f / f"{module}.py").is_file() for f in folders)

    def _look(self, file: str) -> tuple[str, str, Owner | None]:
        found = self._known.get(file)
        if found is None:
            found = self._known[file] = self._place(file)
        return found

    def _place(self, file: str) -> tuple[str, str, Owner | None]:
        if not file or file.startswith("<"):
            return ("", file, None)
        if not file.startswith("/"):
            return ("root", file, PROJECT)
        for prefix, kind in self._prefixes:
            if file.startswith(prefix):
                short = file[len(prefix) :]
                return (kind, short, self._owner(kind, short))
        # Neither: an interpreter that was not named, or a path dependency outside of the tree.
        if "/site-packages/" in file or "/dist-packages/" in file:
            short = re.split(r"/(?:site|dist)-packages/", file)[-1]
            return ("site", short, self._owner("site", short))
        if match := _STDLIB.match(file):
            return ("stdlib", file[match.end() :], PYTHON)
        return ("", file, Owner("package", Path(file).parent.name))

    def _owner(self, kind: str, short: str) -> Owner | None:
        if kind == "site":
            top = short.partition("/")[0]
            return DJANGO if top == "django" else Owner("package", self.packages.of_file(short))
        return {"root": PROJECT, "stdlib": PYTHON}.get(kind)


class Packages:
    """Which distribution installed which file, by the RECORD of each."""

    def __init__(self, sites: tuple[str, ...]) -> None:
        #: Top-level name → distributions that install below it.
        self._tops: dict[str, list[tuple[str, Path]]] = {}
        self._exact: dict[str, dict[str, str]] = {}
        for site in sites:
            for info in _infos(Path(site)):
                for top in sorted({file.partition("/")[0] for file in _files(info)}):
                    module = top.partition(".")[0] if top.endswith((".py", ".so")) else top
                    self._tops.setdefault(module, []).append((_name(info), info))

    def has(self, module: str) -> bool:
        """Whether a distribution installs this top-level module."""
        return module in self._tops

    def of_file(self, short: str) -> str:
        """Name the distribution of a file, given relative to site-packages."""
        top = short.partition("/")[0].partition(".")[0]
        owners = self._tops.get(top, [])
        if len(owners) < 2:
            return owners[0][0] if owners else top
        if top not in self._exact:
            # A namespace shared by several: only the file itself tells.
            self._exact[top] = {file: name for name, info in owners for file in _files(info)}
        return self._exact[top].get(short, owners[0][0])


def _infos(site: Path) -> list[Path]:
    return sorted([*site.glob("*.dist-info"), *site.glob("*.egg-info")])


def _name(info: Path) -> str:
    match = _DIST_INFO.match(info.name)
    return canonicalize_name(match["name"] if match else info.stem)


def _files(info: Path) -> Iterator[str]:
    """Yield the paths that a distribution installed, relative to site-packages."""
    try:
        lines = (info / "RECORD").read_text("utf-8", "replace").splitlines()
    except OSError:
        try:
            names = (info / "top_level.txt").read_text("utf-8", "replace").split()
        except OSError:
            names = []
        lines = [f"{name}/__init__.py" for name in names]
    for line in lines:
        file = line.rsplit(",", 2)[0].strip('"')
        if not file.startswith(("..", "/", "__pycache__/")):
            yield file
