"""Results of cells whose suite never ran: no interpreter, no lock, or djhop was stopped."""

from __future__ import annotations

import msgspec

from djhop.interpreters import interpreters, python_places
from djhop.matrix.plan import Cell
from djhop.resolve.locks import Unresolvable
from djhop.results.results import CellResult, Status

#: As many lines of a failed build go into the result.
BUILD_LINES = 6


def without(cell: Cell, status: Status, *, reason: str, hint: str = "") -> CellResult:
    """The result of a cell whose suite never ran."""
    return CellResult(
        id=cell.id,
        django=cell.django,
        python=cell.python,
        status=status,
        reason=reason,
        hint=hint,
    )


def no_python(cell: Cell) -> CellResult:
    """The result of a cell whose interpreter is not there."""
    hint = interpreters.how_to_get(
        cell.python,
        uv_can_download=interpreters.uv_can_download(cell.python),
        system=python_places.this_system(),
    )
    return without(cell, "no-python", reason=f"no Python {cell.python} on this machine", hint=hint)


def unresolvable(cell: Cell, found: Unresolvable) -> CellResult:
    """The result of a cell for which there is no set of packages."""
    status: Status = "uninstallable" if found.kind == "build" else "unresolvable"
    reason = found.reason
    if found.kind == "build":
        said = (line for line in found.text.splitlines() if line.strip(" ^~"))
        printed = list(said)[-BUILD_LINES:]
        reason = "\n".join(
            (f"{reason}: {printed[-1].strip()}", *printed, f"all of it: {found.log}")
        )
    result = without(cell, status, reason=reason, hint=f"uv's own words: {found.log}")
    return msgspec.structs.replace(result, blockers=found.blockers)
