"""Which lines of a source are statements, as coverage counts them; parsed once, kept on disk.

To parse costs about 80 µs a line; a run that changed nothing parses nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
from pathlib import Path

import coverage
import msgspec
from coverage.exceptions import CoverageException

from djhop import durable
from djhop.errors import InfraError

#: Cells finish in threads of their own.
_LOCK = threading.Lock()
#: Hash of a source and of what decides how it is counted → its statements' lines.
_known: dict[str, frozenset[int]] = {}
#: Hashes asked for since `recall`.
_asked: set[str] = set()
_parsers: dict[tuple[str, ...], coverage.Coverage] = {}


def of(name: str, exclude: tuple[str, ...]) -> frozenset[int]:
    """Return the lines of the statements in a file, those that match `exclude` left out.

    Empty where the file cannot be read or parsed.
    """
    try:
        source = Path(name).read_bytes()
    except OSError:
        return frozenset()
    counted = repr((exclude, coverage.__version__, sys.version_info[:2])).encode()
    key = hashlib.sha256(counted + b"\0" + source).hexdigest()
    with _LOCK:
        _asked.add(key)
        if key not in _known:
            _known[key] = _parse(name, exclude)
        return _known[key]


def recall(path: Path) -> None:
    """Take up what an earlier run kept in `path`; what cannot be read is parsed again."""
    with _LOCK, contextlib.suppress(*durable.UNREADABLE):
        _asked.clear()
        _known.update(msgspec.msgpack.decode(path.read_bytes(), type=dict[str, frozenset[int]]))


def keep(path: Path) -> None:
    """Write what was asked for since `recall` to `path`; not worth an error."""
    with _LOCK:
        found = {key: sorted(_known[key]) for key in sorted(_asked)}
    with contextlib.suppress(OSError, InfraError):
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, msgspec.msgpack.encode(found))


def _parse(name: str, exclude: tuple[str, ...]) -> frozenset[int]:
    if exclude not in _parsers:
        _parsers[exclude] = coverage.Coverage(config_file=False, data_file=None)
        if exclude:
            _parsers[exclude].set_option("report:exclude_lines", list(exclude))
    with contextlib.suppress(CoverageException, OSError, SyntaxError, ValueError, RecursionError):
        _, statements, _, _, _ = _parsers[exclude].analysis2(name)
        return frozenset(statements)
    return frozenset()
