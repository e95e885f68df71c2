"""Which bundles go together, and what is missing, twice there or of something else; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from djhop.bundles.bundle import Bundle, identity
from djhop.bundles.opening import Opened
from djhop.bundles.planned import Planned
from djhop.errors import UsageError
from djhop.matrix.shard import Shard

#: Bundles that an error names.
_NAMED = 5


class Sorted(msgspec.Struct, frozen=True, kw_only=True):
    """The bundles of one run, by cell and part."""

    #: Cell → its parts, in order; one that is no part where the suite was not divided.
    cells: dict[str, tuple[Opened, ...]]
    #: Cell of the plan → why it cannot be judged.
    lost: dict[str, str]
    #: What a reader should know, in sentences.
    notes: tuple[str, ...] = ()


def sort(
    found: Sequence[Opened], damaged: Mapping[Path, str], planned: Planned | None = None
) -> Sorted:
    """Sort bundles; in which order they come makes no difference.

    Args:
        damaged: bundles that cannot be used, and why.
        planned: what was to be run, where that is known.

    Raises:
        UsageError: they are not of one project, revision, plan and matrix; the message says which.
    """
    _must_agree([one.bundle for one in found], [one.path.name for one in found], planned)
    notes = [f"the bundle {path.name} cannot be used: {why}" for path, why in damaged.items()]
    cells: dict[str, tuple[Opened, ...]] = {}
    lost: dict[str, str] = {}
    plan = planned.run.plan if planned else found[0].bundle.run.plan
    for cell in (cell.id for cell in plan.cells):
        mine = [one for one in found if one.bundle.cell == cell]
        kept, twice = _single(mine)
        notes += twice
        why = _conflict(mine, kept) or _missing(cell, kept, planned)
        if why:
            lost[cell] = why
        else:
            cells[cell] = tuple(kept)
    return Sorted(cells=cells, lost=lost, notes=tuple(sorted(notes)))


def _must_agree(bundles: Sequence[Bundle], names: Sequence[str], planned: Planned | None) -> None:
    """Raise unless all are of one thing."""
    kinds = [identity(bundle) for bundle in bundles]
    if planned:
        told = identity(planned.as_bundle)
        for kind, name in sorted(zip(kinds, names, strict=True), key=lambda pair: pair[1]):
            differs = [key for key in told if told[key] != kind[key] and "--" not in key]
            if differs:
                raise UsageError(
                    f"{name} is not of this plan: {_differing(differs, told, kind)}",
                    hint="merge the bundles of one night, of one commit",
                )
    for key in kinds[0] if kinds else ():
        values = sorted({kind[key] for kind in kinds})
        if len(values) > 1:
            groups = [_group(value, key, kinds, names) for value in values]
            raise UsageError(
                f"these bundles are not of one run, their {key} differs:\n" + "\n".join(groups),
                hint="merge the bundles of one night, of one commit",
            )


def _differing(keys: Sequence[str], told: Mapping[str, str], seen: Mapping[str, str]) -> str:
    return ", ".join(f"{key} ({told[key] or 'none'}, here {seen[key] or 'none'})" for key in keys)


def _group(value: str, key: str, kinds: Sequence[Mapping[str, str]], names: Sequence[str]) -> str:
    mine = sorted(name for kind, name in zip(kinds, names, strict=True) if kind[key] == value)
    more = f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
    return f"  {value or 'none'}: {', '.join(mine[:_NAMED])}{more}"


def _single(mine: Sequence[Opened]) -> tuple[list[Opened], list[str]]:
    """Each part once, in order, and what is said of those that are there twice."""
    kept: dict[bytes, Opened] = {}
    notes: list[str] = []
    for one in sorted(mine, key=lambda one: (_order(one), one.bundle.contents, str(one.path))):
        if one.bundle.contents in kept:
            first = kept[one.bundle.contents].path.name
            notes.append(f"{one.bundle.says}: the same bundle twice ({first}, {one.path.name})")
        kept.setdefault(one.bundle.contents, one)
    return list(kept.values()), notes


def _order(one: Opened) -> int:
    return one.bundle.shard.number if one.bundle.shard else 0


def _conflict(mine: Sequence[Opened], kept: Sequence[Opened]) -> str:
    """Say which of a cell's bundles contradict each other; "" where none do."""
    if len({one.bundle.shard.of if one.bundle.shard else 1 for one in kept}) > 1:
        names = ", ".join(sorted(f"{one.path.name} ({_part(one)})" for one in mine))
        return f"its bundles divide the suite differently: {names}"
    seen: dict[Shard | None, Opened] = {}
    for one in kept:
        if (other := seen.get(one.bundle.shard)) is not None:
            names = " and ".join(sorted((other.path.name, one.path.name)))
            return f"two bundles of {one.bundle.says} differ: {names}"
        seen[one.bundle.shard] = one
    return ""


def _part(one: Opened) -> str:
    return str(one.bundle.shard or "whole")


def _missing(cell: str, kept: Sequence[Opened], planned: Planned | None) -> str:
    """Say what of a cell there is no bundle of; "" where all is there."""
    of = planned.shards.get(cell, 1) if planned else 1
    shard = kept[0].bundle.shard if kept else None
    if planned and kept and (shard.of if shard else 1) != of:
        return f"its bundles are of {shard.of if shard else 1} parts, and the plan has {of}"
    if not kept:
        return "there is no bundle of it: its job did not get to its end, or was not given"
    there = {one.bundle.shard.number for one in kept if one.bundle.shard}
    gone = [f"{n}/{shard.of}" for n in range(1, shard.of + 1) if n not in there] if shard else []
    return f"there is no bundle of its part {', '.join(gone)}" if gone else ""
