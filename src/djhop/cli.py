"""The command line: arguments, dispatch, the one error boundary, exit codes."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import click

import djhop
from djhop.errors import DjhopError, ExitCode, UsageError


class _State:
    """What follows `--`, and nothing else: click would take it for arguments of ours."""

    args: tuple[str, ...] = ()


#: The forms of a report; a test compares them with `reports.outputs`, which takes time to import.
FORMATS = (
    *("text", "markdown", "html", "svg", "badge", "json", "jsonl", "junit", "ctrf", "sarif"),
    *("github-summary", "github-comment", "github-annotations"),
    *("gitlab-junit", "gitlab-quality", "cobertura", "lcov"),
)


class _Duration(click.ParamType[float]):
    """A number of seconds, or of minutes or hours with their letter behind it."""

    name = "TIME"
    _units: ClassVar = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return seconds."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(value).strip())
        if not found or not float(found[1]):
            self.fail(f"{value!r} is not a duration, as 90s, 10m and 1h are", param, ctx)
        return float(found[1]) * self._units[found[2]]


DURATION = _Duration()
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 98}


@click.group(context_settings=CONTEXT)
@click.version_option(djhop.__version__, prog_name="djhop", message="%(prog)s %(version)s")
def cli() -> None:
    """Show where each hop of a Django upgrade breaks, why, and whose fault it is."""


def _path_options(command: Any) -> Any:
    """The options that say where the path goes; shared by plan, deps and run."""
    command = _matrix_options(command)
    command = click.option("--to", "goal", metavar="SERIES", help="Last Django series.")(command)
    return click.option("--from", "start", metavar="SERIES", help="First Django series.")(command)


def _matrix_options(command: Any) -> Any:
    """The options that every matrix takes; hop names its two series itself."""
    options = [
        click.option("--matrix", metavar="NAME|FILE", help="Preset or matrix file (default: lts)."),
        click.option("--python", metavar="X.Y", help="Python that the path starts on."),
        click.option("--policy", type=click.Choice(["minimal", "latest", "frozen"]),
                     help="What else moves with Django (default: minimal)."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _cells_option(command: Any) -> Any:
    return click.option(
        "--cells", multiple=True, metavar="GLOB", help="Only these: glob or factor."
    )(command)


def _run_options(command: Any) -> Any:
    """The options of what runs cells; shared by run and hop."""
    options = [
        click.option("--jobs", "-j", type=click.IntRange(0), help="Cells at a time (0: cores)."),
        click.option("--out", metavar="DIR", default="reports", help="Where runs land."),
        click.option("--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS",
                     help="Longest one pass of a cell may take."),
        click.option("--strict", type=click.Choice(["suite", "literal"]),
                     help="From test modules on, or as `python -W`."),
        click.option("--only", metavar="STEPS",
                     help="tests,checks,migrations,database,settings."),
        click.option("--fresh", is_flag=True, help="Resolve again, though nothing changed."),
        click.option("--recreate", is_flag=True, help="Build environments anew."),
        click.option("--offline", is_flag=True, help="Use caches alone."),
        click.option("--data", metavar="FILE",
                     help="Rows (fixture, SQL dump) that are upgraded."),
        click.option("--before-rev", metavar="REV",
                     help="Git revision that is deployed today."),
        click.option("--install-only", is_flag=True, help="Make the environments; run no test."),
        click.option("--install-python", type=click.Choice(["auto", "never"]), default="auto",
                     help="Whether uv may install a missing Python."),
        click.option("--fail-fast", is_flag=True, help="After a red cell, start no other."),
        click.option("--resume", is_flag=True, help="Keep the cells an interrupted run finished."),
        click.option("--auto", is_flag=True, help="Then bisect each cause, worst first."),
        click.option("--auto-budget", type=DURATION, default="10m", show_default=True,
                     help="How long that may take."),
        click.option("--peel", type=DURATION,
                     help="Then look behind what is red, that long."),
        click.option("--dry-run", is_flag=True, help="Print every command; run none."),
        click.option("--list", "list_only", is_flag=True, help="Print the cells; run none."),
        click.option("--quiet", "-q", is_flag=True, help="Print the final report only."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@cli.command(
    "plan", context_settings=CONTEXT, short_help="Show the path, its cells and interpreters."
)
@click.argument("target", default="")
@_path_options
@_cells_option
def plan_command(**given: Any) -> int:
    """Show the path, its hops and cells, and which interpreters are there. Installs nothing."""
    from djhop.commands import planning

    return planning.plan(**given)


@cli.command("deps", context_settings=CONTEXT, short_help="Say what has to move with each hop.")
@click.argument("target", default="")
@_path_options
@click.option(
    "--emit",
    type=click.Choice(["uv", "poetry", "pdm", "pip", "pipenv"]),
    help="Print the commands that carry it out, instead.",
)
@click.option("--offline", is_flag=True, help="Use caches alone.")
@click.option("--fresh", is_flag=True, help="Resolve again, though nothing changed.")
@click.option("--quiet", "-q", is_flag=True, help="Do not say what is being resolved.")
def deps_command(**given: Any) -> int:  # fmt: skip
    """Say what has to move on each hop, what can move today, and what is in the way.

    Proven by resolving; nothing is installed and no test is run.
    """
    from djhop.commands import planning

    return planning.deps(**given)


@cli.command("run", context_settings=CONTEXT, short_help="Run the matrix and report what breaks.")
@click.argument("target", default="")
@_path_options
@_cells_option
@_run_options
def run_command(**given: Any) -> int:
    """Run the matrix on TARGET (default: here) and report where each hop breaks.

    What follows `--` goes to the suite: djhop run . -- tests/test_orders.py -k refund
    """
    from djhop.commands import running

    return running.run(args=_State.args, **given)


@cli.command("hop", context_settings=CONTEXT, short_help="Run one Django hop: two cells, no more.")
@click.argument("before")
@click.argument("after")
@click.argument("target", default="")
@_matrix_options
@_cells_option
@_run_options
def hop_command(**given: Any) -> int:
    """Run one hop only: Django BEFORE and AFTER on one Python, and nothing else."""
    from djhop.commands import running

    return running.hop(args=_State.args, **given)


@cli.command(
    "bisect", context_settings=CONTEXT, short_help="Find the release that brought a break."
)
@click.argument("run", default="latest")
@click.option("--cause", metavar="ID", help="A cause of the run, or how its id begins.")
@click.option("--test", metavar="ID", help="A test of the run.")
@click.option("--hop", metavar="A..B", help="Each cause of a hop, worst first: 4.2..5.2.")
@click.option("--since", metavar="RUN", help="The good end is the cell in this run.")
@click.option("--out", metavar="DIR", default="reports", help="Where runs land.")
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Runs of the last good and the first bad.",
)
@click.option("--budget", type=DURATION, help="Stop after that long: 90s, 10m, 1h.")
@click.option("--fresh", is_flag=True, help="Run everything again.")
@click.option("--offline", is_flag=True, help="Use caches alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
@click.option("--quiet", "-q", is_flag=True, help="Print the answer only.")
def bisect_command(**given: Any) -> int:  # fmt: skip
    """Find what brought a failure of RUN in: Django, Python or a package, and which release of it.

    RUN is a folder, a name, or the latest. Without --cause, --test or --hop it is the worst cause
    of the first hop that breaks. What follows `--` goes to the suite.
    """
    from djhop.commands import explaining

    return explaining.bisect(args=_State.args, **given)


@cli.command("report", context_settings=CONTEXT, short_help="Print the report of a run again.")
@click.argument("run", default="latest")
@click.argument("other", default="")
@click.option("--out", metavar="DIR", default="reports", help="Where runs land.")
@click.option(
    "--format",
    "form",
    metavar="NAME",
    type=click.Choice(FORMATS),
    default="text",
    help=f"How it is written: {', '.join(FORMATS)}. docs/outputs.md describes each.",
)
@click.option("--cell", metavar="ID", default="", help="Coverage of this cell, not of all.")
@click.option(
    "--source", metavar="DIR", default="", help="Where the sources are that coverage names."
)
@click.option("--output", "-o", metavar="FILE", help="Write it there instead of printing it.")
def report_command(**given: Any) -> int:
    """Print the report of RUN again (a folder, a name, or the latest).

    With OTHER: what changed from RUN to OTHER, cell by cell (text, markdown or json).
    """
    from djhop.commands import reporting

    return reporting.report(**given)


@cli.command("fix", context_settings=CONTEXT, short_help="Try what a fixer repairs, and apply it.")
@click.argument("run", default="latest")
@click.option("--target", metavar="DIR", default="", help="Where the target is now, if it moved.")
@click.option("--try", "trying", is_flag=True, help="Rewrite a scratch copy; run both cells.")
@click.option("--write", is_flag=True, help="Apply a patch that was tried to a clean git tree.")
@click.option("--cause", metavar="ID", default="", help="Only this cause.")
@click.option("--hop", metavar="BEFORE..AFTER", default="", help="Only this hop.")
@click.option("--out", metavar="DIR", default="reports", help="Where runs land.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
@click.option("--offline", is_flag=True, help="Use caches alone.")
@click.option("--quiet", "-q", is_flag=True, help="Print the result only.")
def fix_command(**given: Any) -> int:
    """Say what django-upgrade repairs of what RUN (default: the latest) has seen break.

    --try lets it rewrite a scratch copy, for the series before the hop, and runs the suite on both
    sides of the hop with that: what is repaired, what else breaks, and the patch. The target is not
    touched. --write applies the patch, to a clean git tree only.

    What followed -- in the run has to follow here, too.
    """
    from djhop.commands import explaining

    return explaining.fix(args=_State.args, **given)


@cli.command(
    "deprecations",
    context_settings=CONTEXT,
    short_help="List what a run saw deprecated, and when it goes.",
)
@click.argument("run", default="latest")
@click.option("--out", metavar="DIR", default="reports", help="Where runs land.")
@click.option(
    "--owner",
    multiple=True,
    metavar="NAME",
    help="Only this owner's: project, django, python or a package.",
)
@click.option(
    "--removed-in",
    multiple=True,
    metavar="SERIES",
    help="Only what this removes: a Django series, or python3.12.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "lines"]),
    default="text",
    help="How it is written; lines: file:line:col: message, for editors.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
def deprecations_command(**given: Any) -> int:  # fmt: skip
    """List what RUN saw deprecated (a folder, a name, or the latest), and on which hop it goes.

    Where that hop was run, it is said whether it broke. Nothing is run, and no cell is needed
    beside the run's folder. In an editor: vim -q <(djhop deprecations --format lines)
    """
    from djhop.commands import reporting

    return reporting.deprecations(**given)


@cli.command(
    "peel", context_settings=CONTEXT, short_help="Look behind the first cause of a red cell."
)
@click.argument("run", default="latest")
@click.option("--target", metavar="DIR", default="", help="Where the target is now, if it moved.")
@click.option(
    "--cell", metavar="ID", default="", help="This cell (default: the worst that is red)."
)
@click.option("--hop", metavar="BEFORE..AFTER", default="", help="The cell after this hop.")
@click.option("--all", "every", is_flag=True, help="Each red cell, the worst first.")
@click.option("--budget", type=DURATION, help="Stop after that long: 90s, 10m, 1h.")
@click.option("--out", metavar="DIR", default="reports", help="Where runs land.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
@click.option("--offline", is_flag=True, help="Use caches alone.")
@click.option("--quiet", "-q", is_flag=True, help="Print the result only.")
def peel_command(**given: Any) -> int:  # fmt: skip
    """Say what hides behind the first cause of a red cell of RUN (default: the latest).

    On a scratch copy the first cause is taken away (django-upgrade; else a shim of what was
    removed; else what cannot be loaded is left out), the suite is run again, and so on until it
    runs or nothing more can be taken away. The target is not touched, the cell keeps its status.

    What followed -- in the run has to follow here, too.
    """
    from djhop.commands import explaining

    return explaining.peel(args=_State.args, **given)


@cli.group("baseline", context_settings=CONTEXT, short_help="Fail for what is newly broken.")
def baseline_group() -> None:
    """Keep the list of what is known to break, and to be deprecated, on each hop.

    It is a text file in the target's repository, djhop-baseline.txt: docs/baseline.md. RUN is a
    folder, a name, or the latest. Nothing is run.
    """


def _baseline_options(command: Any) -> Any:
    options = [
        click.argument("run", default="latest"),
        click.option("--out", metavar="DIR", default="reports", help="Where runs land."),
        click.option("--file", metavar="FILE", default="",
                     help="The list (default: djhop-baseline.txt in the target)."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@baseline_group.command("record", context_settings=CONTEXT, short_help="Write what breaks in RUN.")
@_baseline_options
def baseline_record_command(**given: Any) -> int:
    """Write what breaks, and what is deprecated, in RUN; comments are kept.

    Lines of which RUN does not tell stay as they are.
    """
    from djhop.commands import ratcheting

    return ratcheting.record(**given)


@baseline_group.command(
    "check", context_settings=CONTEXT, short_help="Fail for what is new, or fixed."
)
@_baseline_options
def baseline_check_command(**given: Any) -> int:
    """Fail (1) for what is in RUN and not listed, and for what is listed and fixed.

    It ends with 4 where RUN does not tell all that it was to tell.
    """
    from djhop.commands import ratcheting

    return ratcheting.check(**given)


@baseline_group.command("prune", context_settings=CONTEXT, short_help="Take out what is fixed.")
@_baseline_options
def baseline_prune_command(**given: Any) -> int:
    """Take out of the list what RUN shows to be fixed, and nothing else."""
    from djhop.commands import ratcheting

    return ratcheting.prune(**given)


@cli.command("doctor", context_settings=CONTEXT, short_help="Say what is missing and what to type.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
def doctor_command(**given: Any) -> int:
    """Say what is there, what is missing and what to type: interpreters, uv, caches, disk."""
    from djhop import doctor

    return doctor.run(**given)


def split(argv: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split at the first `--`: what is ours, and what goes to the suite."""
    if "--" not in argv:
        return list(argv), ()
    at = list(argv).index("--")
    return list(argv[:at]), tuple(argv[at + 1 :])


def main(argv: Sequence[str] | None = None) -> None:
    """Run djhop and exit with the code of `errors.ExitCode` that applies."""
    ours, _State.args = split(sys.argv[1:] if argv is None else argv)
    sys.exit(int(_boundary(ours)))


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
