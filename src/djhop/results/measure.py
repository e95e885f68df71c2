"""Coverage data of a cell's passes → per cent; of several cells → one file. All in our process."""

from __future__ import annotations

import contextlib
import fnmatch
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import coverage
import msgspec
from coverage.exceptions import CoverageException

from djhop.errors import InfraError
from djhop.results import statements

#: Where coverage looks for its configuration, in that order.
#: https://coverage.readthedocs.io/en/latest/config.html
_FILES = (".coveragerc", "setup.cfg", "tox.ini", "pyproject.toml", ".coveragerc.toml")

#: What reading a damaged data file raises: the tests could have written it as well.
_UNREADABLE = (CoverageException, sqlite3.Error, TypeError, ValueError)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a target says about its own coverage; patterns as it wrote them."""

    source: tuple[str, ...] = ()
    run_omit: tuple[str, ...] = ()
    report_omit: tuple[str, ...] = ()
    report_include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def measured(self, tree: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what the probe measures and leaves out: the whole tree where nothing is said."""
        folders = [Path(tree, name) for name in self.source]
        source = [
            str(folder) if folder.is_dir() else name
            for folder, name in zip(folders, self.source, strict=True)
        ]
        return tuple(source) or (tree,), tuple(_rooted(p, tree) for p in self.run_omit)


def options(tree: Path) -> Options:
    """Read the target's coverage settings; what cannot be read says nothing."""
    for name in _FILES:
        path = tree / name
        try:
            if "coverage" not in path.read_text("utf-8") and name != ".coveragerc":
                continue
            # Plug-ins are only loaded when measuring begins: they are the target's, not ours.
            found = coverage.Coverage(config_file=str(path), data_file=None)
        except (OSError, ValueError, RecursionError, CoverageException):
            continue
        return Options(
            source=_texts(found, "run:source"),
            run_omit=_texts(found, "run:omit"),
            report_omit=_texts(found, "report:omit"),
            report_include=_texts(found, "report:include") or _texts(found, "run:include"),
            exclude=_texts(found, "report:exclude_lines") + _texts(found, "report:exclude_also"),
        )
    return Options()


def _texts(found: coverage.Coverage, name: str) -> tuple[str, ...]:
    value = found.get_option(name)
    if isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    return (value,) if isinstance(value, str) else ()


def per_cent(files: Iterable[Path], tree: Path, wanted: Options) -> float | None:
    """Return the share of the tree's statements that ran in any of the passes, in per cent.

    `None` where nothing was measured. A source that cannot be read or parsed is left out.
    """
    executed: dict[str, set[int]] = {}
    for file in files:
        for name, lines in _lines(file):
            executed.setdefault(name, set()).update(lines)
    all_ = done = 0
    for name, ran in executed.items():
        if _counts(name, str(tree), wanted):
            found = statements.of(name, wanted.exclude)
            all_ += len(found)
            done += len(found & ran)
    return round(100 * done / all_, 2) if all_ else None


def executed(file: Path) -> dict[str, frozenset[int]]:
    """Return the lines of each file that ran; nothing where the data cannot be read."""
    return {name: frozenset(lines) for name, lines in _lines(file)}


def _lines(file: Path) -> Iterable[tuple[str, Sequence[int]]]:
    data = coverage.CoverageData(basename=str(file))
    try:
        if not file.is_file():
            return []
        data.read()
        names = (name for name in data.measured_files() if isinstance(name, str))
        return [(name, data.lines(name) or ()) for name in names]
    except (*_UNREADABLE, OSError):
        return []
    finally:
        data.close()


def _counts(name: str, tree: str, wanted: Options) -> bool:
    if not name.startswith(f"{tree}/"):
        return False
    included = [_rooted(pattern, tree) for pattern in wanted.report_include]
    omitted = [_rooted(pattern, tree) for pattern in wanted.report_omit]
    if included and not any(fnmatch.fnmatchcase(name, pattern) for pattern in included):
        return False
    return not any(fnmatch.fnmatchcase(name, pattern) for pattern in omitted)


def _rooted(pattern: str, tree: str) -> str:
    """Make a pattern absolute as coverage does; a directory stands for all that is in it."""
    if not pattern.startswith(("*", "?", "/")):
        pattern = f"{tree}/{pattern.removeprefix('./')}"
    return f"{pattern}*" if pattern.endswith("/") else pattern


def combine(trees: Mapping[Path, Path], target: Path, out: Path) -> Path | None:
    """Combine the data of several cells, their trees' paths made the target's.

    Args:
        trees: data file → the tree that it was measured in.
        out: the data file to write; replaced.

    Returns:
        `out`, or None where no file could be read. Files that measured branches cannot be combined
        with those that did not: the latter are left out.

    Raises:
        InfraError: `out` cannot be written.
    """
    try:
        out.unlink(missing_ok=True)
        combined = coverage.CoverageData(basename=str(out))
        for file, tree in trees.items():
            data = coverage.CoverageData(basename=str(file))
            with contextlib.suppress(*_UNREADABLE):
                if file.is_file():
                    data.read()
                    combined.update(data, map_path=_moved(str(tree), str(target)))
            data.close()
        found = bool(combined.measured_files())
        combined.write()
        combined.close()
    except (OSError, CoverageException) as error:
        raise InfraError(f"cannot write the combined coverage {out}: {error}") from error
    return out if found else None


def _moved(tree: str, target: str) -> Callable[[str], str]:
    return lambda name: target + name[len(tree) :] if name.startswith(f"{tree}/") else name
