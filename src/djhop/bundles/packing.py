"""A cell of a run → a bundle: one zip file with all that its machine has seen."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from djhop import durable
from djhop.bundles.bundle import MANIFEST, Bundle, Entry, of_file
from djhop.errors import InfraError
from djhop.results import measure

#: Files that a bundle may hold, by name.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,4}")
#: Bytes of one file, of all, and how many they are at most.
ONE, ALL, FILES = 256 << 20, 1 << 30, 2000
#: What a log may have at most to be packed.
_LOG = 32 << 20
#: What is made anew of other files, or of no use elsewhere.
_LEFT = ("coverage-", "databases/", "probe-")


def pack(path: Path, bundle: Bundle, folder: Path) -> Bundle:
    """Write the files of a cell's `folder` to the bundle at `path`; return what it says.

    Raises:
        InfraError: it cannot be written.
    """
    kept, left_out = _chosen(folder)
    entries = {name: Entry(size=file.stat().st_size, sha256=of_file(file)) for name, file in kept}
    root = bundle.run.target.root
    bundle = msgspec.structs.replace(
        bundle,
        files=entries,
        left_out=left_out,
        measured=dict(_measured(folder / "coverage", Path(root))),
    )
    durable.make(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_head(MANIFEST), durable.encode(bundle))
            for name, file in kept:
                with file.open("rb") as source, archive.open(_head(name), "w") as target:
                    while block := source.read(1 << 20):
                        target.write(block)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InfraError(f"cannot write the bundle {path}: {error.strerror}") from error
    return bundle


def _head(name: str) -> zipfile.ZipInfo:
    """A file of an archive whose bytes do not depend on when it was packed."""
    head = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    head.compress_type = zipfile.ZIP_DEFLATED
    head.external_attr = (stat.S_IFREG | 0o644) << 16
    return head


def _chosen(folder: Path) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    """The files of a cell that go into its bundle, and the names of those that do not."""
    kept: list[tuple[str, Path]] = []
    left_out: list[str] = []
    room = ALL
    for file in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name = file.relative_to(folder).as_posix()
        if name.startswith(_LEFT):
            continue
        size = file.lstat().st_size
        most = min(room, ONE if name in ("cell.json", "coverage") else _LOG)
        whole = file.is_file() and not file.is_symlink() and size <= most
        if whole and NAME.fullmatch(name) and len(kept) < FILES - 1:
            kept.append((name, file))
            room -= size
        else:
            left_out.append(name)
    return kept, tuple(left_out[:100])


def _measured(data: Path, root: Path) -> Iterator[tuple[str, str]]:
    for name in sorted(measure.executed(data)):
        path = Path(name)
        if path.is_relative_to(root) and path.is_file():
            yield path.relative_to(root).as_posix(), of_file(path)
