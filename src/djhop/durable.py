"""Files that outlive a process: written aside and renamed; errors of reading name the file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from djhop.errors import InfraError, UsageError

T = TypeVar("T")

#: What reading a file of ours raises where it is gone or damaged.
UNREADABLE = (OSError, ValueError, RecursionError, msgspec.MsgspecError)


def read(path: Path, kind: type[T], newest: int) -> T:
    """Read a JSON file of ours; keys that this djhop does not know are passed over.

    Raises:
        UsageError: it is missing, damaged, or of a format above `newest`; the message names it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    try:
        found = msgspec.json.decode(data, type=_Head).format
        if found > newest:
            raise UsageError(
                f"{path} was written by a newer djhop (format {found}; this one reads {newest})",
                hint="python -m pip install --upgrade djhop",
            )
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(path, _where(error, data)) from error


def damaged(path: Path, why: str) -> UsageError:
    """Make the error for a file of ours that does not hold what it should."""
    return UsageError(f"{path} is damaged: {why}", hint="run again, or delete that run's folder")


def _where(error: Exception, data: bytes) -> str:
    """What is wrong, and at which byte or key; msgspec does not say where a file is cut."""
    if "truncated" in str(error):
        return f"it ends too early, at byte {len(data)}"
    return str(error)


class _Head(msgspec.Struct):
    format: int


def write(path: Path, data: bytes) -> None:
    """Write a file aside and rename it into place, so that nobody ever reads half of it.

    Raises:
        InfraError: the disk is full, or the folder may not be written.
    """
    write_all(path, (data,))


def write_all(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file as `write` does, piece by piece as they are made.

    Raises:
        InfraError: the disk is full, or the folder may not be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        with aside.open("wb") as file:
            file.writelines(pieces)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InfraError(f"cannot write {path}: {error.strerror}") from error
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def make(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        InfraError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfraError(f"cannot make {folder}: {error.strerror}") from error


def encode(value: object) -> bytes:
    """Return `value` as JSON; lone surrogates, which JSON cannot hold, are spelled out."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_spelled(msgspec.to_builtins(value)))


def _spelled(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_spelled(key): _spelled(item) for key, item in value.items()}
        case list() | tuple():
            return [_spelled(item) for item in value]
    return value
