"""pytest options that would falsify a matrix: found in a target's addopts, and left out."""

from __future__ import annotations

from collections.abc import Sequence

#: Option → why it goes. Those that take a value have it after "=" or in the next word.
_DROPPED = {
    "-x": "it ends the suite at its first failure",
    "--exitfirst": "it ends the suite at its first failure",
    "--maxfail": "it ends the suite early",
    "--sw": "it ends the suite at its first failure",
    "--stepwise": "it ends the suite at its first failure",
    "--sw-skip": "it ends the suite early",
    "--stepwise-skip": "it ends the suite early",
    "--lf": "it runs only what failed before",
    "--last-failed": "it runs only what failed before",
    "--ff": "it changes the order from run to run",
    "--failed-first": "it changes the order from run to run",
    "--nf": "it changes the order from run to run",
    "--new-first": "it changes the order from run to run",
    "--pdb": "nobody is there to answer",
    "--trace": "nobody is there to answer",
    "--collect-only": "no test would run",
    "--co": "no test would run",
}
_WITH_VALUE = frozenset({"--maxfail"})
_DROPPED_PLUGINS = {
    "no:warnings": "it makes -W do nothing",
    "no:junitxml": "the XML is compared with the events",
}


def cleaned(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words without what would falsify a matrix, and what was dropped and why."""
    kept: list[str] = []
    notes: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name = word.partition("=")[0]
        if name in _DROPPED:
            if name in _WITH_VALUE and "=" not in word and rest:
                word += f" {rest.pop(0)}"
            notes.append(f"{word} is left out: {_DROPPED[name]}")
        elif (plugin := _plugin(word, rest)) in _DROPPED_PLUGINS:
            del rest[: word == "-p"]
            notes.append(f"-p {plugin} is left out: {_DROPPED_PLUGINS[plugin]}")
        else:
            kept.append(word)
    return tuple(kept), tuple(notes)


def _plugin(word: str, rest: Sequence[str]) -> str:
    if word == "-p":
        return rest[0] if rest else ""
    return word[2:] if word.startswith("-p") and not word.startswith("--") else ""


def blocked(words: Sequence[str]) -> frozenset[str]:
    """Name the plugins that the words keep from loading: their options would be unknown."""
    plugins = [_plugin(word, words[index + 1 :]) for index, word in enumerate(words)]
    return frozenset(name[3:] for name in plugins if name.startswith("no:"))
