"""The command of one step, and what it is told; pure, but for a look at manage.py."""

from __future__ import annotations

import re
import secrets
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

import msgspec

from djhop import masking
from djhop.processes.process import Command
from djhop.results.steps import ProcessName
from djhop.suites.suites import Stand
from djhop.target import pytest_config
from djhop.target.suite_commands import option
from djhop.target.suites import Suite

VARIABLE = "DJANGO_SETTINGS_MODULE"
#: own: dropped in the end; keep: not; copy: kept, and made from that of the other side.
Life: TypeAlias = Literal["own", "keep", "copy"]
_HANDS_OVER = re.compile(r"execute_from_command_line|ManagementUtility")


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Where the servers are that this run has started: a step may make databases there."""

    ports: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


class StepConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a step reads, as JSON, from the file that DJHOP_STEPS names."""

    step: ProcessName
    result: str
    root: str
    #: Where its SQLite files are.
    folder: str
    #: Where those of the other side of a hop are; "" for none.
    other: str = ""
    #: A fixture or an SQL dump; "" for none.
    data: str = ""
    expect_django: str
    #: The script that enters Django, relative to the working directory; "" for none.
    manage: str = ""
    overlay: tuple[str, ...] = ()
    isolate: bool = True
    #: Name of databases that it makes on a server; no other cell or run has it.
    database: str = ""
    other_database: str = ""
    life: Life = "own"
    service_ports: tuple[str, ...] = ()
    service_folders: tuple[str, ...] = ()
    secrets: dict[str, tuple[tuple[int, int], ...]] = {}


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """What a step leaves in the cell's folder; absolute paths."""

    config: str
    result: str
    log: str
    #: A folder for SQLite files; that of the step "database" is kept.
    databases: str
    #: Another one, of the other side of a hop.
    other: str = ""
    #: Rows of the project's own.
    data: str = ""
    #: Names of databases on a server, each begins with it: this side's and the other one's; "" for
    #: one that nobody else knows.
    database: str = ""
    other_database: str = ""
    life: Life = "own"

    @classmethod
    def in_folder(cls, folder: Path, step: ProcessName) -> Files:
        """Return the usual names."""
        return cls(
            config=str(folder / f"step-{step}-config.json"),
            result=str(folder / f"step-{step}.json"),
            log=str(folder / f"log-{step}.txt"),
            databases=str(folder / ("databases" if step == "database" else f"databases-{step}")),
        )


def fresh_name(stand: Stand) -> str:
    """Return a name for databases that nobody else has."""
    return f"{stand.room.database}_{secrets.token_hex(4)}"


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """How Django is entered: by which script, in which folder, with which settings."""

    manage: str = ""
    #: Relative to the workspace.
    folder: str = "."
    #: The settings module; "" where manage.py, or the suite's own variables, choose it.
    settings: str = ""


def entrance(suite: Suite, tree: Path) -> Entrance:
    """Find how the project's commands are run, and the settings module that its suite uses."""
    folder = suite.working_directory or "."
    settings = (
        option(suite.argv, "--settings")
        or option(suite.argv, "--ds")
        or suite.settings
        or pytest_config.read(tree, suite.working_directory).settings
    )
    own = suite.argv[0] if suite.kind == "django" and suite.argv else ""
    likely = [(folder, own)] if own.endswith("manage.py") else []
    for place, script in (*likely, (folder, "manage.py"), (".", "manage.py")):
        if _hands_over(tree / place / script):
            return Entrance(manage=script, folder=place, settings=settings)
    return Entrance(folder=folder, settings=settings)


def _hands_over(script: Path) -> bool:
    try:
        text = script.read_text("utf-8", errors="replace")
    except OSError:
        return False
    return bool(_HANDS_OVER.search(text))


def command(
    step: ProcessName,
    enter: Entrance,
    stand: Stand,
    *,
    files: Files,
    timeout: float,
    served: Served = Served(),  # noqa: B008 - frozen
) -> tuple[Command, StepConfig]:
    """Return the process of one step, and what is to be written to `files.config` before it."""
    room = stand.room
    config = StepConfig(
        step=step,
        result=files.result,
        root=room.workspace,
        folder=files.databases,
        other=files.other,
        data=files.data,
        expect_django=stand.django,
        manage=enter.manage,
        overlay=stand.overlay,
        isolate=stand.isolate,
        database=files.database or fresh_name(stand),
        other_database=files.other_database,
        life=files.life,
        service_ports=served.ports,
        service_folders=served.folders,
        secrets=masking.spans(stand.env),
    )
    settings = {VARIABLE: enter.settings} if enter.settings else {}
    return Command(
        argv=(stand.interpreter, "-m", "djhop_steps"),
        cwd=str(PurePath(room.workspace, enter.folder)),
        env={**stand.env, **settings, "DJHOP_STEPS": files.config},
        timeout=timeout,
        log=files.log,
    ), config
