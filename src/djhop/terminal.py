"""Standard output: how wide it is, whether it takes colours, and writing to it come what may."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable

#: Columns, and lines, where nothing says how many there are.
USUAL, TALL = 80, 40
#: Lines that a shell's prompt and what is said after a report take.
PROMPT = 3


def width() -> int:
    """Columns to fill: those of COLUMNS, else of the terminal, else the usual 80."""
    return shutil.get_terminal_size((USUAL, 24)).columns


def height() -> int:
    """Lines to fill: those of LINES, else of the terminal, without the prompt's; else 40."""
    lines = shutil.get_terminal_size((USUAL, TALL + PROMPT)).lines
    return lines - PROMPT


def color() -> bool:
    """Whether standard output is a terminal that takes colours, and NO_COLOR does not refuse."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def pour(pieces: Iterable[str]) -> None:
    """Write what a tool reads to standard output, as UTF-8 whatever the terminal is."""
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode(errors="backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # `| head`: its reader has seen enough, and the exit code stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(text: str) -> None:
    """Write to standard output, whatever it can encode."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding).rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # `| head`: its reader has seen enough, and the exit code stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
