"""`djhop baseline record`, `check` and `prune`: the list of what is known to break."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from djhop import durable, terminal
from djhop.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from djhop.baseline.lines import Listed
    from djhop.baseline.ratchet import Checked
    from djhop.store.record import Run

#: What the file is called, in the root of the target.
NAME = "djhop-baseline.txt"
_CRLF = "\r\n"


def record(run: str, out: str, file: str) -> int:
    """`djhop baseline record`: write what breaks now; keep what the run does not tell."""
    from djhop.baseline import ratchet, words

    path, text, listed, found, _ = _look(run, out, file, must=False)
    if not (found.complete or found.new or found.known or found.fixed):
        terminal.show(f"{path}: not written\n{words.checked(found, {}, '')}")
        return ExitCode.INCOMPLETE
    _write(path, ratchet.record(listed, found), text)
    terminal.show(words.written(found, str(path), added=True))
    return ExitCode.OK


def check(run: str, out: str, file: str, *, gate: bool) -> int:
    """`djhop baseline check`: fail for what is new, and for what is fixed and still listed.

    With `gate`, also for all that ends a run with another code than 0 and is no break of a hop.
    """
    from djhop.baseline import beside, words

    _, _, _, found, finished = _look(run, out, file, must=True)
    typed = "" if run == "latest" else f" {shlex.quote(run)}"
    typed += "" if out == "reports" else f" --out {shlex.quote(out)}"
    typed += f" --file {shlex.quote(file)}" if file else ""
    terminal.show(words.checked(found, beside.told(finished), typed))
    codes = [ExitCode.BREAKS] * bool(found.new or found.fixed)
    codes += [beside_breaks(finished)] if gate else []
    return worst([*codes, ExitCode.OK if found.complete else ExitCode.INCOMPLETE])


def beside_breaks(run: Run) -> ExitCode:
    """What a run ends with, were it not for the breaks that lines of the list are about.

    A break has a code that hides others: a cell without a result, a hop that is blocked.
    """
    from djhop import closing

    hops = (
        msgspec.structs.replace(
            hop,
            verdict="clean" if hop.verdict == "breaks" else hop.verdict,
            steps=msgspec.structs.replace(hop.steps, broke=()),
            crossing=None,
        )
        for hop in run.hops
    )
    return closing.exit_code(
        msgspec.structs.replace(run.comparison, hops=tuple(hops)),
        run.plan,
        hops=True,
        untested="tests" not in (run.matrix.settings.get("only") or ["tests"]),
        interrupted=False,
        bugs=0,
    )


def prune(run: str, out: str, file: str) -> int:
    """`djhop baseline prune`: take out what is fixed, and nothing else."""
    from djhop.baseline import ratchet, words

    path, text, listed, found, _ = _look(run, out, file, must=True)
    if found.fixed:
        _write(path, ratchet.prune(listed, found), text)
    terminal.show(words.written(found, str(path), added=False))
    return ExitCode.OK


def _look(run: str, out: str, file: str, *, must: bool) -> tuple[Path, str, Listed, Checked, Run]:
    """Read the run and the file; return the file's path, its text, what the two say, the run."""
    from djhop.baseline import lines, ratchet
    from djhop.store import store

    folder = store.find(run, Path(out))
    finished = folder.load_whole()
    path = _path(file, finished)
    text = _read(path, must=must)
    listed = lines.read(text.replace(_CRLF, "\n"), str(path))
    found = ratchet.check(listed.lines, finished, folder.results())
    return path, text, listed, found, finished


def _path(file: str, run: Run) -> Path:
    path = Path(file) if file else Path(run.target.root, NAME)
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", hint="--file says where the file is")
    return path.resolve()  # of a link, what it leads to is written


def _read(path: Path, *, must: bool) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if must:
            raise UsageError(f"there is no {path}", hint="djhop baseline record makes it") from None
        return ""
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error}", hint="save it as UTF-8") from error


def _write(path: Path, listed: Listed, before: str) -> None:
    """Write the file, with the ends of lines that it had."""
    text = listed.text
    text = text.replace("\n", _CRLF) if _CRLF in before else text
    if text != before:
        durable.write(path, text.encode())
