"""The options that several commands share, and what they are read as."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import click

from djhop.arguments import completing

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 98}
#: The forms of a report; a test compares them with `reports.outputs`, which takes time to import.
FORMATS = (
    *(
        "text",
        "markdown",
        "html",
        "svg",
        "badge",
        "durations",
        "json",
        "jsonl",
        "junit",
        "ctrf",
        "sarif",
    ),
    *("github-summary", "github-comment", "github-annotations"),
    *("gitlab-junit", "gitlab-quality", "cobertura", "lcov"),
)


class Rest:
    """What follows `--`, and nothing else: click would take it for arguments of ours."""

    args: tuple[str, ...] = ()


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
OUT = click.option("--out", metavar="DIR", default="reports", help="Where runs land.")
OUTPUT = click.option(
    "--output", "-o", metavar="FILE", help="Write it there instead of printing it."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
OFFLINE = click.option("--offline", is_flag=True, help="Use caches alone.")
BUDGET = click.option("--budget", type=DURATION, help="Stop after that long: 90s, 10m, 1h.")
TARGET = click.option(
    "--target", metavar="DIR", default="", help="Where the target is now, if it moved."
)


def with_all(command: Any, options: Iterable[Any]) -> Any:
    """Give a command these options; its help lists them in this order."""
    for option in reversed([*options]):
        command = option(command)
    return command


def path_options(command: Any) -> Any:
    """The options that say where the path goes; shared by plan, deps and run."""
    command = matrix_options(command)
    command = click.option("--to", "goal", metavar="SERIES", help="Last Django series.")(command)
    return click.option("--from", "start", metavar="SERIES", help="First Django series.")(command)


def matrix_options(command: Any) -> Any:
    """The options that every matrix takes; hop names its two series itself."""
    options = [
        click.option("--matrix", metavar="NAME|FILE", help="Preset or matrix file (default: lts)."),
        click.option("--python", metavar="X.Y", help="Python that the path starts on."),
        click.option("--policy", type=click.Choice(["minimal", "latest", "frozen"]),
                     metavar="POLICY", help="Moves: minimal (default), latest, frozen."),
        JSON,
    ]  # fmt: skip
    return with_all(command, options)


def cells_option(command: Any) -> Any:
    return click.option(
        "--cells",
        multiple=True,
        metavar="GLOB",
        shell_complete=completing.cells,
        help="Only these: glob or factor.",
    )(command)


#: For many machines, one for each cell; a test compares them with `ci.fanning`.
PLAN_FORMATS = ("text", "json", "github-matrix", "gitlab", "buildkite", "lines")
SHARDS = click.option(
    "--shards",
    multiple=True,
    metavar="[CELLS=]M",
    help="Divide each suite, or that of some cells, into M parts; 10m: parts that take as long.",
)


def plan_options(command: Any) -> Any:
    """The options of a plan that many machines follow."""
    options = [
        click.option("--format", "form", type=click.Choice(PLAN_FORMATS), default="text",
                     help="text, json; for a CI: github-matrix, gitlab, buildkite, lines.",
                     metavar="NAME"),
        click.option("--save", metavar="FILE",
                     help="Write the plan there, for djhop run --plan and djhop merge --plan."),
        SHARDS,
        OUT,
    ]  # fmt: skip
    return with_all(command, options)


def machine_options(command: Any) -> Any:
    """The options of a cell that is run on a machine of its own; its bundle is merged later."""
    options = [
        click.option("--cell", metavar="ID", shell_complete=completing.cells,
                     help="This cell alone: py3.12-django5.2."),
        click.option("--shard", metavar="N/M", help="Part N of M of the suite, by ids of tests."),
        click.option("--bundle", metavar="FILE", help="Write all of the cell to this zip file."),
        click.option("--plan", "plan_file", metavar="FILE",
                     help="The plan that djhop plan --save made."),
        click.option("--executor", metavar="URL",
                     help="Cells on a Dask cluster: dask://HOST:PORT."),
    ]  # fmt: skip
    return with_all(command, options)


def run_options(command: Any) -> Any:
    """The options of what runs cells; shared by run and hop."""
    options = [
        click.option("--jobs", "-j", type=click.IntRange(0), help="Cells at a time (0: cores)."),
        OUT,
        click.option("--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS",
                     help="Longest a pass may take."),
        click.option("--strict", type=click.Choice(["suite", "literal"]),
                     help="From test modules on, or as `python -W`."),
        click.option("--only", metavar="STEPS",
                     help="tests,checks,migrations,database,settings."),
        click.option("--sandbox", is_flag=True,
                     help="No network, no writing outside of the cell."),
        click.option("--fresh", is_flag=True, help="Resolve and run again, whatever is kept."),
        click.option("--recreate", is_flag=True, help="Build environments anew."),
        OFFLINE,
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
        click.option("--verbose", "-v", is_flag=True,
                     help="Say each step; then all of the report."),
    ]  # fmt: skip
    return with_all(command, options)
