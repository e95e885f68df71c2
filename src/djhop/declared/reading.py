"""pylock.toml and METADATA → what a release is and declares; pure.

https://packaging.python.org/en/latest/specifications/pylock-toml/
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from __future__ import annotations

import email.parser
import tomllib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from packaging import tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

_FRAMEWORK = "Framework :: Django :: "

#: What a release says of a series. support: it names it. others: it names other series only. none:
#: it names no series. unknown: its metadata could not be read.
Says = Literal["support", "others", "none", "unknown"]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release of a package, as the index and its own metadata have it."""

    package: str
    version: str
    #: File names of its wheels.
    wheels: tuple[str, ...] = ()
    #: ISO day of the upload; empty where the index does not say.
    uploaded: str = ""
    #: The Django series it declares; None where its metadata is not known.
    series: tuple[str, ...] | None = None
    #: Its Requires-Python.
    requires_python: str = ""

    def says(self, series: str) -> Says:
        """What it declares of a Django series."""
        if self.series is None:
            return "unknown"
        if series in self.series:
            return "support"
        return "others" if self.series else "none"

    def built_on(self, python: str) -> bool:
        """Whether it has no wheel for this Python on this machine, so that it must be built."""
        return not any(_fits(name, python) for name in self.wheels)


def files(text: str) -> tuple[Release, ...]:
    """Read the releases of a pylock.toml; those from a URL or a path have no version, and none."""
    packages: list[dict[str, Any]] = tomllib.loads(text).get("packages", [])
    return tuple(_release(entry) for entry in packages if "version" in entry)


def _release(entry: dict[str, Any]) -> Release:
    wheels = entry.get("wheels", [])
    every = [*wheels, *([entry["sdist"]] if "sdist" in entry else [])]
    days = sorted(str(file["upload-time"])[:10] for file in every if "upload-time" in file)
    return Release(
        package=canonicalize_name(entry["name"]),
        version=entry["version"],
        wheels=tuple(_name(wheel) for wheel in wheels),
        uploaded=days[0] if days else "",
    )


def _name(file: dict[str, Any]) -> str:
    place = str(file.get("name") or file.get("url") or file.get("path") or "")
    return place.partition("#")[0].rpartition("/")[2]


def with_metadata(release: Release, metadata: str) -> Release:
    """Add what the METADATA of its wheel declares."""
    head = email.parser.HeaderParser().parsestr(metadata)
    lines: Iterable[str] = head.get_all("Classifier") or ()
    named = [line.removeprefix(_FRAMEWORK) for line in lines if line.startswith(_FRAMEWORK)]
    return msgspec.structs.replace(
        release,
        series=tuple(name for name in named if "." in name or len(name) == len("2028")),
        requires_python=head.get("Requires-Python") or "",
    )


def _fits(wheel: str, python: str) -> bool:
    try:
        own = parse_wheel_filename(wheel.replace("%2B", "+"))[3]
    except InvalidWheelFilename:
        return False
    return not own.isdisjoint(_tags(python))


_KNOWN: dict[str, frozenset[tags.Tag]] = {}


def _tags(python: str) -> frozenset[tags.Tag]:
    """What CPython `python` takes on this machine."""
    if python not in _KNOWN:
        major, _, minor = python.partition(".")
        version = (int(major), int(minor))
        abi = [f"cp{major}{minor}" + ("m" if version < (3, 8) else "")]
        own = tags.cpython_tags(version, abis=abi)
        common = tags.compatible_tags(version, interpreter=f"cp{major}{minor}")
        _KNOWN[python] = frozenset((*own, *common))
    return _KNOWN[python]
