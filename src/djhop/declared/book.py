"""What there is to know of all releases of a path's locks, in as few uv processes as can be."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Collection, Mapping, Sequence

import msgspec

from djhop.declared import asking
from djhop.declared.asking import Site
from djhop.declared.reading import Release

#: uv processes at a time.
AT_ONCE = 4


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One lock, as far as this room asks about it."""

    #: Path of the interpreter, and its minor.
    interpreter: str
    python: str
    #: Package → version.
    pins: Mapping[str, str]
    #: The packages whose declarations are wanted.
    described: frozenset[str]


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Releases that are in use on a path, and the newest ones of those that are described."""

    releases: tuple[Release, ...] = ()
    newest: tuple[Release, ...] = ()

    def find(self, package: str, version: str) -> Release:
        """The release; with nothing known of it where the index or uv gave nothing."""
        for release in self.releases:
            if (release.package, release.version) == (package, version):
                return release
        return Release(package=package, version=version)

    def built(self, pins: Mapping[str, str], python: str) -> tuple[Release, ...]:
        """Of a lock, the releases without a wheel for this Python: they must be built."""
        known = (r for r in self.releases if pins.get(r.package) == r.version)
        return tuple(release for release in known if release.built_on(python))


def read(pages: Sequence[Page], site: Site) -> Book:
    """Ask uv for the files of every lock, the declarations that are wanted and newest releases.

    Never fails: what cannot be had is not known.
    """
    if not pages:
        return Book()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        names = sorted(frozenset().union(*(page.described for page in pages)))
        last = pages[-1].interpreter
        newest = pool.submit(asking.listed, names, last, site) if names else None
        lists = pool.map(lambda page: _files(page, site), pages)
        found: dict[tuple[str, str], Release] = {}
        for release in (release for releases in lists for release in releases):
            _add(found, release)
    for page in pages:
        found.update(asking.described(_wanted(page, found.values()), page.interpreter, site))
    return Book(
        releases=tuple(found[key] for key in sorted(found)),
        newest=newest.result() if newest else (),
    )


def _add(found: dict[tuple[str, str], Release], release: Release) -> None:
    """Note a release; each lock lists only the wheels for its own Python."""
    key = (release.package, release.version)
    wheels = found[key].wheels if key in found else ()
    both = tuple(dict.fromkeys((*wheels, *release.wheels)))
    found[key] = msgspec.structs.replace(release, wheels=both)


def _files(page: Page, site: Site) -> tuple[Release, ...]:
    lines = [f"{name}=={version}" for name, version in page.pins.items()]
    return asking.listed(lines, page.interpreter, site) if lines else ()


def _wanted(page: Page, releases: Collection[Release]) -> list[Release]:
    """The releases of a lock that are to be described, can be (by a wheel) and are not yet."""
    return [
        release
        for release in releases
        if release.package in page.described
        and release.series is None
        and page.pins.get(release.package) == release.version
        and not release.built_on(page.python)
    ]
