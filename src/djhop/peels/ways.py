"""A cause → the ways of taking it away, in the order of trying; pure but for reading files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec

from djhop.fixes import sources
from djhop.knowledge import table
from djhop.knowledge.explain import Known
from djhop.peels import leaving
from djhop.peels.layers import How, Sight
from djhop.peels.leaving import Site
from djhop.suites.taken import ShimKind, ShimSpec, Taken


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way of taking a cause away."""

    how: How
    #: In words, as far as it is known before it is done.
    what: str = ""
    #: The fixer of django-upgrade that rewrites `files`.
    fixer: str = ""
    #: Files that the fixer is given, or that are emptied.
    files: tuple[str, ...] = ()
    #: What the probe puts back, or leaves out.
    taken: Taken = Taken()


def of(sight: Sight, site: Site, tree: Path, *, probe: bool) -> Iterator[Way]:
    """Yield the ways: a fixer for the project's code, a shim, leaving out what cannot load.

    Args:
        tree: the scratch copy.
        probe: whether the probe is in the suite: a command of the target's own has none.
    """
    found = sight.seen.known
    files: tuple[str, ...] = ()
    if found and found.fixer and sight.seen.owner.kind == "project":
        files = sources.of(sight.failures, sight.seen.modules, root=tree, files=site.files)
    if found and files:
        yield Way(how="fixer", fixer=found.fixer, files=files)
    if found and probe and (spec := shim(found)):
        yield Way(how="shim", what=_said(spec), taken=Taken(shims=(spec,)))
    for left in leaving.of(sight, site):
        if probe or left.files:
            yield Way(how="left-out", what=left.what, files=left.files, taken=left.taken)


def shim(known: Known) -> ShimSpec | None:
    """How something removed is put back, where the table says so."""
    for row in table.load():
        if row.id == known.id and row.shim is not None and row.kind in _PUT_BACK:
            return ShimSpec(
                kind=_PUT_BACK[row.kind],
                paths=row.paths,
                alias=row.shim.alias,
                argument=row.argument if row.shim.drop else "",
                default=row.shim.default,
            )
    return None


_PUT_BACK: dict[str, ShimKind] = {one: one for one in get_args(ShimKind)}


def _said(spec: ShimSpec) -> str:
    path = spec.paths[0]
    if spec.kind == "argument":
        return f"the argument {spec.argument} of {path} is dropped"
    if spec.kind == "setting":
        return f"the setting {path} is {spec.default!r}"
    return f"{path} is {spec.alias}"
