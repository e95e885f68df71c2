"""Django's feature series as data: what supports what, and what is removed when.

The rows are in `data/django-releases.toml`; adding a series touches no Python.
"""

from __future__ import annotations

import datetime
import functools
import importlib.resources
import tomllib
from typing import Any

import msgspec
from packaging.version import Version

from djhop.errors import UsageError, did_you_mean

#: From this series on Django is CalVer (DEP 20): the series is the first component alone.
#: https://github.com/django/deps/blob/main/accepted/0020-calver.rst
FIRST_CALVER = 2028

#: uv makes environments, and the probe runs, on this Python and later.
OLDEST_PYTHON = (3, 6)


class Series(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Django feature release line, such as 4.2 or 2028."""

    version: str
    lts: bool = False
    #: Dates are ISO texts: a day ("2026-04-07"), or a month ("2028-04") where that is all we know.
    released: str = ""
    planned: str = ""
    mainstream_end: str = ""
    security_end: str = ""
    latest: str = ""
    yanked: tuple[str, ...] = ()
    #: Minor Python versions; "3.12@4.2.8" means: supported from Django 4.2.8 on.
    pythons: tuple[str, ...] = ()
    #: The DeprecationWarning class of this series: its subjects are gone in the very next series.
    next: str = ""
    #: The PendingDeprecationWarning class: its subjects live through the next series. They are gone
    #: in the one after that, or in an X.0 series yet one later; only `Releases.removed_in` knows.
    after_next: str = ""
    #: True where no Django code raises a DeprecationWarning at all (the X.1 series).
    quiet: bool = False

    @property
    def python_minors(self) -> tuple[str, ...]:
        """The supported minor Python versions ("3.12"), lowest first."""
        return tuple(sorted((p.partition("@")[0] for p in self.pythons), key=version_key))

    @property
    def runnable_pythons(self) -> tuple[str, ...]:
        """The supported Pythons that djhop can run a suite on, lowest first."""
        return tuple(p for p in self.python_minors if version_key(p) >= OLDEST_PYTHON)

    def security_ended(self, today: datetime.date) -> bool:
        """Whether security fixes ended before `today`; a mere month ends with its last day."""
        end = self.security_end
        return bool(end) and end < today.isoformat()[: len(end)]


class Releases(msgspec.Struct, frozen=True, kw_only=True):
    """Every series djhop knows, oldest first."""

    series: tuple[Series, ...]
    #: Django's warning classes, and the series that removes what each warns about.
    removals: dict[str, str]

    def get(self, version: str) -> Series:
        """Return the series named exactly `version`.

        Raises:
            UsageError: no such series; the hint names the closest ones.
        """
        for row in self.series:
            if row.version == version:
                return row
        names = [row.version for row in self.series]
        close = _series_or_empty(version)
        hint = f"did you mean {close!r}?" if close in names else did_you_mean(version, names)
        released = ", ".join(row.version for row in self.released())
        planned = ", ".join(row.version for row in self.series if row.planned)
        known = f"known: {released}; unreleased: {planned}" if planned else f"known: {released}"
        raise UsageError(f"unknown Django series {version!r}", hint=f"{hint} {known}".strip())

    def get_released(self, version: str) -> Series:
        """Return the series named exactly `version`, which has a final release.

        Raises:
            UsageError: no such series, or it is only planned; the message says for when.
        """
        row = self.get(version)
        if row.planned:
            raise UsageError(
                f"Django {version} is not released; it is planned for {row.planned}",
                hint=f"the newest released series is {self.newest().version}",
            )
        return row

    def known(self, version: str) -> bool:
        """Whether `version` names a series of the table."""
        return any(row.version == version for row in self.series)

    def released(self) -> tuple[Series, ...]:
        """The series that have a final release, oldest first."""
        return tuple(row for row in self.series if not row.planned)

    def newest(self) -> Series:
        """The newest released series."""
        return self.released()[-1]

    def pythons(self) -> tuple[str, ...]:
        """Every Python that a series names and djhop can run a suite on, lowest first."""
        every = {python for row in self.series for python in row.runnable_pythons}
        return tuple(sorted(every, key=version_key))

    def newest_lts(self) -> Series:
        """The newest released long-term support series."""
        return [row for row in self.released() if row.lts][-1]

    def between(self, start: str, goal: str) -> tuple[Series, ...]:
        """The series from `start` to `goal`, both included, planned ones too, oldest first."""
        low, high = version_key(start), version_key(goal)
        return tuple(row for row in self.series if low <= version_key(row.version) <= high)

    def supports(self, series: str, python: str) -> bool:
        """Whether the newest patch of `series` officially supports this Python minor."""
        return python in self.get(series).python_minors

    def removed_in(self, warning_class: str) -> str | None:
        """Name the series that removes what `warning_class` warns about, or None if not Django's.

        Read from the table's rows, never from the digits of the class: RemovedInDjango70Warning
        means series 2028.
        """
        return self.removals.get(warning_class)


def version_key(version: str) -> tuple[int, ...]:
    """Sort key of a series or a Python minor: "3.9" < "3.10", "6.2" < "2028"."""
    return Version(version).release


def series_of(version: str) -> str:
    """Return the series a Django version belongs to: "4.2.11" → "4.2", "2028.1" → "2028".

    Raises:
        UsageError: `version` is not a version.
    """
    try:
        release = Version(version).release
    except ValueError as error:
        raise UsageError(f"{version!r} is not a Django version") from error
    if release[0] >= FIRST_CALVER:
        return str(release[0])
    return ".".join(str(part) for part in (*release, 0)[:2])


def _series_or_empty(version: str) -> str:
    try:
        return series_of(version)
    except UsageError:
        return ""


@functools.cache
def load() -> Releases:
    """Read the table that ships with djhop."""
    path = importlib.resources.files("djhop").joinpath("data/django-releases.toml")
    return parse(tomllib.loads(path.read_text(encoding="utf-8")))


def parse(table: dict[str, Any]) -> Releases:
    """Turn a parsed table of releases into `Releases`, oldest series first."""
    rows = msgspec.convert(_dates_as_text(table["series"]), tuple[Series, ...])
    series = tuple(sorted(rows, key=lambda row: version_key(row.version)))
    return Releases(series=series, removals=table["removed_in"])


def _dates_as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {k: v.isoformat() if isinstance(v, datetime.date) else v for k, v in row.items()}
        for row in rows
    ]
