"""A bundle as it came from elsewhere: nothing in it is trusted before it is checked."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from pathlib import Path

import msgspec

from djhop import durable
from djhop.bundles.bundle import FORMAT, MANIFEST, Bundle, Entry
from djhop.bundles.packing import ALL, FILES, NAME, ONE
from djhop.errors import DjhopError
from djhop.results.results import CellResult
from djhop.store.store import CELL_ID

#: Bytes of `bundle.json` at most.
_HEAD = 32 << 20


class DamagedError(Exception):
    """A bundle cannot be used; the message says why."""


class _Format(msgspec.Struct):
    format: int


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that has been checked, and where its files lie now."""

    path: Path
    bundle: Bundle
    folder: Path
    result: CellResult


def unpack(path: Path, into: Path) -> Opened:
    """Check a bundle and write its files below `into`, a folder of its own that is made here.

    Only the files that `bundle.json` names are taken, under plain names, with the sizes and digests
    that it says. No link, no folder and no path out of the bundle is followed.

    Raises:
        DamagedError: it cannot be read, or is not what it says.
        InfraError: the files cannot be written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            heads = _heads(archive)
            bundle = _manifest(archive, heads)
            _check(bundle, heads)
            for name, entry in bundle.files.items():
                _write(archive, heads[name], entry, into / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise DamagedError(f"it cannot be read ({error})") from error
    except (RuntimeError, ValueError) as error:  # encrypted, or a head that contradicts itself
        raise DamagedError(f"it cannot be read ({error})") from error
    return Opened(path=path, bundle=bundle, folder=into, result=_result(bundle, into))


def _heads(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > FILES:
        raise DamagedError(f"it holds more than {FILES:,} files")
    if sum(info.file_size for info in infos) > ALL:
        raise DamagedError(f"it holds more than {ALL >> 20} MiB")
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not NAME.fullmatch(info.filename) or info.filename != info.orig_filename:
            raise DamagedError(f"it holds a file with a name that no bundle has: {info.filename!r}")
        if kind not in (0, stat.S_IFREG) or info.flag_bits & 1 or info.file_size > ONE:
            raise DamagedError(f"it holds a link, or what is no plain file: {info.filename!r}")
    heads = {info.filename: info for info in infos}
    if len(heads) != len(infos):
        raise DamagedError("it holds two files of one name")
    return heads


def _manifest(archive: zipfile.ZipFile, heads: dict[str, zipfile.ZipInfo]) -> Bundle:
    if MANIFEST not in heads:
        raise DamagedError(f"it is no bundle of djhop: there is no {MANIFEST} in it")
    with archive.open(heads[MANIFEST]) as file:
        data = file.read(_HEAD + 1)
    if len(data) > _HEAD:
        raise DamagedError(f"its {MANIFEST} is too large")
    try:
        if (found := msgspec.json.decode(data, type=_Format).format) > FORMAT:
            raise DamagedError(f"it was written by a newer djhop (format {found})")
        return msgspec.json.decode(data, type=Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"its {MANIFEST} is damaged ({error})") from error


def _check(bundle: Bundle, heads: dict[str, zipfile.ZipInfo]) -> None:
    if bundle.files.keys() | {MANIFEST} != heads.keys():
        raise DamagedError("files are missing from it, or were added to it")
    planned = {cell.id for cell in bundle.run.plan.cells}
    if not all(map(CELL_ID.fullmatch, planned)) or bundle.cell not in planned:
        raise DamagedError(f"its plan has no cell {bundle.cell!r}")
    shard = bundle.shard
    if shard and not 1 <= shard.number <= shard.of:
        raise DamagedError(f"there is no part {shard} of a suite")


def _write(archive: zipfile.ZipFile, head: zipfile.ZipInfo, entry: Entry, path: Path) -> None:
    """Write one file, no more of it than was said, and hold it against its digest."""
    found, size = hashlib.sha256(), 0
    durable.make(path.parent)
    with archive.open(head) as source, path.open("wb") as target:
        while block := source.read(1 << 20):
            size += len(block)
            if size > min(entry.size, ONE):
                raise DamagedError(f"{head.filename} is larger than it says")
            found.update(block)
            target.write(block)
    if size != entry.size or found.hexdigest() != entry.sha256:
        raise DamagedError(f"{head.filename} is not what was packed")


def _result(bundle: Bundle, folder: Path) -> CellResult:
    from djhop.results import results

    try:
        found = durable.read(folder / "cell.json", CellResult, results.FORMAT)
    except DjhopError as error:
        raise DamagedError(str(error).replace(f"{folder}/", "")) from error
    if found.id != bundle.cell:
        raise DamagedError(f"its cell is {found.id!r}, not {bundle.cell!r}")
    part = found.part
    shard = bundle.shard
    if part and (shard is None or (part.number, part.of) != (shard.number, shard.of)):
        raise DamagedError("its cell is another part of the suite than it says")
    return found
