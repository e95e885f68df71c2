"""The plan of a night, made once and carried to every machine: `djhop plan --save FILE`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

import djhop
from djhop import durable
from djhop.bundles.bundle import Bundle
from djhop.errors import UsageError
from djhop.matrix import patterns
from djhop.matrix.plan import Plan
from djhop.matrix.shard import MOST, Shard
from djhop.store.record import Run

#: 1: the first.
FORMAT = 1
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run: the plan, and what it was made of."""

    format: int = FORMAT
    djhop: str = djhop.__version__
    #: The run as each machine begins it.
    run: Run
    #: As in a bundle.
    digest: str
    revision: str = ""
    #: Cell → into how many parts its suite is divided, where it is.
    shards: dict[str, int] = {}

    def parts(self, cell: str) -> tuple[Shard | None, ...]:
        """The parts of a cell: one that is no part where its suite is not divided."""
        of = self.shards.get(cell, 1)
        return tuple(Shard(number=n, of=of) for n in range(1, of + 1)) if of > 1 else (None,)

    @property
    def as_bundle(self) -> Bundle:
        """A bundle of no cell, to compare others with."""
        return Bundle(cell="", run=self.run, digest=self.digest, revision=self.revision,
                      djhop=self.djhop)  # fmt: skip


def read(path: Path) -> Planned:
    """Read a plan back.

    Raises:
        UsageError: it is missing, damaged, or of a newer djhop; the message names it.
    """
    return durable.read(path, Planned, FORMAT)


def write(path: Path, planned: Planned) -> None:
    """Write a plan.

    Raises:
        InfraError: it cannot be written.
    """
    durable.make(path.absolute().parent)
    durable.write(path.absolute(), msgspec.json.format(durable.encode(planned), indent=2) + b"\n")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Into how many parts some cells are divided."""

    pattern: str
    #: As many, unless `seconds` says how long a part may take.
    number: int = 1
    seconds: float | None = None

    def of(self, took: float | None) -> int:
        """How many parts a cell has that took so many seconds; one where nobody knows."""
        if self.seconds is None:
            return self.number
        return min(max(math.ceil((took or 0.0) / self.seconds), 1), MOST)


def shards(
    wanted: tuple[str, ...], plan: Plan, took: Mapping[str, float] | None = None
) -> dict[str, int]:
    """Read "4", "py3.12-*=4" or "10m", each: into how many parts which cells are divided.

    Args:
        took: the seconds that cells took in an earlier run, by id.

    Raises:
        UsageError: it is no such number, or its pattern matches no cell.
    """
    found: dict[str, int] = {}
    for parts in asked(wanted):
        cells = [cell.id for cell in plan.cells if patterns.matches(cell.id, [parts.pattern])]
        if not cells:
            raise UsageError(f"--shards: {parts.pattern!r} matches no cell", hint="djhop plan")
        found |= {cell: parts.of((took or {}).get(cell)) for cell in cells}
    return {cell: of for cell, of in found.items() if of > 1}


def asked(wanted: tuple[str, ...]) -> Iterator[Parts]:
    """Take each apart: which cells, and how many parts or how long ones.

    Raises:
        UsageError: it is no such number.
    """
    for word in wanted:
        pattern, _, number = word.rpartition("=")
        pattern = pattern or "*"
        if found := re.fullmatch(r"([1-9][0-9]{0,4})([smh])", number):
            yield Parts(pattern=pattern, seconds=float(found[1]) * UNITS[found[2]])
        elif number.isascii() and number.isdigit() and 1 <= int(number[:5]) <= MOST:
            yield Parts(pattern=pattern, number=int(number[:5]))
        else:
            raise UsageError(
                f"--shards: {word!r} is no number of parts",
                hint="4, or django5.2=4 for some cells, or 10m for parts of about ten minutes",
            )
