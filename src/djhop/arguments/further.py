"""Commands that go on from a run: bisect, fix, peel."""

from __future__ import annotations

from typing import Any

import click

from djhop.arguments import completing
from djhop.arguments.options import BUDGET, CONTEXT, JSON, OFFLINE, OUT, TARGET, Rest
from djhop.arguments.run import cli


@cli.command(
    "bisect", context_settings=CONTEXT, short_help="Find the release that brought a break."
)
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option("--cause", metavar="ID", help="A cause of the run, or how its id begins.")
@click.option("--test", metavar="ID", help="A test of the run.")
@click.option(
    "--hop",
    shell_complete=completing.hops,
    metavar="A..B",
    help="Each cause of a hop, worst first: 4.2..5.2.",
)
@click.option(
    "--since",
    shell_complete=completing.runs,
    metavar="RUN",
    help="The good end is the cell in this run.",
)
@OUT
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Runs of the last good and the first bad.",
)
@BUDGET
@click.option("--fresh", is_flag=True, help="Run everything again.")
@OFFLINE
@JSON
@click.option("--quiet", "-q", is_flag=True, help="Print the answer only.")
def bisect_command(**given: Any) -> int:  # fmt: skip
    """Find what brought a failure of RUN in: Django, Python or a package, and which release of it.

    RUN is a folder, a name, or the latest. Without --cause, --test or --hop it is the worst cause
    of the first hop that breaks. What follows `--` goes to the suite.
    """
    from djhop.commands import explaining

    return explaining.bisect(args=Rest.args, **given)


@cli.command("fix", context_settings=CONTEXT, short_help="Try what a fixer repairs, and apply it.")
@click.argument("run", default="latest", shell_complete=completing.runs)
@TARGET
@click.option("--try", "trying", is_flag=True, help="Rewrite a scratch copy; run both cells.")
@click.option("--write", is_flag=True, help="Apply a patch that was tried to a clean git tree.")
@click.option("--cause", metavar="ID", default="", help="Only this cause.")
@click.option(
    "--hop",
    shell_complete=completing.hops,
    metavar="BEFORE..AFTER",
    default="",
    help="Only this hop.",
)
@OUT
@JSON
@OFFLINE
@click.option("--quiet", "-q", is_flag=True, help="Print the result only.")
def fix_command(**given: Any) -> int:
    """Say what django-upgrade repairs of what RUN (default: the latest) has seen break.

    --try lets it rewrite a scratch copy, for the series before the hop, and runs the suite on both
    sides of the hop with that: what is repaired, what else breaks, and the patch. The target is not
    touched. --write applies the patch, to a clean git tree only.

    What followed -- in the run has to follow here, too.
    """
    from djhop.commands import explaining

    return explaining.fix(args=Rest.args, **given)


@cli.command(
    "peel", context_settings=CONTEXT, short_help="Look behind the first cause of a red cell."
)
@click.argument("run", default="latest", shell_complete=completing.runs)
@TARGET
@click.option(
    "--cell",
    shell_complete=completing.cells,
    metavar="ID",
    default="",
    help="This cell (default: the worst that is red).",
)
@click.option(
    "--hop",
    shell_complete=completing.hops,
    metavar="BEFORE..AFTER",
    default="",
    help="The cell after this hop.",
)
@click.option("--all", "every", is_flag=True, help="Each red cell, the worst first.")
@BUDGET
@OUT
@JSON
@OFFLINE
@click.option("--quiet", "-q", is_flag=True, help="Print the result only.")
def peel_command(**given: Any) -> int:  # fmt: skip
    """Say what hides behind the first cause of a red cell of RUN (default: the latest).

    On a scratch copy the first cause is taken away (django-upgrade; else a shim of what was
    removed; else what cannot be loaded is left out), the suite is run again, and so on until it
    runs or nothing more can be taken away. The target is not touched, the cell keeps its status.

    What followed -- in the run has to follow here, too.
    """
    from djhop.commands import explaining

    return explaining.peel(args=Rest.args, **given)
