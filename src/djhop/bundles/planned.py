"""The plan of a night, made once and carried to every machine: `djhop plan --save FILE`."""

from __future__ import annotations

from collections.abc import Iterator
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


def shards(wanted: tuple[str, ...], plan: Plan) -> dict[str, int]:
    """Read "4", or "py3.12-*=4", each: into how many parts which cells are divided.

    Raises:
        UsageError: it is no such number, or its pattern matches no cell.
    """
    found: dict[str, int] = {}
    for pattern, number in numbers(wanted):
        cells = [cell.id for cell in plan.cells if patterns.matches(cell.id, [pattern])]
        if not cells:
            raise UsageError(f"--shards: {pattern!r} matches no cell", hint="djhop plan")
        found |= dict.fromkeys(cells, number)
    return {cell: of for cell, of in found.items() if of > 1}


def numbers(wanted: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Take each apart: which cells, and how many parts.

    Raises:
        UsageError: it is no such number.
    """
    for word in wanted:
        pattern, _, number = word.rpartition("=")
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST):
            raise UsageError(
                f"--shards: {word!r} is no number of parts", hint="4, or django5.2=4 for some cells"
            )
        yield pattern or "*", int(number)
