"""Commands of somebody at a desk: completion, init, shell, exec, open."""

from __future__ import annotations

from typing import Any

import click

from djhop.arguments import completing
from djhop.arguments.options import CONTEXT, OFFLINE, OUT, TARGET, Rest, with_all
from djhop.arguments.run import cli

RUN = click.option(
    "--run",
    shell_complete=completing.runs,
    metavar="RUN",
    default="latest",
    help="The run whose cell it is (default: the latest).",
)


@cli.command("completion", context_settings=CONTEXT, short_help="Print a script for the shell.")
@click.argument("shell", type=click.Choice(completing.SHELLS))
def completion_command(shell: str) -> int:
    """Print what SHELL reads to complete commands, options, runs, cells, hops and tests.

    eval "$(djhop completion bash)" in ~/.bashrc; the same with zsh in ~/.zshrc; for fish:
    djhop completion fish > ~/.config/fish/completions/djhop.fish
    """
    click.echo(completing.script(shell))
    return 0


@cli.command("init", context_settings=CONTEXT, short_help="Write a matrix file.")
@click.argument("target", default="")
@click.option(
    "--output", "-o", metavar="FILE", default="", help="Where (default: djhop.toml in TARGET)."
)
@click.option("--force", is_flag=True, help="Replace the file that is there.")
def init_command(target: str, **given: Any) -> int:
    """Write a matrix file from what TARGET (default: here) tells tox, nox, or PyPI by classifiers.

    It says what it could not read. Nothing is run.
    """
    from djhop.commands import initialising

    return initialising.init(target, **given)


def _room_options(command: Any) -> Any:
    return with_all(
        command,
        [click.argument("cell", shell_complete=completing.cells), RUN, TARGET, OUT, OFFLINE],
    )


@cli.command("shell", context_settings=CONTEXT, short_help="Open a shell in a cell.")
@_room_options
def shell_command(**given: Any) -> int:
    """Open a shell in CELL of a run: its packages, a fresh copy of the target, its variables.

    CELL is an id, how one begins, or a factor: py3.12-django5.2, django5.2. It ends with what the
    shell ends with.
    """
    from djhop.commands import entering

    return entering.shell(**given)


@cli.command("exec", context_settings=CONTEXT, short_help="Run one command in a cell.")
@_room_options
def exec_command(**given: Any) -> int:
    """Run what follows `--` in CELL of a run, and end with what that ends with.

    djhop exec django5.2 -- python -c "import django; print(django.VERSION)"
    """
    from djhop.commands import entering

    return entering.execute(args=Rest.args, **given)


@cli.command("open", context_settings=CONTEXT, short_help="Show a report in the browser.")
@click.argument("run", default="latest", shell_complete=completing.runs)
@OUT
def open_command(**given: Any) -> int:
    """Show the HTML report of RUN in the browser, and print where it is."""
    from djhop.commands import entering

    return entering.show(**given)
