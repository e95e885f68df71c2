"""What a cut attempt at a cell had seen is kept when the cell is done again."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from djhop import durable
from djhop.errors import InfraError

#: What tells of tests, and is masked as it is written. An XML file is masked when its run is over.
SEEN = ("events-*.jsonl", "log-*.txt", "stacks-*.txt")

#: What a cell is called whose attempt was cut short.
CUT = frozenset({"interrupted", "infra"})


def keep(folder: Path, name: str = "*") -> None:
    """Move what was seen in a cell's folder to `cut-1`, `cut-2` … in it, the run `name` alone.

    Whatever moment djhop is killed at, each file is in one of them.

    Raises:
        InfraError: it cannot be moved.
    """
    seen = sorted(path for kind in SEEN for path in folder.glob(kind.replace("*", name)))
    if not seen:
        return
    number = 1 + sum(1 for _ in folder.glob("cut-*"))
    aside = folder / f"cut-{number}"
    durable.make(aside)
    try:
        for path in seen:
            path.rename(aside / path.name)
    except OSError as error:
        raise InfraError(f"cannot move {path}: {error.strerror}") from error


class _Head(msgspec.Struct):
    status: str = ""


def _cut(result: Path) -> bool:
    """Whether an attempt came to no finding: one that did is done anew because somebody asked."""
    try:
        return msgspec.json.decode(result.read_bytes(), type=_Head).status in CUT
    except (OSError, ValueError, msgspec.MsgspecError):
        return True


def clear(folder: Path) -> None:
    """Leave of a cell's folder what attempts that were cut had seen, and nothing else.

    Raises:
        InfraError: the folder cannot be made, or what was seen cannot be moved.
    """
    durable.make(folder)
    if _cut(folder / "cell.json"):
        keep(folder)
    for path in folder.iterdir():
        if path.name.startswith("cut-"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
