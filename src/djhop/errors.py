"""What can stop djhop itself, and the exit code each of these means.

A broken target is data (a cell with a status), never an exception. These are raised only when
djhop cannot go on.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable


class ExitCode(enum.IntEnum):
    """Exit codes of every djhop command; `docs/exit-codes.md` says them in words."""

    OK = 0
    BREAKS = 1
    USAGE = 2
    BLOCKED = 3
    INCOMPLETE = 4
    NO_TESTS = 5
    CONDITIONS = 6
    INTERNAL = 70
    INTERRUPTED = 130


#: When several apply, the first of these wins: what makes the answer least trustworthy comes first.
PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.USAGE,
    ExitCode.BREAKS,
    ExitCode.BLOCKED,
    ExitCode.INCOMPLETE,
    ExitCode.NO_TESTS,
    ExitCode.CONDITIONS,
    ExitCode.OK,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code of `codes` that stands first in `PRECEDENCE`; OK when there are none."""
    return min(codes, key=PRECEDENCE.index, default=ExitCode.OK)


class DjhopError(Exception):
    """Base of every error a user may see: what was wrong, where, and what to type next.

    `hint` is the next thing to type or to look at; it is printed on a line of its own.
    """

    return_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(DjhopError):
    """The command line, a matrix file or the target cannot be understood."""

    return_code = ExitCode.USAGE


class BlockedError(DjhopError):
    """No set of packages satisfies the target's requirements, or one of them cannot be built."""

    return_code = ExitCode.BLOCKED


class InfraError(DjhopError):
    """The machine or the network failed: a registry, a disk, a missing tool. Never a verdict."""

    return_code = ExitCode.INCOMPLETE


class NoTestsError(DjhopError):
    """The target has no test suite that djhop can find or run."""

    return_code = ExitCode.NO_TESTS


class Interrupted(DjhopError):  # noqa: N818 - named as KeyboardInterrupt is
    """The user pressed Ctrl-C, or a signal asked djhop to stop."""

    return_code = ExitCode.INTERRUPTED


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean '…'?" with the closest of `known`, or "" when nothing is close."""
    spelled = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), spelled, n=1, cutoff=0.5)
    return f"did you mean {spelled[close[0]]!r}?" if close else ""
