"""`djhop hop --watch`: one hop, run again for whatever is saved."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from djhop import console, jobs, terminal
from djhop.commands.reporting import write_reports
from djhop.commands.setting_up import interruptible
from djhop.desk import watching
from djhop.errors import DjhopError, ExitCode, UsageError
from djhop.processes.process import Spawner
from djhop.reports import clean, reds
from djhop.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from djhop.runner import Session

#: Files named in a line.
NAMED = 4
#: What a hop that is watched cannot be asked for as well.
ELSE = {
    "as_json": "--json",
    "auto": "--auto",
    "dry_run": "--dry-run",
    "executor": "--executor",
    "install_only": "--install-only",
    "list_only": "--list",
    "peel": "--peel",
    "resume": "--resume",
}


def watch(args: tuple[str, ...], given: dict[str, Any], make: Callable[..., Session]) -> int:
    """Run a hop; then what failed in it, for whatever is saved; and when that passes, all of it.

    `make` makes a session of what was typed. It goes on until it is interrupted.
    """
    if named := [option for name, option in ELSE.items() if given.get(name)]:
        raise UsageError(f"--watch and {named[0]} exclude each other")
    watched, code = _Watch(args, given, make), int(ExitCode.OK)
    try:
        while True:
            code = watched.round()
            if code == ExitCode.INTERRUPTED:
                return code
            watched.wait()
    except KeyboardInterrupt:
        return code


class _Watch:
    def __init__(
        self, args: tuple[str, ...], given: dict[str, Any], make: Callable[..., Session]
    ) -> None:
        self._args, self._given, self._make = args, given, make
        #: What goes to the suite in the next round.
        self._next = args
        self._folder: Path | None = None
        self._seen: watching.Snapshot = {}
        self._session: Session

    def round(self) -> int:
        """Run what is due; where what had failed passes, run all of it."""
        part = self._next != self._args
        code = self._run()
        if part and code == ExitCode.OK and self._next == self._args:
            _say("what failed passes; all of it again")
            code = self._run()
        return code

    def wait(self) -> None:
        """Return when something was saved, and say what."""
        _say("waiting for a change (Ctrl-C ends)")
        root = Path(self._session.target.root)
        names = watching.wait(root, self._seen, self._names, time.sleep)
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        _say(f"changed: {', '.join(names[:NAMED])}{more}")

    def _names(self) -> tuple[str, ...]:
        session = self._session
        out = Path(session.options.out)
        return jobs.files(session.target, session.matrix, out, Spawner())

    def _run(self) -> int:
        try:
            self._session = session = self._make(self._given, self._next)
        except DjhopError as error:
            if not self._seen:
                raise
            _say(f"{error} {error.hint}".strip())  # half a file was saved; the next one mends it
            self._seen = watching.snapshot(Path(self._session.target.root), self._names())
            return ExitCode.USAGE
        if session.matrix.sandbox:
            sandbox.require(session.spawner)
        self._seen = watching.snapshot(Path(session.target.root), self._names())
        quiet, verbose = self._given["quiet"], self._given["verbose"]
        with interruptible(session.spawner):
            console.watch(session.events(), stream=sys.stderr, quiet=quiet, verbose=verbose)
        if session.spawner.interrupted:
            return ExitCode.INTERRUPTED
        finished = write_reports(session.folder)
        after = session.folder.read_cell(session.plan.cells[-1].id)
        color = terminal.color()
        terminal.show(reds.text(after, finished, width=terminal.width(), color=color))
        self._forget(session.folder.path)
        suite = session.target.suite
        assert suite is not None
        self._next = watching.narrowed(suite, self._args, after)
        return int(session.exit_code)

    def _forget(self, latest: Path) -> None:
        """Of the runs of a watch only the last is kept."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = latest


def _say(text: str) -> None:
    console.said(clean.page(text), sys.stderr)
