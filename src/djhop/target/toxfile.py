"""tox's configuration, as far as it is literal: how the owners themselves run the tests."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import msgspec

from djhop.target import tree

if TYPE_CHECKING:
    from pathlib import Path


class Tox(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a tox configuration that hold whatever the environment."""

    #: "tox.ini", "setup.cfg", "pyproject.toml" or "tox.toml"; "" where there is none.
    path: str = ""
    envlist: str = ""
    deps: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    #: Commands as words, the section they stand in first: (("testenv", ("pytest", "tests")), …).
    commands: tuple[tuple[str, tuple[str, ...]], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    directory: str = ""
    notes: tuple[str, ...] = ()


_CONDITION = re.compile(r"^([\w!.,{}-]+):\s+(.+)$")
#: A factor that is excluded and is no Django and no Python.
_SPECIAL = re.compile(r"!(?!(?:py|pypy|cpython|dj|django)[\d.]+$)[\w.]+")
_REFERENCE = re.compile(r"\{\[([^\]]+)\]([\w-]+)\}")
_POSARGS = re.compile(r"\{posargs(?::([^{}]*))?\}|\[\]")
_ROOT = re.compile(r"\{(?:toxinidir|tox_root|changedir)\}/?")
_PYTHON = re.compile(r"\{(?:envpython|env_python)\}|\{(?:envbindir|env_bin_dir)\}/")


def read(root: Path) -> Tox:
    """Read tox.ini, [tox:tox] of setup.cfg, pyproject.toml or tox.toml, in tox's own order.

    Raises:
        UsageError: the file that is there has a syntax error.
    """
    if text := tree.read_if_there(root, "tox.ini"):
        return _from_ini(tree.read_ini(text, "tox.ini"), "tox.ini")
    if text := tree.read_if_there(root, "setup.cfg"):
        sections = tree.read_ini(text, "setup.cfg")
        if "testenv" in sections or "tox:tox" in sections:
            return _from_ini(sections, "setup.cfg")
    tool = tree.read_toml(root, "pyproject.toml").get("tool", {})
    table = tool.get("tox", {}) if isinstance(tool, dict) else {}
    if isinstance(table, dict) and isinstance(legacy := table.get("legacy_tox_ini"), str):
        return _from_ini(tree.read_ini(legacy, "pyproject.toml"), "pyproject.toml")
    if isinstance(table, dict) and table:
        return _from_toml(table, "pyproject.toml")
    return _from_toml(tree.read_toml(root, "tox.toml"), "tox.toml")


def _from_ini(sections: dict[str, dict[str, str]], path: str) -> Tox:
    base = sections.get("testenv", {})
    deps, skipped = _lines(sections, base.get("deps", ""))
    notes = []
    if skipped:
        notes.append(
            f"{path}: {skipped} lines of deps that depend on the environment are not read."
        )
    setenv, _ = _lines(sections, base.get("setenv", base.get("set_env", "")))
    pairs = [line.partition("=")[::2] for line in setenv if "=" in line]
    core = sections.get("tox", sections.get("tox:tox", {}))
    directory = _ROOT.sub("", base.get("changedir", base.get("change_dir", "")).strip())
    return Tox(
        path=path,
        envlist=core.get("envlist", core.get("env_list", "")),
        deps=tuple(deps),
        extras=_names(base.get("extras", "")),
        groups=_names(base.get("dependency_groups", "")),
        commands=tuple(
            (section, words)
            for section in _test_sections(sections)
            for words in _commands(sections, sections[section].get("commands", ""))
        ),
        environment=tuple(
            (name.strip(), text)
            for name, value in pairs
            if "{" not in (text := _ROOT.sub("./", value.strip()))
        ),
        directory="" if "{" in directory or "\n" in directory else directory,
        notes=tuple(notes),
    )


def _test_sections(sections: dict[str, Any]) -> list[str]:
    """[testenv] first, then the environments that seem to run tests."""
    names = [n for n in sections if n == "testenv" or n.startswith("testenv:")]
    return sorted(
        (n for n in names if n == "testenv" or re.search(r":.*(test|unit|py3|dj)", n)),
        key=lambda name: name != "testenv",
    )


def _lines(sections: dict[str, dict[str, str]], value: str) -> tuple[list[str], int]:
    """The unconditional lines of a value, and how many others there are."""
    kept, skipped = [], 0
    for conditional, line in _each(sections, value):
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        if conditional or (text.startswith("{") and not _ROOT.match(text)):
            skipped += 1
        elif text:
            kept.append(text)
    return kept, skipped


def _each(sections: dict[str, dict[str, str]], value: str) -> list[tuple[bool, str]]:
    """Each line, and whether it is conditional; what `{[section]key}` refers to is put in.

    As in tox, all lines that a conditional line refers to are conditional.
    """
    lines = [(False, value)]
    for _ in range(4):
        lines = [
            (outer or inner, _REFERENCE.sub(lambda m: _referred(sections, m), text))
            for outer, block in lines
            for inner, text in map(_parted, block.replace("\\\n", " ").splitlines())
        ]
        if sum(len(text) for _, text in lines) > 100_000:
            return []
    return [(conditional, text) for conditional, text in lines if "\n" not in text]


def _referred(sections: dict[str, dict[str, str]], match: re.Match[str]) -> str:
    return sections.get(match[1], {}).get(match[2].lower(), "")


def _parted(line: str) -> tuple[bool, str]:
    """Whether a line only holds in some environments, and what it says without that.

    `!latest: x` holds in all that are not named after something special: in djhop's cells too.
    """
    condition = _CONDITION.match(line.strip())
    if not condition:
        return False, line
    excluded = all(map(_SPECIAL.fullmatch, condition[1].split(",")))
    return not excluded, condition[2]


def _commands(sections: dict[str, dict[str, str]], value: str) -> list[tuple[str, ...]]:
    """Commands as words: what always runs first, then what runs in some environments."""
    lines = sorted(_each(sections, value), key=lambda line: line[0])
    return [words for _, line in lines if (words := command_words(line))]


def command_words(line: str) -> tuple[str, ...]:
    """Split a command of tox into words, with its substitutions made where they are literal.

    Words that only an environment tells ({env:X}) are left out.
    """
    line = _POSARGS.sub(lambda m: m[1] or "", line.strip())
    line = _PYTHON.sub(lambda m: "python" if "python" in m[0] else "", _ROOT.sub("./", line))
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    if words:
        words[0] = words[0].lstrip("-!")
    return tuple(word.removeprefix("./") or "." for word in words if word and "{" not in word)


def _names(value: str) -> tuple[str, ...]:
    names = (name.strip() for name in re.split(r"[,\n]", value))
    return tuple(name for name in names if re.fullmatch(r"[\w.-]+", name))


def _from_toml(table: dict[str, Any], path: str) -> Tox:
    base = table.get("env_run_base", {})
    if not isinstance(base, dict) or not table:
        return Tox()

    def strings(key: str) -> tuple[str, ...]:
        value = base.get(key, [])
        return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()

    names = table.get("env_list", [])
    commands = base.get("commands", [])
    environment = base.get("set_env", {})
    directory = _ROOT.sub("", str(base.get("change_dir", "")))
    return Tox(
        path=path,
        envlist="\n".join(
            name for name in (names if isinstance(names, list) else []) if isinstance(name, str)
        ),
        deps=strings("deps"),
        extras=strings("extras"),
        groups=strings("dependency_groups"),
        commands=tuple(
            ("env_run_base", command_words(shlex.join(w for w in words if isinstance(w, str))))
            for words in (commands if isinstance(commands, list) else [])
            if isinstance(words, list)
        ),
        environment=tuple(
            (name, value)
            for name, value in (environment.items() if isinstance(environment, dict) else ())
            if isinstance(value, str) and "{" not in value
        ),
        directory="" if "{" in directory else directory,
    )
