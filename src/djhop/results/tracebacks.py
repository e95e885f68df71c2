"""Which part of a chain of exceptions tells where it went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from djhop.results.paths import PROJECT, Paths

if TYPE_CHECKING:
    from djhop.results.eventlog import Exc, Frame


def telling(exc: Exc, speaks: Callable[[Frame], bool]) -> Exc:
    """Choose the exception of a chain whose traceback says most.

    A warning that the strict filter raised explains all that follows. What the project or a package
    raises speaks for itself. What Django, Python or the harness raises may only wrap the root: then
    it is the deepest cause that has a frame that `speaks`.
    """
    if (warning := exc.warning) is not None:
        return warning
    if exc.frames and speaks(exc.frames[-1]):
        return exc
    causes = reversed(exc.chain[1:])
    return next((link for link in causes if any(map(speaks, link.frames))), exc)


def joined(exc: Exc, chosen: Exc) -> tuple[Frame, ...]:
    """Return the whole way to `chosen`: a cause's traceback begins only where it was caught."""
    if chosen is exc or not chosen.frames:
        return exc.frames
    first = (chosen.frames[0][0], chosen.frames[0][2])
    for index in range(len(exc.frames) - 1, -1, -1):
        if (exc.frames[index][0], exc.frames[index][2]) == first:
            return exc.frames[:index] + chosen.frames
    return chosen.frames


def place(frames: Sequence[tuple[str, int, str, str]], paths: Paths) -> str:
    """Return "file:line" of the project's innermost frame; what only starts the run is not one."""
    for file, line, _, _ in reversed(frames):
        if paths.owner_of_file(file) == PROJECT and not file.endswith("/manage.py"):
            return f"{paths.shorten(file)}:{line}"
    return ""
