"""The cells of a matrix as nox sessions, for our noxfile and for any project's.

    import djhop.nox
    djhop.nox.register("supported")

Then `nox -l` lists every cell, and `nox -s "cell(py3.12-django5.2)" -- TARGET` runs one, through
the same code as `djhop run`. With `nox -j` cells run side by side. All cells of one target land in
one run folder, `reports/nox-<target>`: `djhop report` shows the matrix as far as it has been run.
"""

from __future__ import annotations

from pathlib import Path

import nox

from djhop import releases
from djhop.commands import running
from djhop.errors import DjhopError, ExitCode
from djhop.matrix import config, matrixfiles
from djhop.matrix import plan as planning
from djhop.matrix.plan import Plan


def register(matrix: str | Path = "supported", *, target: str = "") -> None:
    """Define a session for each cell of `matrix` (a preset or a file), and one that reports.

    `target` is the project that is run where `--` names none. The matrix must say where its path
    starts (`from` or a list of `steps`), because no target is looked at when sessions are listed.

    Raises:
        UsageError: the matrix is wrong or says no start.
    """
    named = str(matrix)
    cells = [cell.id for cell in _plan(named).cells]

    @nox.session(venv_backend="none", allow_parallel=True, default=False, tags=["cells"])
    @nox.parametrize("cell", cells, ids=cells)
    def cell(session: nox.Session, cell: str) -> None:
        """Run one cell of the matrix on the TARGET named after `--`."""
        _run(session, named, cell, target)


def _plan(matrix: str) -> Plan:
    made = config.combine(matrixfiles.read(matrix))
    known = releases.load()
    every = frozenset(minor for row in known.series for minor in row.python_minors)
    return planning.make(made, known, current="", available=every)


def _run(session: nox.Session, matrix: str, cell: str, target: str) -> None:
    posargs = [str(arg) for arg in session.posargs]
    given, args = (posargs[0], posargs[1:]) if posargs else (target, [])
    if not given:
        session.error('name the target: nox -s "cell(…)" -- TARGET')
    try:
        code = running.cell(cell=cell, matrix=matrix, target=given, args=tuple(args))
    except DjhopError as error:
        session.error(f"{error} {error.hint}".strip())
    if code != ExitCode.OK:
        session.error(f"{cell}: djhop ended with {code}; djhop report shows why")
