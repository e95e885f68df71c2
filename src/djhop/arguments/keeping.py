"""The command on the folder that djhop keeps between runs."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import click

from djhop.arguments.options import CONTEXT, JSON
from djhop.arguments.run import cli


class _Amount(click.ParamType[float]):
    """A number with a unit behind it."""

    units: ClassVar[dict[str, float]]
    example: ClassVar[str]

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return bytes, or seconds."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z])", str(value).strip())
        if not found or found[2].upper() not in self.units:
            self.fail(f"{value!r} is not {self.name}, as {self.example} are", param, ctx)
        return float(found[1]) * self.units[found[2].upper()]


class _Size(_Amount):
    name = "a size"
    units: ClassVar = {"M": 1e6, "G": 1e9, "T": 1e12}
    example = "500M and 5G"


class _Age(_Amount):
    name = "an age"
    units: ClassVar = {"H": 3600.0, "D": 86400.0, "W": 604800.0}
    example = "12h, 30d and 4w"


@cli.group(
    "cache",
    context_settings=CONTEXT,
    invoke_without_command=True,
    short_help="Say what lies in the cache; make room there.",
)
@JSON
@click.pass_context
def cache_group(context: click.Context, as_json: bool) -> int:
    """Say what lies in the folder that is kept between runs, and how large it is.

    It is $DJHOP_CACHE, or the user's cache directory: docs/cache.md.
    """
    if context.invoked_subcommand is not None:
        return 0
    from djhop.commands import caching

    return caching.show(as_json=as_json)


@cache_group.command("prune", context_settings=CONTEXT, short_help="Remove what is not in use.")
@click.option("--keep", type=_Size(), metavar="SIZE", help="Until so much is left: 500M, 5G.")
@click.option("--older", type=_Age(), metavar="AGE", help="What was not used for so long: 30d.")
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@JSON
def cache_prune_command(keep: float | None, older: float | None, **given: Any) -> int:
    """Remove environments, copies and results, the longest unused first.

    What a djhop uses, or has used within the last hour, stays. What is gone is made again when it
    is needed.
    """
    from djhop.commands import caching

    return caching.prune(None if keep is None else int(keep), older, **given)
