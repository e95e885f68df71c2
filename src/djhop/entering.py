"""A cell of a run, entered by a person: its packages, a fresh copy of the target, its variables."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from djhop import durable, jobs
from djhop.again import Again
from djhop.cells import cells
from djhop.environments.inside import Inside
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, UsageError
from djhop.matrix.plan import Cell, Plan
from djhop.processes.process import Command
from djhop.suites.suites import Stand


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that somebody is in."""

    stand: Stand
    inside: Inside

    def run(self, argv: tuple[str, ...]) -> int:
        """Run a command with the terminal, where the suite is run; return its status.

        Raises:
            UsageError: there is no such program.
        """
        stand = self.stand
        path = os.pathsep.join((stand.env["PYTHONPATH"], *stand.overlay))
        command = Command(
            argv=argv,
            cwd=str(Path(stand.room.workspace, stand.working_directory)),
            env={**stand.env, "PYTHONPATH": path},
        )
        return self.inside.foreground(command)


def choose(word: str, plan: Plan) -> Cell:
    """Return the cell that a word means: its id, how that begins, or a factor that no other has.

    Raises:
        UsageError: it means none, or several; the hint names them.
    """
    known = plan.cells
    found = [cell for cell in known if word == cell.id]
    found = found or [cell for cell in known if word and cell.id.startswith(word)]
    found = found or [cell for cell in known if word in cell.factors]
    if len(found) == 1:
        return found[0]
    named = ", ".join(cell.id for cell in found or known)
    if found:
        raise UsageError(f"{word!r} may be {len(found)} cells", hint=named)
    raise UsageError(f"no cell {word!r} in this run", hint=f"its cells: {named}")


@contextlib.contextmanager
def entered(look: Again, cell: Cell) -> Iterator[Entered]:
    """Have a cell of a run again, services and all; logs are in the run's folder.

    Raises:
        UsageError: the run has no lock of the cell.
        InfraError: it cannot be had.
    """
    folder = look.folder.path / "rooms" / cell.id
    durable.make(folder)
    root = Path(look.target.root)
    services = look.services(folder)
    with contextlib.ExitStack() as stack:
        stack.callback(services.stop)
        job = look.job(cell, root, folder)
        if look.matrix.service:
            job = jobs.equipped(job, services)
        room = cells.entered(job, look.spawner, folder)
        try:
            place, inside = stack.enter_context(room)
        except CannotInstall as error:
            raise InfraError(f"{cell.id} cannot be installed: {error}") from error
        yield Entered(stand=place.stand, inside=inside)


def shell(environ: Sequence[str]) -> tuple[str, ...]:
    """The first of these that is an executable file, else the one that every system has."""
    for named in environ:
        if named and os.access(named, os.X_OK):
            return (named,)
    return ("/bin/sh",)
