"""`djhop ready`: what it is asked."""

from __future__ import annotations

from typing import Any

import click

from djhop.arguments import completing
from djhop.arguments.options import (
    BUDGET,
    CONTEXT,
    OFFLINE,
    OUT,
    OUTPUT,
    TARGET,
    Rest,
    with_all,
)
from djhop.arguments.run import cli


def _measuring(command: Any) -> Any:
    options = [
        click.option("--measure", is_flag=True,
                     help="First run the suites in pairs, for the gate performance."),
        click.option("--hop", metavar="BEFORE..AFTER", default="", shell_complete=completing.hops,
                     help="Measure only this hop."),
        BUDGET,
        TARGET,
        OFFLINE,
    ]  # fmt: skip
    return with_all(command, options)


@cli.command("ready", context_settings=CONTEXT, short_help="Say whether a release is ready.")
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option(
    "--to",
    "goal",
    metavar="SERIES",
    default="",
    help="The Django that it is to be ready for (default: where the run's path ends).",
)
@click.option(
    "--by",
    metavar="DATE",
    default="",
    help="The day that is asked for, as 2026-12-31 (default: today).",
)
@click.option(
    "--gates",
    metavar="NAME|FILE",
    default="",
    help="Take [ready] from this matrix (default: as the run had it).",
)
@_measuring
@OUT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    help="How it is written.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@OUTPUT
@click.option("--quiet", "-q", is_flag=True, help="Do not say what is being measured.")
def ready_command(**given: Any) -> int:
    """Say on one page whether what RUN has seen is ready, and what stands between.

    RUN is a folder, a name, or the latest. The gates are [ready] in the matrix: docs/ready.md. It
    ends with 0 for "ready" alone: 6 with conditions, 1 not ready, 4 unknown. What was not measured
    is unknown.

    --measure runs the suite of both cells of each hop in turn, over and over, and nothing beside
    it; the time it takes is kept in the run. What followed -- in the run has to follow here, too.
    """
    from djhop.commands import readying

    return readying.ready(args=Rest.args, **given)
