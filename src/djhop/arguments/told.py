"""Commands that say again what a run has seen, and hold it against a list."""

from __future__ import annotations

from typing import Any

import click

from djhop.arguments import completing
from djhop.arguments.options import CONTEXT, FORMATS, JSON, OUT, OUTPUT, with_all
from djhop.arguments.run import cli


@cli.command("report", context_settings=CONTEXT, short_help="Print the report of a run again.")
@click.argument("run", default="latest", shell_complete=completing.runs)
@OUT
@click.option(
    "--format",
    "form",
    metavar="NAME",
    type=click.Choice(FORMATS),
    default="text",
    help=f"How it is written: {', '.join(FORMATS)}. docs/outputs.md describes each.",
)
@click.option(
    "--cell",
    shell_complete=completing.cells,
    metavar="ID",
    default="",
    help="Coverage of this cell, not of all.",
)
@click.option(
    "--source", metavar="DIR", default="", help="Where the sources are that coverage names."
)
@OUTPUT
@click.option("--verbose", "-v", is_flag=True, help="All of the text, not what fits a screen.")
def report_command(**given: Any) -> int:
    """Print the report of RUN again (a folder, a name, or the latest)."""
    from djhop.commands import reporting

    return reporting.report(**given)


@cli.command("diff", context_settings=CONTEXT, short_help="Say what changed between two runs.")
@click.argument("before", shell_complete=completing.runs)
@click.argument("after", default="latest", shell_complete=completing.runs)
@OUT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    help="How it is written.",
)
@OUTPUT
def diff_command(**given: Any) -> int:  # fmt: skip
    """Say what changed from the run BEFORE to AFTER (default: the latest), cell by cell.

    Each is a folder or a name. Both are read as they are on disk; nothing is run.
    """
    from djhop.commands import reporting

    return reporting.diff(**given)


@cli.command("history", context_settings=CONTEXT, short_help="Say how it went on earlier nights.")
@click.argument("words", metavar="[TEST|CELL|CAUSE]", nargs=-1)
@OUT
@click.option(
    "--file", metavar="FILE", default="", help="The history (default: as [history] says)."
)
@JSON
def history_command(**given: Any) -> int:  # fmt: skip
    """Say how a test, a cell or a cause fared on earlier nights; without one: which there are.

    TEST is an id or a part of one, CELL is py3.12-django5.2, CAUSE is the id of one.

    djhop history import RUN… adds older runs, in any order: folders or names.
    """
    from djhop.commands import recalling

    return recalling.history(**given)


@cli.command(
    "deprecations",
    context_settings=CONTEXT,
    short_help="List what a run saw deprecated, and when it goes.",
)
@click.argument("run", default="latest", shell_complete=completing.runs)
@OUT
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


@cli.group("baseline", context_settings=CONTEXT, short_help="Fail for what is newly broken.")
def baseline_group() -> None:
    """Keep the list of what is known to break, and to be deprecated, on each hop.

    It is a text file in the target's repository, djhop-baseline.txt: docs/baseline.md. RUN is a
    folder, a name, or the latest. Nothing is run.
    """


def _list_options(command: Any) -> Any:
    options = [
        click.argument("run", default="latest", shell_complete=completing.runs),
        OUT,
        click.option("--file", metavar="FILE", default="",
                     help="The list (default: djhop-baseline.txt in the target)."),
    ]  # fmt: skip
    return with_all(command, options)


@baseline_group.command("record", context_settings=CONTEXT, short_help="Write what breaks in RUN.")
@_list_options
def baseline_record_command(**given: Any) -> int:
    """Write what breaks, and what is deprecated, in RUN; comments are kept.

    Lines of which RUN does not tell stay as they are.
    """
    from djhop.commands import ratcheting

    return ratcheting.record(**given)


@baseline_group.command(
    "check", context_settings=CONTEXT, short_help="Fail for what is new, or fixed."
)
@_list_options
@click.option(
    "--gate",
    is_flag=True,
    help="End as RUN did for all that is no break of a hop: a cell without a result, a hop that "
    "is blocked, a red cell on no hop, a known flaky test that has expired.",
)
def baseline_check_command(**given: Any) -> int:
    """Fail (1) for what is in RUN and not listed, and for what is listed and fixed.

    It ends with 4 where RUN does not tell all that it was to tell.
    """
    from djhop.commands import ratcheting

    return ratcheting.check(**given)


@baseline_group.command("prune", context_settings=CONTEXT, short_help="Take out what is fixed.")
@_list_options
def baseline_prune_command(**given: Any) -> int:
    """Take out of the list what RUN shows to be fixed, and nothing else."""
    from djhop.commands import ratcheting

    return ratcheting.prune(**given)
