"""What Django's own upgrade steps found in one cell: statuses, and findings with stable ids."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from djhop.results.owners import Failure

StepName: TypeAlias = Literal["checks", "migrations", "database", "settings"]
#: What is done between the two cells of a hop, on a database that the cell before has made.
CrossingName: TypeAlias = Literal["origin", "upgrade", "old-code", "new-code"]
#: All that a process may do; the last removes what has crossed a hop from its server.
ProcessName: TypeAlias = StepName | CrossingName | Literal["drop"]
#: ok: nothing to say; found: it came to its end and has findings; failed: it ended in an exception;
#: timed-out; not-available: it cannot be done here, and the reason says why.
StepStatus: TypeAlias = Literal["ok", "found", "failed", "timed-out", "not-available"]
#: error: Django's own command fails because of it; info: a fact, and nothing wrong.
Level: TypeAlias = Literal["error", "warning", "info"]

#: In the order in which they are done and shown.
STEPS: tuple[StepName, ...] = ("checks", "migrations", "database", "settings")
CROSSING: tuple[CrossingName, ...] = ("origin", "upgrade", "old-code", "new-code")
BAD: frozenset[StepStatus] = frozenset({"failed", "timed-out"})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a step has to say; `id` and `about` stay the same from cell to cell."""

    #: "models.W042", "pending.AlterField", "broken", "removed": docs/steps.md lists those of djhop.
    id: str
    #: What it is about: a model or field, "app.migration", a setting; "" for the whole project.
    about: str = ""
    level: Level = "warning"
    text: str = ""
    #: What to do about it.
    hint: str = ""
    #: "file:line" or a file, relative to the target.
    place: str = ""
    #: Only `check --deploy` says it.
    deploy: bool = False
    #: The settings silence it: it counts nowhere.
    silenced: bool = False


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column as the database describes it."""

    name: str
    type: str = ""
    null: bool = False
    default: str | None = None


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database that djhop made, migrated from nothing."""

    alias: str
    vendor: str = ""
    #: (app, migration, seconds), in the order in which they were applied.
    applied: tuple[tuple[str, str, float], ...] = ()
    seconds: float = 0.0
    #: The SQLite file in the cell's folder; "" where it was on a server, and has been dropped.
    kept: str = ""
    #: Table → its columns.
    tables: dict[str, tuple[Column, ...]] = {}
    #: Table → what its rows must obey, as SQL has it: "UNIQUE (number)".
    constraints: dict[str, tuple[str, ...]] = {}
    #: Table → its rows before it was upgraded.
    rows: dict[str, int] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step in one cell."""

    status: StepStatus
    #: Why it failed or was not done.
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    databases: tuple[Database, ...] = ()
    error: Failure | None = None
    seconds: float = 0.0
    #: Its log in the cell's folder.
    log: str = ""

    @property
    def counted(self) -> tuple[Finding, ...]:
        """The findings that say that something is or may be wrong."""
        return tuple(one for one in self.findings if one.level != "info" and not one.silenced)

    def lost(self, why: str) -> Step:
        """The step where it failed for want of something that is not the target's; else itself."""
        return Step(status="not-available", reason=why) if self.status in BAD else self


Steps: TypeAlias = dict[StepName, Step]


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the database of the cell before when the cell after took it over."""

    format: int = 1
    #: Ids of the cells.
    before: str
    after: str
    #: The git revision whose code was the side before; "" for the target as it is.
    revision: str = ""
    #: Databases come without their tables here.
    steps: dict[CrossingName, Step] = {}
    #: In which order code and migrations can go out, in words; "" where that is not known.
    order: str = ""
    #: Why none of it could be done.
    reason: str = ""

    @property
    def id(self) -> str:
        """The hop's name: "py3.10-django4.2..py3.10-django5.2"."""
        return f"{self.before}..{self.after}"

    @property
    def broke(self) -> bool:
        """Whether the upgrade of a database fails, or says that something is wrong with it."""
        upgrade = self.steps.get("upgrade")
        if upgrade is None:
            return False
        return upgrade.status in BAD or any(one.level == "error" for one in upgrade.findings)
