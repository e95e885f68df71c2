"""Commands for a matrix that many machines run: merge."""

from __future__ import annotations

from typing import Any

import click

from djhop.arguments.options import CONTEXT, JSON, OUT
from djhop.arguments.run import cli


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
