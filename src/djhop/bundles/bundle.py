"""What a bundle says of itself: `bundle.json`, the first file in it."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath

import msgspec
from msgspec.json import encode

import djhop
from djhop.matrix.shard import Shard
from djhop.store.record import Run

#: 1: the first.
FORMAT = 1
#: The file that describes the others.
MANIFEST = "bundle.json"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a bundle."""

    size: int
    sha256: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """One cell, or one part of its suite, as a machine has run it."""

    format: int = FORMAT
    djhop: str = djhop.__version__
    cell: str
    #: The part of the suite; None for all of it.
    shard: Shard | None = None
    #: The run as it began, with the plan of the whole matrix: no cell and no hop is judged in it.
    run: Run
    #: Stands for the names and contents of the target's files.
    digest: str
    #: The commit that was checked out; "" where there is no repository.
    revision: str = ""
    #: What followed `--`.
    args: tuple[str, ...] = ()
    #: Seconds from the beginning of the run to its end.
    seconds: float = 0.0
    #: Files whose coverage was measured, relative to the target, and the digests of their contents.
    measured: dict[str, str] = {}
    files: dict[str, Entry] = {}
    #: Files of the cell that are too large, or no files; they are on the machine that ran it.
    left_out: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """What it is, in words: "py3.12-django5.2, part 2/5"."""
        return f"{self.cell}, part {self.shard}" if self.shard else self.cell

    @property
    def contents(self) -> bytes:
        """Stands for all that it holds, wherever and when it was packed."""
        return encode((self.cell, self.shard, dict(sorted(self.files.items()))))


def identity(bundle: Bundle) -> dict[str, str]:
    """What bundles of one run have in common, by what a person would call it.

    The folder that the target was in does not count, nor what was assumed on a machine.
    """
    run = bundle.run
    plan = msgspec.structs.replace(run.plan, notes=())
    root = encode(run.target.root)[1:-1]
    # A project that does not say its name is called as its folder, which is each machine's own.
    named = run.target.name != PurePath(run.target.root).name
    return {
        "project": run.target.name if named else "",
        "revision": bundle.revision,
        "files": bundle.digest,
        "version of djhop": bundle.djhop,
        "plan": _short(encode(plan)),
        "matrix": _short(encode(run.matrix).replace(root, b"")),
        "arguments after --": " ".join(bundle.args),
        "list of known flaky tests": _short(encode(run.known_flaky)),
    }


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
