"""Matrix files and [tool.djhop] → Matrix, strictly checked."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from djhop import releases
from djhop.errors import UsageError, did_you_mean
from djhop.matrix import (
    amounts,
    flaky,
    history,
    matrixfiles,
    patterns,
    ready,
    service,
    strict,
    variables,
)
from djhop.matrix.flaky import Flaky
from djhop.matrix.history import History
from djhop.matrix.ready import Ready
from djhop.matrix.service import Service

#: The words that `steps` may be; else it is a list of series.
STEPS = ("lts", "every-release", "next")
#: Tables that are merged name by name.
BY_NAME = ("set-env", "service", "flaky", "history", "ready")


class CellChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `include`: a cell to add to the matrix."""

    django: str
    python: str


class Override(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Settings of the cells that `cells` matches (a glob or factors); later ones win.

    `packages`, `before` and `after` come on top of the matrix's own; the others replace them.
    """

    cells: str
    allow_failure: bool | None = None
    set_env: dict[str, str] = {}
    packages: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    timeout: float | None = None
    test_timeout: float | None = None
    silence_timeout: float | None = None


class Matrix(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What to run: the path, further cells and how a suite is run. Every key is optional.

    TOML keys are the field names with hyphens: `set_env` is `set-env` (`from` and `to` are
    `start` and `goal` here).
    """

    name: str = ""
    description: str = ""
    #: The preset or matrix file to start from; a path is relative to the file that names it.
    matrix: str = ""
    #: The target's directory; relative to the file that names it.
    target: str = ""
    #: First and last series of the path: "3.2", "5.2". Empty: the target's, and the steps' goal.
    start: str = msgspec.field(default="", name="from")
    goal: str = msgspec.field(default="", name="to")
    #: How the path goes: "lts", "every-release", "next", or the series themselves.
    steps: str | tuple[str, ...] = "lts"
    #: The Python the path starts on: "3.10". Empty: chosen from the target and the machine.
    python: str = ""
    #: The Python the path must end on. Empty: Python moves only where Django needs it.
    goal_python: str = ""
    #: Further Pythons: every series of the path on each that it supports; "all": every one.
    pythons: str | tuple[str, ...] = ()
    include: tuple[CellChoice, ...] = ()
    #: Cells to leave out: globs over ids ("py3.9-*") or factors ("django5.0").
    exclude: tuple[str, ...] = ()
    #: Cells whose breaks do not count in the exit code: globs or factors.
    allow_failure: tuple[str, ...] = ()

    #: The suite: argv such as ["pytest", "tests"] or ["manage.py", "test"]; empty: found.
    test: tuple[str, ...] = ()
    #: The JUnit XML files that `test` writes, a glob relative to the target: `test` may then be any
    #: command at all, and only these files tell what came of it.
    junit: str = ""
    #: Where the strict filter is in force: "suite", from the first test module on, or "literal",
    #: the whole process, as `python -W error::DeprecationWarning` has it.
    strict: Literal["suite", "literal"] = "suite"
    #: DJANGO_SETTINGS_MODULE; empty: found.
    settings: str = ""
    #: Where in the target the suite is run; empty: the target's root.
    working_directory: str = ""
    #: Directories put on the import path, relative to the target.
    pythonpath: tuple[str, ...] = ()
    #: Requirement files, lock files or metadata to read, relative to the target; empty: found.
    requirements: tuple[str, ...] = ()
    #: The project's extras and dependency groups that its tests need; empty: found.
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    #: Further requirements, as in `pip install`: what the suite needs and the project does not say.
    packages: tuple[str, ...] = ()
    #: Whether the project itself is installed; "auto": where it says how it is built.
    install_project: Literal["auto", "always", "never"] = "auto"
    #: What else moves with Django: "minimal" (only what must), "latest", "frozen" (nothing).
    policy: Literal["minimal", "latest", "frozen"] = "minimal"
    #: Only packages uploaded before this day ("2024-07-01") or instant; empty: all.
    exclude_newer: str = ""

    #: Variables of djhop's own environment that the cells may see: names or globs.
    pass_env: tuple[str, ...] = ()
    #: Variables set in every cell.
    set_env: dict[str, str] = {}
    #: What runs beside the cells, by name: started once, ended with the run.
    service: dict[str, Service] = {}
    #: Whether test databases, and folders outside of the workspace, are each cell's own.
    isolate: bool = True
    #: Commands run in the workspace before and after the suite, split like a shell splits words.
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    #: Whether the target's code runs without network and writes nowhere but in its cell.
    sandbox: bool = False
    #: Seconds a pass of one cell may take.
    timeout: float = 3600.0
    #: Seconds one test may take; 0: as long as the pass.
    test_timeout: float = 1800.0
    #: Seconds a pass may go without output, and without a test that begins or ends; 0: no limit.
    silence_timeout: float = 0.0
    #: What is done in a cell: the suite's tests, and Django's own upgrade steps; empty: all of it.
    only: tuple[Literal["tests", "checks", "migrations", "database", "settings"], ...] = ()
    #: How tests that newly fail on a hop are run again, and which are known to be flaky.
    flaky: Flaky = Flaky()
    #: How large djhop's cache may be when a run has ended: "10G". Empty: as large as it gets.
    cache_keep: str = ""
    #: Where earlier nights are remembered.
    history: History = History()
    #: What `djhop ready` asks of the goal.
    ready: Ready = Ready()
    #: Seconds one of those steps may take.
    step_timeout: float = 300.0
    #: Rows for the database that crosses hops, relative to the target: a fixture, or an SQL dump.
    data: str = ""
    #: A git revision of the target: the code before the first hop of the path, as it is deployed.
    before_rev: str = ""
    #: Whether coverage measures branches; dearer on Python 3.12 and 3.13.
    branch: bool = False
    #: Further files to copy into the workspace though git ignores them: globs.
    copy: tuple[str, ...] = ()
    #: Cells run at the same time; 0: one for each core, or one where they share what they use.
    jobs: int = 0
    override: tuple[Override, ...] = ()

    def does(self, what: str) -> bool:
        """Whether the tests, or a step, are wanted."""
        return not self.only or what in self.only


def presets() -> dict[str, Path]:
    """The matrix files that ship with djhop, by name."""
    return matrixfiles.shipped()


def load(name_or_path: str) -> Matrix:
    """Read a preset or a matrix file.

    Raises:
        UsageError: it does not exist or is wrong; the message has file and key.
    """
    return combine(matrixfiles.read(name_or_path))


def of_target(root: Path) -> tuple[matrixfiles.Table, str] | None:
    """Return what the target itself configures: djhop.toml, else [tool.djhop] of pyproject.toml.

    It is a raw table for `combine`, and the file's name for errors; None where there is neither.

    Raises:
        UsageError: the file is not TOML, or [tool.djhop] is not a table.
    """
    return matrixfiles.of_target(root)


def combine(
    *tables: tuple[matrixfiles.Table, str], known: releases.Releases | None = None
) -> Matrix:
    """Merge tables key by key, the later ones winning, each over the `matrix` it starts from.

    Lists are replaced as a whole; the tables of `BY_NAME` are merged name by name. Each table is
    checked on its own, so that an error names the file it is in. `known` is for tests: another
    table of releases.

    Raises:
        UsageError: a key or value is wrong, or `matrix` names nothing or goes in a circle.
    """
    merged: matrixfiles.Table = {}
    sources: list[str] = []
    for table, where in tables:
        for part, place in _with_base(table, where, ()):
            parse(part, place, known)
            named = {key: {**merged.get(key, {}), **part[key]} for key in BY_NAME if key in part}
            merged = {**merged, **part, **named}
            sources.append(place)
    return parse(merged, " + ".join(sources), known)


def _with_base(
    table: matrixfiles.Table, where: str, seen: tuple[str, ...]
) -> Iterator[tuple[matrixfiles.Table, str]]:
    """Yield the tables that `table` starts from, the deepest first, then `table` itself."""
    base = table.get("matrix")
    if isinstance(base, str) and base:
        if base in seen:
            raise strict.bad(where, "matrix", f"goes in a circle: {' → '.join((*seen, base))}")
        try:
            found = matrixfiles.read(base)
        except UsageError as error:
            raise strict.bad(where, "matrix", str(error), error.hint) from error
        yield from _with_base(*found, (*seen, base))
    yield table, where


def parse(table: matrixfiles.Table, where: str, known: releases.Releases | None = None) -> Matrix:
    """Turn one raw table into a Matrix; `where` names its file in errors.

    Raises:
        UsageError: an unknown key, a wrong type, or a series or Python that does not exist.
    """
    known = known or releases.load()
    plain = dict(table)
    if isinstance(day := plain.get("exclude-newer"), datetime.date):
        plain["exclude-newer"] = day.isoformat()
    _check_services(plain.get("service"), where)
    matrix = strict.convert(plain, Matrix, where)
    for key, value in _series_of(matrix):
        try:
            known.get_released(value)
        except UsageError as error:
            raise strict.bad(where, key, str(error), error.hint) from error
    for key, value in _pythons_of(matrix):
        _check_python(where, key, value, known.pythons())
    for key, wrong, hint in _wrong_values(matrix):
        if wrong:
            raise strict.bad(where, key, wrong, hint)
    return matrix


def _check_services(tables: object, where: str) -> None:
    """Check each service on its own, so that an error says which one it is about.

    `[service]` without a name is a slip: then keys of a service stand where names should.
    """
    services = tables if isinstance(tables, dict) else {}
    if odd := next((name for name, table in services.items() if not isinstance(table, dict)), ""):
        hint = "each service is a table with a name of its own: [service.postgres]"
        raise strict.bad(where, f"service.{odd}", "is not the table of a service", hint)
    for name, table in services.items():
        strict.convert(table, Service, where, f"service.{name}")


def _series_of(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Every key that holds a series, with the series."""
    steps = matrix.steps if isinstance(matrix.steps, tuple) else ()
    yield from (
        (key, value) for key, value in (("from", matrix.start), ("to", matrix.goal)) if value
    )
    yield from ((f"steps[{i}]", value) for i, value in enumerate(steps))
    yield from ((f"include[{i}].django", cell.django) for i, cell in enumerate(matrix.include))


def _pythons_of(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Every key that holds a Python, with the Python."""
    single = (("python", matrix.python), ("goal-python", matrix.goal_python))
    further = matrix.pythons if isinstance(matrix.pythons, tuple) else ()
    yield from ((key, value) for key, value in single if value)
    yield from ((f"pythons[{i}]", value) for i, value in enumerate(further))
    yield from ((f"include[{i}].python", cell.python) for i, cell in enumerate(matrix.include))


def _check_python(where: str, key: str, value: str, known: tuple[str, ...]) -> None:
    """Raise unless `value` is a Python minor that some series supports and djhop can run."""
    if value in known:
        return
    minor = ".".join(value.split(".")[:2])
    close = f"did you mean {minor!r}?" if minor in known else did_you_mean(value, known)
    hint = f"{close} known: {', '.join(known)}".strip()
    raise strict.bad(where, key, f"unknown Python {value!r}", hint)


def _wrong_values(matrix: Matrix) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong with its value or "", hint) for what a type cannot say."""
    backwards = (
        matrix.start
        and matrix.goal
        and releases.version_key(matrix.start) > releases.version_key(matrix.goal)
    )
    yield (
        "to",
        f"Django {matrix.goal} is older than from, {matrix.start}" if backwards else "",
        "a path goes from the older series to the newer one",
    )
    if isinstance(matrix.steps, str) and matrix.steps not in STEPS:
        hint = did_you_mean(matrix.steps, STEPS)
        choices = f"one of {', '.join(STEPS)}, or a list of series"
        yield "steps", f"unknown steps {matrix.steps!r}", f"{hint} {choices}".strip()
    yield "steps", "" if matrix.steps else "names no series", 'as in ["4.2", "5.2"]'
    if isinstance(matrix.pythons, str) and matrix.pythons != "all":
        hint = f'"all", or a list: ["{matrix.pythons}"]'
        yield "pythons", f'expected a list or "all", got {matrix.pythons!r}', hint
    timeouts = [("timeout", matrix.timeout), ("step-timeout", matrix.step_timeout)]
    timeouts += [
        (f"override[{i}].timeout", override.timeout)
        for i, override in enumerate(matrix.override)
        if override.timeout is not None
    ]
    for key, seconds in timeouts:
        yield key, strict.no_time(seconds), ""
    for key, limit in patterns.limits(matrix):
        wrong = strict.no_time(limit) if limit else ""
        yield key, wrong and f"{wrong}, or 0", ""
    yield "jobs", "" if matrix.jobs >= 0 else "must be 0 (one for each core) or more", ""
    yield "exclude-newer", _not_a_day(matrix.exclude_newer), 'as in "2024-07-01"'
    both = matrix.sandbox and matrix.service
    wrong = "a [service] cannot be reached from inside a sandbox" if both else ""
    yield "sandbox", wrong, "docs/security.md says what can"
    yield from variables.wrong(matrix.pass_env)
    yield from service.wrong(matrix.service)
    yield from flaky.wrong(matrix.flaky)
    yield from history.wrong(matrix.history)
    yield from ready.wrong(matrix.ready)
    odd = matrix.cache_keep and amounts.size(matrix.cache_keep) is None
    yield "cache-keep", f"{matrix.cache_keep!r} is not a size" if odd else "", amounts.EXAMPLE


def _not_a_day(text: str) -> str:
    try:
        datetime.datetime.fromisoformat(text or "2024-07-01")
    except ValueError:
        return f"{text!r} is not a date"
    return ""
