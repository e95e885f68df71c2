"""A cell of a target's matrix → what its lock is made from."""

from __future__ import annotations

from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Cell, settings_of
from djhop.resolve.request import Request
from djhop.suites import suites
from djhop.target.target import Target


def of(cell: Cell, target: Target, matrix: Matrix, interpreter: Interpreter) -> Request:
    """Say what the lock of `cell` is made from; the same for every command that needs it."""
    suite = target.suite
    return Request(
        requirements=target.requirements,
        constraints=target.constraints,
        pins=target.pins,
        django=cell.django,
        python=cell.python,
        interpreter_path=interpreter.path,
        python_release=interpreter.release,
        interpreter_key=interpreter.key,
        suite_packages=(*suites.packages(suite), *suite.plugins) if suite else (),
        packages=settings_of(matrix, cell).packages,
        exclude_newer=matrix.exclude_newer,
        policy=matrix.policy,
    )
