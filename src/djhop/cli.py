"""The command line: what is ours and what is the suite's, the one error boundary, exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

import djhop
from djhop.arguments import (  # noqa: F401 - they add their commands to `cli`
    completing,
    desk,
    further,
    keeping,
    nightly,
    readiness,
    told,
)
from djhop.arguments.options import Rest
from djhop.arguments.run import cli
from djhop.errors import DjhopError, ExitCode, InfraError, UsageError


def split(argv: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split at the first `--`: what is ours, and what goes to the suite."""
    if "--" not in argv:
        return list(argv), ()
    at = list(argv).index("--")
    return list(argv[:at]), tuple(argv[at + 1 :])


def main(argv: Sequence[str] | None = None) -> None:
    """Run djhop and exit with the code of `errors.ExitCode` that applies."""
    if completing.VARIABLE in os.environ:
        found = completing.of_tests(os.environ)
        if found is not None:
            click.echo(found)
            sys.exit(0)
    ours, Rest.args = split(sys.argv[1:] if argv is None else argv)
    with _raising():
        code = int(_boundary(ours))
    sys.exit(code)


@contextlib.contextmanager
def _raising() -> Iterator[None]:
    """SIGTERM and SIGHUP end djhop as Ctrl-C does, so that nothing it began is left behind.

    What is ignored (nohup) stays ignored. Commands that run cells have handlers of their own.
    """
    ended = (signal.SIGTERM, signal.SIGHUP)
    ours = [n for n in ended if signal.getsignal(n) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        ours = []
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _boundary(argv: list[str]) -> int:
    """Every error ends here, as a message a person can act on."""
    try:
        code = cli.main(argv, prog_name="djhop", standalone_mode=False)
        return int(code or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except BaseException as error:
        return _failed(error)


def _failed(error: BaseException) -> int:
    """Say what ended the command; return the exit code that stands for it."""
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        print("djhop: interrupted", file=sys.stderr)  # noqa: T201
        return ExitCode.INTERRUPTED
    if isinstance(error, MemoryError) or "can't start new thread" in str(error):
        error = InfraError("the machine has no memory left", hint="try fewer --jobs")
    if isinstance(error, DjhopError):
        _say(error)
        return error.return_code
    if isinstance(error, (BrokenPipeError, SystemExit)):  # click makes the one of the other
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    return _internal()


def _say(error: DjhopError) -> None:
    kind = (
        ""
        if isinstance(error, UsageError)
        else f" ({error.return_code.name.lower().replace('_', ' ')})"
    )
    _tell(f"djhop{kind}: {error}")
    if error.hint:
        _tell(f"  {error.hint}")


def _tell(line: str) -> None:
    """Print a line that may quote a target, a file or uv; nothing secret, nothing that steers."""
    from djhop import console, masking

    console.say(masking.mask(line, masking.values(os.environ)), sys.stderr)


def _internal() -> int:
    """Write the traceback where it can be pasted from, and say so in two lines."""
    from djhop import masking

    text = (
        f"djhop {djhop.__version__} on Python {sys.version.split()[0]}, {sys.platform}\n"
        f"argv: {sys.argv[1:]!r}\n\n{traceback.format_exc()}"
    )
    text = masking.mask(text, masking.values(os.environ))
    fd, name = tempfile.mkstemp(prefix="djhop-error-", suffix=".log")
    with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(text)
    last = text.rstrip().rsplit("\n", 1)[-1]
    _tell(f"djhop: internal error: {last}")
    _tell(f"  this is a bug in djhop; please report it with {Path(name)}")
    return ExitCode.INTERNAL
