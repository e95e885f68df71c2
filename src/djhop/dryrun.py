"""Every command that a run would start, in words that can be pasted; starts none."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Literal

import msgspec

from djhop import masking
from djhop.interpreters import interpreters
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, Plan, settings_of
from djhop.resolve import attempts
from djhop.resolve.request import Request
from djhop.results.steps import STEPS, StepName
from djhop.suites import foreign, suites
from djhop.suites.suites import PassFiles, Room, Stand
from djhop.target.target import Suite, Target

#: Step → what one would type.
EQUIVALENT: dict[StepName, str] = {
    "checks": "manage.py check; manage.py check --deploy",
    "migrations": "manage.py makemigrations --check --dry-run",
    "database": "manage.py migrate; manage.py migrate",
    "settings": "manage.py diffsettings, held against what each series knows",
}


def lines(
    plan: Plan,
    target: Target,
    matrix: Matrix,
    found: Mapping[str, Interpreter],
    requests: Mapping[Cell, Request],
    *,
    uv: str,
    args: tuple[str, ...],
) -> Iterator[str]:
    """Yield the commands of every cell; names in capitals stand for folders made on the way.

    What is secret by the name of its variable is masked, as in a report.
    """
    secrets = masking.named(msgspec.to_builtins(matrix))
    asked = [(cell, found.get(cell.python), requests.get(cell)) for cell in plan.cells]
    cells = (_cell(*one, target, matrix, uv=uv, args=args) for one in asked)
    for line in itertools.chain(_services(matrix), *cells):
        yield masking.mask(line, secrets)


def _cell(
    cell: Cell,
    interpreter: Interpreter | None,
    request: Request | None,
    target: Target,
    matrix: Matrix,
    *,
    uv: str,
    args: tuple[str, ...],
) -> Iterator[str]:
    assert target.suite is not None
    yield f"# {cell.id}"
    if interpreter is None or request is None:
        yield shlex.join(interpreters.install_command(cell.python, uv))
        return
    first = attempts.build(request, None, attempts.Stage())
    for name, wanted in attempts.files(first).items():
        if name != "lock.txt" and wanted:
            yield from (f"#   {name}: {line}" for line in wanted.splitlines())
    yield shlex.join(
        attempts.argv(uv, request, first, PurePath("LOCK"), offline=False)  # type: ignore[arg-type]
    )
    yield shlex.join((uv, "venv", "--relocatable", "--python", interpreter.path, "ENV"))
    yield shlex.join(
        (uv, "pip", "install", "--no-deps", "--python", "ENV/bin/python", "-r", "LOCK/lock.txt")
    )
    yield shlex.join((uv, "pip", "install", "--no-deps", "--target", "TOOLS", "coverage"))
    settings = settings_of(matrix, cell)
    yield f"# in a private copy of {target.root}:"
    yield from settings.before
    if matrix.does("tests"):
        yield "# strict, under coverage and the probe:"
        yield _suite(target.suite, cell, args, "strict")
        yield "# if anything did not pass so, on a fresh copy: plain, then perhaps scoped"
        yield _suite(target.suite, cell, args, "plain")
    if steps := [name for name in STEPS if matrix.does(name)]:
        yield "# on a fresh copy, with scratch databases, what these commands do:"
        yield from (f"#   {name}: {EQUIVALENT[name]}" for name in steps)
    yield from settings.after
    yield ""


def _services(matrix: Matrix) -> Iterator[str]:
    for name, service in matrix.service.items():
        yield f"# the service {name}, before the first cell:"
        yield from service.prepare
        for command in (service.start, service.ready):
            yield command if isinstance(command, str) else shlex.join(command)
        yield ""


def _suite(
    suite: Suite, cell: Cell, args: tuple[str, ...], mode: Literal["strict", "plain"]
) -> str:
    room = Room(
        cell=cell.id,
        python=cell.python,
        workspace="WORKSPACE",
        home="HOME",
        tmp="TMP",
        environment="ENV",
        probe="PROBE",
    )
    stand = Stand(room=room, django=cell.django, interpreter="ENV/bin/python", env={})
    files = PassFiles.in_folder("CELL", mode)
    if suite.kind == "command":
        command = foreign.pass_command(suite, stand, mode=mode, files=files, args=args)
        words = [f"{name}={value}" for name, value in command.env.items()]
        return shlex.join(("env", *words, *command.argv) if words else command.argv)
    _, config = suites.pass_command(suite, stand, mode=mode, files=files, args=args)
    head = ("-m", "pytest") if suite.kind == "pytest" else ()
    settings = f"DJANGO_SETTINGS_MODULE={suite.settings} " if suite.settings else ""
    return settings + shlex.join(("ENV/bin/python", *head, *config.argv))
