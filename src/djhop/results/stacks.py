"""The stacks that a process has dumped before it ended → the frames of the test that was running.

faulthandler writes them: each thread's innermost frame first, no source lines, and of several
processes one after the other. A thread's stack may be cut short, and so may the file.
https://docs.python.org/3/library/faulthandler.html
"""

from __future__ import annotations

import contextlib
import glob
import linecache
import re
from collections.abc import Callable
from pathlib import Path

from djhop.results.eventlog import Exc, Frame

#: Bytes read of a file, the last: a loop may dump for ever.
LIMIT = 1 << 20
#: Frames kept of a thread.
FRAMES = 60
_FRAME = re.compile(r'^  File "([^"\n]+)", line (\d+) in (\S.*)$')
_THREAD = re.compile(r"^(?:Current thread|Thread) 0x", re.ASCII)


def gather(path: Path) -> str:
    """Put what the processes of a pass have dumped, beside `path`, into it; return the text.

    Of each the end is kept, where it is too long. Without any, `path` is not made.
    """
    text = ""
    for file in sorted(path.parent.glob(f"{glob.escape(path.name)}.*")):
        text += _end(file)
        with contextlib.suppress(OSError):
            file.unlink()
    if text:
        with contextlib.suppress(OSError):  # it was read all the same
            path.write_text(text, "utf-8", "replace")
    return text


def _end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LIMIT))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def frames(text: str, test: str, root: str) -> tuple[Frame, ...]:
    """Choose the thread in which `test` ran; its frames from the first of the project's on.

    That is one with a function of the test's name in a file of the project (`root`), else the last
    that has any frame of the project's: the first thread is dumped last. Without either, nothing.
    """
    name = test.partition("[")[0].rpartition(":" if "::" in test else ".")[2]
    inside = [found for found in (_inner(thread, root) for thread in _threads(text)) if found]
    named = [found for found in inside if any(function == name for _, _, function, _ in found)]
    chosen = (named or inside)[-1:]
    return chosen[0][-FRAMES:] if chosen else ()


def _threads(text: str) -> list[list[Frame]]:
    """Every thread's frames, innermost last."""
    found: list[list[Frame]] = []
    for line in text.splitlines():
        if _THREAD.match(line):
            found.append([])
        elif found and (match := _FRAME.match(line)):
            file, number, function = match.groups()
            found[-1].insert(0, (file, int(number), function, ""))
    return found


def _inner(thread: list[Frame], root: str) -> tuple[Frame, ...]:
    """What of a stack is not what started the suite; nothing where the project is not in it."""
    prefix = f"{root.rstrip('/')}/"
    for at, (file, _, function, _) in enumerate(thread):
        if file.startswith(prefix) and function != "<module>":
            return tuple(thread[at:])
    return ()


def exception(
    name: str, message: str, found: tuple[Frame, ...], shown: Callable[[str], str]
) -> Exc:
    """What stands for the end of a process in a test: "Crash" or "Timeout", with its frames.

    `shown` masks lines of source.
    """
    for file in {file for file, *_ in found}:
        linecache.checkcache(file)
    lines = tuple(
        (file, line, function, shown(linecache.getline(file, line).strip()))
        for file, line, function, _ in found
    )
    return Exc(type=name, name=name, mro=(name,), message=message, frames=lines)
