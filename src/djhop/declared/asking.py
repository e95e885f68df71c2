"""Asks uv for the files and the metadata of a lock's releases.

uv alone speaks with the index, so that mirrors, proxies and credentials are those of every other
command, and no secret passes through here. What cannot be had is not known; it stops nothing.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name

from djhop.declared import reading
from djhop.declared.reading import Release
from djhop.processes.process import Command, Completed

#: Seconds one uv process may take.
TIMEOUT = 120.0


class Runs(Protocol):
    """What is needed of `process.Spawner`."""

    def run(self, command: Command) -> Completed:
        """Run `command` to its end."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """Where and with what uv is run; `options` go to every command, such as --offline."""

    spawner: Runs
    uv: str
    env: Mapping[str, str]
    cwd: str
    #: For scratch folders.
    folder: Path
    options: tuple[str, ...] = ()


def listed(lines: Collection[str], interpreter: str, site: Site) -> tuple[Release, ...]:
    """The releases that `lines` name ("a==1", or "a" for its newest), with their files."""
    with tempfile.TemporaryDirectory(prefix=".files-", dir=site.folder) as scratch:
        asked, found = Path(scratch, "lock.in"), Path(scratch, "pylock.toml")
        asked.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        words = ("--no-deps", "--no-header", "--format", "pylock.toml", "-o", str(found))
        _run(("compile", *words, "--python", interpreter, *site.options, str(asked)), site)
        try:
            return reading.files(found.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError):
            return ()


def described(
    releases: Collection[Release], interpreter: str, site: Site
) -> dict[tuple[str, str], Release]:
    """(package, version) → release with its metadata, from its wheel; of each package one."""
    by_name = {release.package: release for release in releases}
    if not by_name:
        return {}
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=site.folder) as scratch:
        pins = (f"{release.package}=={release.version}" for release in by_name.values())
        words = ("--no-deps", "--only-binary", ":all:", "--target", scratch)
        _run(("install", *words, "--python", interpreter, *site.options, *pins), site)
        described: dict[tuple[str, str], Release] = {}
        for path in Path(scratch).glob("*.dist-info/METADATA"):
            name = canonicalize_name(path.parent.name.partition("-")[0])
            if release := by_name.get(name):
                text = path.read_text(encoding="utf-8", errors="replace")
                key = (name, release.version)
                described[key] = reading.with_metadata(release, text)
        return described


def _run(words: tuple[str, ...], site: Site) -> None:
    argv = (site.uv, "pip", words[0], "--color", "never", "--no-progress", *words[1:])
    site.spawner.run(Command(argv=argv, cwd=site.cwd, env=dict(site.env), timeout=TIMEOUT))
