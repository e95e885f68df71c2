"""A Python and its packages, the ends of a bisect, and what lies between them; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from packaging.version import Version

from djhop.releases import series_of
from djhop.resolve.moves import moves
from djhop.resolve.request import is_version

#: The axes, likeliest first.
AXES = ("django", "packages", "python")
#: Packages that are named one by one.
FEW = 3


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One set of packages on one Python; not each can be installed."""

    python: str
    #: Canonical name → version, or URL; Django among them.
    packages: dict[str, str]

    @property
    def django(self) -> str:
        """The release of Django: "5.0.3"."""
        return self.packages["django"]

    @property
    def key(self) -> str:
        """The same for equal points."""
        return " ".join((self.python, *(f"{n}=={v}" for n, v in sorted(self.packages.items()))))


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """A point that is good, and one that is bad."""

    good: Point
    bad: Point

    @property
    def axes(self) -> tuple[str, ...]:
        """On which axes they differ."""
        differ = {
            "django": self.good.django != self.bad.django,
            "packages": bool(self.moved),
            "python": self.good.python != self.bad.python,
        }
        return tuple(axis for axis in AXES if differ[axis])

    @property
    def moved(self) -> tuple[str, ...]:
        """Packages that differ, Django aside, by name."""
        good, bad = self.good.packages, self.bad.packages
        names = sorted((good.keys() | bad.keys()) - {"django"})
        return tuple(name for name in names if good.get(name) != bad.get(name))

    def label(self, point: Point) -> str:
        """A point in words: "Python 3.10, Django 5.0.3, pytz 2024.1"."""
        words = [f"Python {point.python}", f"Django {point.django}"]
        others = [name for name in self.moved if not self._stays(point, name)]
        if len(others) <= FEW:
            words += [f"{name} {point.packages.get(name, 'left out')}" for name in others]
        elif all(point.packages.get(name) == self.bad.packages.get(name) for name in self.moved):
            words.append("the other packages as after the hop")
        else:
            words.append(f"{len(others)} other packages moved")
        return ", ".join(words)

    def _stays(self, point: Point, name: str) -> bool:
        return point.packages.get(name) == self.good.packages.get(name)

    def names(self, axis: str) -> tuple[str, ...]:
        """What moves on an axis: packages by name, "python"."""
        return self.moved if axis == "packages" else (axis,)

    def mixed(self, changes: Collection[str]) -> Point:
        """The good end with these changes: "python", or packages by name."""
        packages = dict(self.good.packages)
        for name in {*changes} - {"python"}:
            if name in self.bad.packages:
                packages[name] = self.bad.packages[name]
            else:
                packages.pop(name, None)
        python = (self.bad if "python" in changes else self.good).python
        return Point(python=python, packages=packages)

    def swapped(self, axes: Collection[str]) -> Point:
        """The good end with everything that moves on these axes."""
        return self.mixed([name for axis in axes for name in self.names(axis)])


def with_version(point: Point, name: str, version: str) -> Point:
    """The point with another release of one package."""
    return msgspec.structs.replace(point, packages={**point.packages, name: version})


def ascending(versions: Collection[str]) -> list[str]:
    """Versions in order, each once; what is no version is left out."""
    return sorted({v for v in versions if is_version(v)}, key=Version)


def along(good: Mapping[str, str], bad: Mapping[str, str], subject: Collection[str]) -> list[str]:
    """What differs between two locks beside the subject: "asgiref 3.6.0 → 3.8.1"."""
    return [
        f"{move.package} {move.before or 'none'} → {move.after or 'none'}"
        for move in moves(dict(good), dict(bad), {})
        if move.package not in subject
    ]


def link(kind: str, name: str, version: str) -> str:
    """Where a release is described; "" where nobody knows."""
    if kind == "django":
        series = series_of(version)
        parts = Version(version).release
        page = series if not any(parts[len(series.split(".")) :]) else version
        return f"https://docs.djangoproject.com/en/stable/releases/{page}/"
    if kind == "python":
        return f"https://docs.python.org/3/whatsnew/{version}.html"
    return f"https://pypi.org/project/{name}/{version}/" if is_version(version) else ""
