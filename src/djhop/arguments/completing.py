"""What the shell completes: click's own part, and what earlier runs are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

#: The variable by which a shell asks; click derives it from the name of the program.
VARIABLE = "_DJHOP_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """What a shell reads to complete djhop's words."""
    made = _of(shell)
    return ShellComplete.source(made)  # bash's own would start a bash to look at its version


def runs(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Names of runs."""
    from djhop import completion

    return _begun(completion.runs(_out(context)), begun)


def cells(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Cells of the run that is meant."""
    from djhop import completion

    return _begun(completion.cells(_out(context), _run(context)), begun)


def hops(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Hops of the run that is meant."""
    from djhop import completion

    return _begun(completion.hops(_out(context), _run(context)), begun)


def series(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Series of Django that are released."""
    from djhop import releases

    return _begun([row.version for row in releases.load().released()], begun)


def of_tests(environ: Mapping[str, str]) -> str | None:
    """What follows `--` is the suite's: its tests; None where something else is asked for."""
    named, _, what = environ.get(VARIABLE, "").partition("_")
    if what != "complete" or named not in SHELLS:
        return None
    asking = _of(named)
    words, begun = asking.get_completion_args()
    if "--" not in words:
        return None
    from djhop import completion

    at = words.index("--")
    cut = 0
    if named == "bash":  # it takes a colon for the end of a word
        words, begun, cut = _joined(words, at, begun)
    found = completion.tests(_named_out(words[:at]), begun)
    return "\n".join(asking.format_completion(CompletionItem(name[cut:])) for name in found)


def _joined(words: Sequence[str], at: int, begun: str) -> tuple[list[str], str, int]:
    """Put together again what bash has split at colons; how much of it bash keeps."""
    words = list(words)
    kept = ""
    while len(words) > at + 1 and (_colons(words[-1]) or _colons(begun) or _colons(kept[:1])):
        kept = words.pop() + kept
        if _colons(begun):
            kept, begun = kept + begun, ""
    if _colons(begun) and not kept:
        return words, begun, 0
    return words, kept + begun, len(kept)


def _colons(word: str) -> bool:
    return bool(word) and not word.strip(":")


def _of(shell: str) -> ShellComplete:
    from djhop.arguments.run import cli

    kind = get_completion_class(shell)
    assert kind is not None
    return kind(cli, {}, "djhop", VARIABLE)


def _begun(found: list[str], begun: str) -> list[str]:
    return [name for name in found if name.startswith(begun)]


def _out(context: click.Context) -> Path:
    given: Any = context.params.get("out")
    return Path(given or "reports")


def _run(context: click.Context) -> str:
    given: Any = context.params.get("run")
    return given or "latest"


def _named_out(words: Sequence[str]) -> Path:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word == "--out":
            return Path(following or "reports")
        if word.startswith("--out="):
            return Path(word[6:]).expanduser()
    return Path("reports")
