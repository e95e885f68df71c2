"""`djhop history`: how it went on earlier nights, and older runs added to them."""

from __future__ import annotations

import sys
from pathlib import Path

from djhop import remembering, terminal
from djhop.errors import ExitCode, UsageError, did_you_mean
from djhop.history import asking, memory
from djhop.history.memory import Memory
from djhop.matrix import config
from djhop.matrix.history import History
from djhop.reports import history as told
from djhop.reports.json import indented
from djhop.store import store

#: The word that adds runs, and is no question.
IMPORT = "import"


def history(words: tuple[str, ...], out: str, file: str, *, as_json: bool) -> int:
    """`djhop history`: nights, a question, or `import` with runs."""
    path = Path(file) if file else _place(out)
    if words[:1] == (IMPORT,):
        return _import(words[1:], path, Path(out))
    if not path.is_file():
        hint = "a run that ends makes it; djhop history import RUN… adds older runs"
        raise UsageError(f"there is no history at {path}", hint=hint)
    with memory.opened(path, None) as open_:
        terminal.show(_answer(open_, " ".join(words), as_json=as_json))
    return ExitCode.OK


def _place(out: str) -> Path:
    """Where the history is of the target here."""
    own = config.of_target(Path())
    settings = config.combine(own).history if own else History()
    return remembering.at(settings, ".", Path(out))


def _answer(open_: Memory, text: str, *, as_json: bool) -> str:
    if not text:
        nights = asking.every_night(open_.made)
        return indented(nights) if as_json else told.nights(nights)
    if cell := asking.of_cell(open_.made, text):
        return indented(cell) if as_json else told.cell(text, cell)
    found = asking.of_subject(open_.made, text)
    if not found:
        close = did_you_mean(text, asking.cells(open_.made))
        hint = close or "a part of a test's id will do; djhop history lists the nights"
        raise UsageError(f"no test, cell or cause {text!r} is remembered", hint=hint)
    return indented(found) if as_json else told.subjects(found, width=terminal.width())


def _import(names: tuple[str, ...], path: Path, out: Path) -> int:
    """Add runs that have ended; which are left out, and why, is said."""
    if not names:
        raise UsageError("which runs?", hint="djhop history import reports/*/")
    added = 0
    with memory.opened(path, _say) as open_:
        for name in names:
            folder = store.find(name, out)
            run = folder.load()
            if not remembering.worth(run):
                _say(f"{run.name}: left out, as it does not tell of the whole suite in every cell")
            elif open_.record(remembering.night(run), remembering.told(folder, run)):
                added += 1
            else:
                _say(f"{run.name}: there already")
    _say(f"{added} of {len(names)} added to {path}")
    return ExitCode.OK


def _say(line: str) -> None:
    from djhop import console

    console.say(line, sys.stderr)
