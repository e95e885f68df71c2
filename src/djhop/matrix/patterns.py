"""Which cells a pattern means, and what the matrix sets for a cell. Pure, over cell ids."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from djhop.matrix.config import Matrix, Override


class CellSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one cell is run: the matrix's settings with every matching override on top."""

    env: dict[str, str] = {}
    #: Further requirements.
    packages: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    #: Seconds a pass may take.
    timeout: float = 3600.0
    #: Seconds a test may take, and seconds without output or event; 0: no such limit.
    test_timeout: float = 1800.0
    silence_timeout: float = 0.0
    allow_failure: bool = False


def parts(patterns: Iterable[str]) -> list[str]:
    """Take patterns apart at their commas."""
    return [part.strip() for pattern in patterns for part in pattern.split(",") if part.strip()]


def matches(cell: str, patterns: Iterable[str]) -> bool:
    """Whether any of `patterns` means the cell with this id.

    A pattern is a glob on the id, or factors (globs too) joined by hyphens in any order.
    """
    return any(_matches_one(cell, part) for part in parts(patterns))


def _matches_one(cell: str, pattern: str) -> bool:
    if fnmatch.fnmatchcase(cell, pattern):
        return True
    wanted = re.split(r"-(?![^\[]*\])", pattern)  # not the hyphen of "[8-9]"
    return all(any(fnmatch.fnmatchcase(f, part) for f in cell.split("-")) for part in wanted)


def idle(matrix: Matrix, laid: Iterable[str], kept: Iterable[str]) -> list[str]:
    """Sentences on the matrix's patterns that match no cell: most likely a slip of the pen.

    `laid` are the ids of all cells, `kept` those that `exclude` leaves.
    """
    used = [("exclude", pattern, laid) for pattern in parts(matrix.exclude)]
    used += [("allow-failure", pattern, kept) for pattern in parts(matrix.allow_failure)]
    used += [("override", part, kept) for o in matrix.override for part in parts([o.cells])]
    return [
        f"{key}: {pattern!r} matches no cell."
        for key, pattern, cells in used
        if not any(matches(cell, [pattern]) for cell in cells)
    ]


def settings_of(matrix: Matrix, cell: str) -> CellSettings:
    """Put every override that matches the cell on top of the matrix's own settings, in order."""
    settings = CellSettings(
        env=matrix.set_env,
        packages=matrix.packages,
        before=matrix.before,
        after=matrix.after,
        timeout=matrix.timeout,
        test_timeout=matrix.test_timeout,
        silence_timeout=matrix.silence_timeout,
        allow_failure=matches(cell, matrix.allow_failure),
    )
    for override in matrix.override:
        if matches(cell, [override.cells]):
            settings = _overridden(settings, override)
    return settings


def _overridden(settings: CellSettings, override: Override) -> CellSettings:
    allowed = override.allow_failure
    again = {_package(requirement) for requirement in override.packages}
    kept = tuple(r for r in settings.packages if _package(r) not in again)
    return CellSettings(
        env={**settings.env, **override.set_env},
        packages=(*kept, *override.packages),
        before=(*settings.before, *override.before),
        after=(*settings.after, *override.after),
        timeout=_or(override.timeout, settings.timeout),
        test_timeout=_or(override.test_timeout, settings.test_timeout),
        silence_timeout=_or(override.silence_timeout, settings.silence_timeout),
        allow_failure=settings.allow_failure if allowed is None else allowed,
    )


def _or(seconds: float | None, otherwise: float) -> float:
    return otherwise if seconds is None else seconds


def limits(matrix: Matrix) -> Iterator[tuple[str, float | None]]:
    """Every key that holds a limit of a test or of silence, with its seconds."""
    yield "test-timeout", matrix.test_timeout
    yield "silence-timeout", matrix.silence_timeout
    for i, override in enumerate(matrix.override):
        yield f"override[{i}].test-timeout", override.test_timeout
        yield f"override[{i}].silence-timeout", override.silence_timeout


def _package(requirement: str) -> str:
    """The package a requirement is about; a path or an address stands for itself."""
    try:
        return canonicalize_name(Requirement(requirement).name)
    except ValueError:
        return requirement
