"""A command of the target's own, of which only the files that it writes are known; pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from djhop.processes.process import Command
from djhop.suites.suites import STRICT, Mode, PassFiles, Stand
from djhop.target.target import Suite


def pass_command(
    suite: Suite, stand: Stand, *, mode: Mode, files: PassFiles, args: Sequence[str] = ()
) -> Command:
    """Return the process of one pass: the command as it is, with `args` after it.

    Strictly every Python that it starts is strict as a whole (PYTHONWARNINGS), unless the command
    sees to it that it is not.
    """
    strict = {"PYTHONWARNINGS": STRICT} if mode == "strict" else {}
    return Command(
        argv=(*suite.argv, *args),
        cwd=str(PurePath(stand.room.workspace, stand.working_directory)),
        env={**stand.env, **strict},
        timeout=stand.timeout,
        log=files.log,
    )
