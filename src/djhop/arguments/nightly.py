"""Commands for a matrix that many machines run: ci, merge."""

from __future__ import annotations

from typing import Any

import click

from djhop.arguments.options import CONTEXT, JSON, OUT, SHARDS
from djhop.arguments.run import cli


@cli.command("ci", context_settings=CONTEXT, short_help="Write a workflow for the CI you have.")
@click.argument("system", metavar="github|gitlab|jenkins|buildkite")
@click.argument("target", default="")
@click.option("--matrix", metavar="NAME|FILE", help="Preset or matrix file (default: lts).")
@click.option("--from", "start", metavar="SERIES", help="First Django series.")
@click.option("--to", "goal", metavar="SERIES", help="Last Django series.")
@click.option("--python", metavar="X.Y", help="Python that the path starts on.")
@SHARDS
@click.option("--install", metavar="REQUIREMENT", default="djhop", help="What pip installs.")
@click.option(
    "--timeout",
    metavar="MINUTES",
    type=click.IntRange(1, 1440),
    default=120,
    show_default=True,
    help="Longest the job of a cell may take.",
)
@click.option("--write", is_flag=True, help="Write it where that system looks for it.")
@click.option("--force", is_flag=True, help="With --write: replace a file that is there.")
def ci_command(**given: Any) -> int:
    """Print a complete workflow: one job plans, one runs each cell, the last merges and judges.

    It does not change with the matrix: the plan is made in it, every night. TARGET is named from
    the root of the repository. docs/ci.md.
    """
    from djhop.commands import workflows

    return workflows.ci(**given)


@cli.command("merge", context_settings=CONTEXT, short_help="Make one run of many bundles.")
@click.argument("bundles", nargs=-1, metavar="BUNDLE...")
@OUT
@click.option("--plan", metavar="FILE", default="", help="What was to be run: djhop plan --save.")
@click.option("--target", metavar="DIR", default="", help="Where the target is here, if it moved.")
@JSON
@click.option("--quiet", "-q", is_flag=True, help="Print the report only.")
def merge_command(**given: Any) -> int:  # fmt: skip
    """Make one run of what `djhop run --cell ID --bundle FILE` left on many machines, and judge it.

    BUNDLE is a file, or a folder with bundles in it. What is missing, twice there or damaged is
    named, and is never green. docs/ci.md.
    """
    from djhop.commands import merging

    return merging.merge(**given)
