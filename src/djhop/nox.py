"""The cells and hops of a matrix as nox sessions, for our noxfile and for any project's.

    import djhop.nox
    djhop.nox.register("matrices/nightly.toml")

Then `nox -l` lists every cell and every hop, and `nox -s "cell(py3.12-django5.2)"` runs one,
through the same code as `djhop run`. What follows `--` goes to the suite. docs/nox.md says more.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nox

from djhop import releases
from djhop.commands import running, setting_up
from djhop.errors import DjhopError, ExitCode, UsageError
from djhop.matrix import config, matrixfiles
from djhop.matrix import plan as planning
from djhop.matrix.plan import Plan
from djhop.processes.process import Spawner

#: Session names that are taken in this noxfile.
_taken: set[str] = set()


def register(matrix: str | Path, *, target: str = ".", prefix: str = "") -> None:
    """Define a session for each cell and each hop of `matrix`, a preset or a file.

    They are tagged with the name of the matrix, and "cells" or "hops"; none is run by default.

    Args:
        matrix: a path is relative to the noxfile's folder.
        target: the project that is run; "": what comes first after `--`, for any project. Then the
            matrix must say where its path starts, as no target is looked at to list sessions.
        prefix: comes before "cell" and "hop": for a second matrix in one noxfile.

    Raises:
        UsageError: the matrix is wrong or says no start, or a second one has the same prefix.
    """
    named = str(matrix)
    plan = _plan(named, target)
    tag = Path(named).stem
    names = {"cells": f"{prefix}cell", "hops": f"{prefix}hop"}
    if taken := _taken & {*names.values()}:
        raise UsageError(
            f"djhop.nox.register: there is a session {min(taken)!r} already",
            hint=f'register("{named}", prefix="{tag}-")',
        )
    _taken.update(names.values())
    cells = [cell.id for cell in plan.cells]
    hops = [hop.id for hop in plan.hops]

    @_session(names["cells"], [tag, "cells"])
    @nox.parametrize("cell", cells, ids=cells)
    def one_cell(session: nox.Session, cell: str) -> None:
        """Run one cell of the matrix; all cells share a report: djhop report."""
        _run(session, cell, target, lambda **given: running.cell(cell, matrix=named, **given))

    if hops:

        @_session(names["hops"], [tag, "hops"])
        @nox.parametrize("hop", hops, ids=hops)
        def one_hop(session: nox.Session, hop: str) -> None:
            """Run the two cells of one hop of the matrix, and judge it."""
            ends = tuple(hop.split(".."))
            _run(session, hop, target, lambda **given: running.cells(ends, matrix=named, **given))


def _session(name: str, tags: list[str]) -> Callable[[Any], Any]:
    given: dict[str, Any] = {"name": name, "tags": tags, "venv_backend": "none", "default": False}
    if "allow_parallel" in inspect.signature(nox.session).parameters:  # where `nox -j` is
        given["allow_parallel"] = True
    made: Callable[[Any], Any] = nox.session(**given)
    return made


def _plan(matrix: str, target: str) -> Plan:
    if target:
        given = {"target": target, "matrix": matrix, "cells": (), "command": "plan"}
        return setting_up.set_up(given, Spawner()).whole
    made = config.combine(matrixfiles.read(matrix))
    known = releases.load()
    every = frozenset(minor for row in known.series for minor in row.python_minors)
    return planning.make(made, known, current="", available=every)


def _run(session: nox.Session, what: str, target: str, run: Callable[..., int]) -> None:
    args = [str(arg) for arg in session.posargs]
    if not target and not args:
        session.error(f'name the target: nox -s "{session.name}" -- TARGET')
    given = target or args.pop(0)
    try:
        code = run(target=given, args=tuple(args))
    except DjhopError as error:
        session.error(f"{error} {error.hint}".strip())
    if code != ExitCode.OK:
        session.error(f"{what}: djhop ended with {code}; djhop report shows why")
