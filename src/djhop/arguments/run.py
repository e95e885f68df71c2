"""`djhop`, and the commands that look at a target or run its cells."""

from __future__ import annotations

from typing import Any

import click

import djhop
from djhop.arguments import completing
from djhop.arguments.options import (
    CONTEXT,
    JSON,
    OFFLINE,
    Rest,
    cells_option,
    machine_options,
    matrix_options,
    path_options,
    plan_options,
    run_options,
)


@click.group(context_settings=CONTEXT)
@click.version_option(djhop.__version__, prog_name="djhop", message="%(prog)s %(version)s")
def cli() -> None:
    """Show where each hop of a Django upgrade breaks, why, and whose fault it is."""


@cli.command(
    "plan", context_settings=CONTEXT, short_help="Show the path, its cells and interpreters."
)
@click.argument("target", default="")
@path_options
@cells_option
@plan_options
def plan_command(**given: Any) -> int:
    """Show the path, its hops and cells, and which interpreters are there. Installs nothing."""
    from djhop.commands import planning

    return planning.plan(**given)


@cli.command("deps", context_settings=CONTEXT, short_help="Say what has to move with each hop.")
@click.argument("target", default="")
@path_options
@click.option(
    "--emit",
    type=click.Choice(["uv", "poetry", "pdm", "pip", "pipenv"]),
    help="Print the commands that carry it out, instead.",
)
@OFFLINE
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
@path_options
@cells_option
@machine_options
@run_options
def run_command(**given: Any) -> int:
    """Run the matrix on TARGET (default: here). After `--`: words for its suite."""
    from djhop.commands import running

    return running.run(args=Rest.args, **given)


@cli.command("hop", context_settings=CONTEXT, short_help="Run one Django hop: two cells, no more.")
@click.argument("before", shell_complete=completing.series)
@click.argument("after", shell_complete=completing.series)
@click.argument("target", default="")
@matrix_options
@cells_option
@run_options
@click.option("--watch", is_flag=True, help="Then run what failed for each change.")
def hop_command(**given: Any) -> int:
    """Run one hop only: Django BEFORE and AFTER on one Python, and nothing else.

    What follows `--` goes to the suite (djhop hop 4.2 5.2 -- test_orders.py -k refund): then the
    cell after runs first, the one before only to compare, and what passed and has not changed not
    again.
    """
    from djhop.commands import running

    return running.hop(args=Rest.args, **given)


@cli.command("doctor", context_settings=CONTEXT, short_help="Say what is missing and what to type.")
@JSON
def doctor_command(**given: Any) -> int:
    """Say what is there, what is missing and what to type: interpreters, uv, caches, disk."""
    from djhop import doctor

    return doctor.run(**given)
