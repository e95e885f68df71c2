"""What a run says, once more: `djhop report`, `djhop deprecations`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from djhop import durable, terminal
from djhop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from djhop.store.record import Run
    from djhop.store.store import RunFolder


def report(run: str, out: str, output: str | None, verbose: bool, **given: Any) -> int:
    """`djhop report`: a run's report again."""
    from djhop.store import store

    if verbose and given["form"] != "text":
        raise UsageError(
            "-v is for the text of one run: every other output is whole", hint="leave -v away"
        )
    found = store.find(run, Path(out))
    pieces = _pieces(found, **given, screen=not (output or verbose))
    return _give(pieces, output, given["form"])


def diff(before: str, after: str, out: str, output: str | None, form: str) -> int:
    """`djhop diff`: what changed from one run to another."""
    from djhop.reports import versus, versus_text
    from djhop.store import store

    folders = store.find(before, Path(out)), store.find(after, Path(out))
    runs = folders[0].load_whole(), folders[1].load_whole()
    changed = versus.compare(*runs, folders[0].results(), folders[1].results())
    if form == "json":
        piece = versus_text.as_json(changed)
    else:
        render = versus_text.markdown if form == "markdown" else versus_text.text
        piece = render(changed, runs[1])
    return _give((piece,), output, form)


def _give(pieces: Iterable[str], output: str | None, form: str) -> int:
    """Write it into a file, or print it."""
    if output:
        encoded = (piece.encode(errors="backslashreplace") for piece in pieces)
        durable.write_all(Path(output), encoded)
    elif form in ("text", "markdown"):
        terminal.show("".join(pieces))
    else:
        terminal.pour(pieces)
    return ExitCode.OK


def deprecations(
    run: str, out: str, form: str, owner: tuple[str, ...], removed_in: tuple[str, ...]
) -> int:
    """`djhop deprecations`: the deprecated uses of a run, from its folder alone."""
    from djhop import console
    from djhop.reports import uses
    from djhop.store import store

    found = store.find(run, Path(out)).load()
    chosen = uses.choose(found, owners=owner, removed_in=removed_in)
    if form == "lines":
        if listed := uses.lines(chosen, lambda line: console.say(line, sys.stderr)):
            terminal.show(listed)
    elif form == "json":
        terminal.show(uses.as_json(chosen))
    else:
        terminal.show(uses.text(chosen, width=terminal.width()))
    return ExitCode.OK


def _pieces(folder: RunFolder, *, form: str, cell: str, source: str, screen: bool) -> Iterable[str]:
    """The report of a run in the form that was asked for."""
    from djhop.reports import outputs
    from djhop.reports.html import page

    found = folder.load()
    if form in outputs.COVERAGE:
        return (_coverage(folder, found, form, cell, source),)
    if cell or source:
        raise UsageError("--cell and --source are for coverage: --format cobertura or lcov")
    if form == "text" and screen:
        return (on_screen(found, folder),)
    if form == "text":
        return (as_text(found),)
    if form == outputs.HTML:
        return (page.render(found, folder),)
    return outputs.pieces(form, found, folder.results(), folder.reruns())


def _coverage(folder: RunFolder, found: Run, form: str, cell: str, source: str) -> str:
    """The coverage of a cell, or of all, as it was measured; what is left out is said."""
    from djhop import console
    from djhop.reports import covered

    data = (folder.cell(cell).path if cell else folder.path) / "coverage"
    here = Path(source or found.target.root).absolute()
    kind = msgspec.convert(form, covered.Form)
    text, left_out = covered.render(data, root=found.target.root, source=here, form=kind)
    if left_out:
        console.say(f"{left_out:,} files are left out: no source that can be read", sys.stderr)
    return text


def as_text(finished: Run) -> str:
    """The whole report: as wide as the terminal, in colour where it has colours."""
    from djhop.reports import text

    return text.render(finished, color=terminal.color(), width=terminal.width())


def on_screen(finished: Run, folder: RunFolder) -> str:
    """As much of the report as fits the terminal, what matters most first."""
    from djhop.reports import screen

    size = {"width": terminal.width(), "height": terminal.height()}
    whole = f"djhop report {shlex.quote(_name(folder))} -v"
    return screen.render(finished, color=terminal.color(), whole=whole, **size)


def _name(folder: RunFolder) -> str:
    """What a person types here to name a run: its name alone where runs land by themselves."""
    path, here = folder.path.resolve(), Path.cwd().resolve()
    if path.parent == here / "reports":
        return path.name
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def write_reports(folder: RunFolder) -> Run:
    """Write the reports that each run has beside `run.json`; return the run as it is on disk."""
    from djhop.reports import junit, markdown, pairs, text
    from djhop.reports.html import page

    finished = folder.load()
    for name, content in (
        ("report.txt", text.render(finished, width=terminal.USUAL)),
        ("report.md", markdown.render(finished)),
        ("report.html", page.render(finished, folder)),
    ):
        durable.write(folder.path / name, content.encode(errors="backslashreplace"))
    cells = pairs.of(finished, folder.results())
    suites = junit.lines(finished, cells, reruns=folder.reruns())
    durable.write_all(folder.path / "junit.xml", (suite.encode() for suite in suites))
    return finished


def said(*, quiet: bool) -> Callable[[str], None]:
    """What tells a person who waits what is being done."""
    from djhop import console

    return lambda line: None if quiet else console.said(line, sys.stderr)
