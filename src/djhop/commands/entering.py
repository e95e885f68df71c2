"""`djhop shell`, `djhop exec`, `djhop open`: a cell, or a report, for a person to look at."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from djhop import console, locate, terminal
from djhop.commands.reporting import write_reports
from djhop.errors import ExitCode, UsageError
from djhop.processes.process import Spawner
from djhop.sandbox import sandbox

if TYPE_CHECKING:
    from djhop.matrix.plan import Cell
    from djhop.store.store import RunFolder


def shell(cell: str, run: str, out: str, target: str, *, offline: bool) -> int:
    """`djhop shell`: the user's shell in a cell."""
    from djhop import entering

    argv = entering.shell((os.environ.get("SHELL", ""),))
    return _enter(cell, argv, run=run, out=out, target=target, offline=offline, greet=True)


def execute(
    cell: str, args: tuple[str, ...], run: str, out: str, target: str, *, offline: bool
) -> int:
    """`djhop exec`: one command in a cell; its exit code."""
    if not args:
        raise UsageError(
            "no command: it follows --", hint=f"djhop exec {cell} -- python -m pip list"
        )
    return _enter(cell, args, run=run, out=out, target=target, offline=offline, greet=False)


def _enter(
    word: str,
    argv: tuple[str, ...],
    *,
    run: str,
    out: str,
    target: str,
    offline: bool,
    greet: bool,
) -> int:
    from djhop import again, entering

    folder, cell = _cell(word, run, Path(out))
    spawner = Spawner(registry=locate.cache() / "running")
    look = again.look(folder, target, (), spawner, offline=offline, unchanged=False)
    if look.matrix.sandbox:
        sandbox.require(spawner)
    with entering.entered(look, cell) as entered:
        if greet:
            where = entered.stand.room.workspace
            console.say(f"{cell.id}, as its suite has it, in {where}", sys.stderr)
            console.say("a copy: nothing that is changed in it is kept; exit leaves it", sys.stderr)
        return entered.run(argv)


def _cell(word: str, run: str, out: Path) -> tuple[RunFolder, Cell]:
    """The cell that a word means, in the run that is named.

    Where the latest run has not come to it, as another djhop is at work on it, it is that of the
    newest run of the same project that has.

    Raises:
        UsageError: the run has no such cell, or nothing is known of it.
    """
    from djhop import entering
    from djhop.store import store

    folder = store.find(run, out)
    wanted = folder.read_run()
    cell = entering.choose(word, wanted.plan)
    others = reversed(store.runs(folder.path.parent)) if run == store.LATEST else ()
    for one in (folder, *others):
        seen = wanted if one is folder else one.read_run()
        if one.cell(cell.id).result.is_file() and seen.target.root == wanted.target.root:
            if one is not folder:
                console.say(f"{cell.id} as in {one.name}: not yet in {folder.name}", sys.stderr)
            return one, cell
    raise UsageError(
        f"nothing is known of {cell.id} in {folder.name}",
        hint="it goes on, or was cut short: --run names another run",
    )


def show(run: str, out: str) -> int:
    """`djhop open`: the HTML report in a browser; where there is none, its path."""
    from djhop.store import store

    folder = store.find(run, Path(out))
    page = folder.path / "report.html"
    if not page.is_file():
        write_reports(folder)
    terminal.show(str(page))
    if not os.environ.get("CI") and not _shown(page):
        console.say("there is no browser here: open that file in one", sys.stderr)
    return ExitCode.OK


def _shown(page: Path) -> bool:
    try:
        return webbrowser.open(page.as_uri())
    except webbrowser.Error:
        return False
