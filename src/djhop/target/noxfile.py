"""noxfile.py, as far as it is literal: what its test session installs. Read, never run."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Any

from djhop.target import setup_py, tree
from djhop.target.toxfile import Tox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = "noxfile.py"
_FOR_TESTS = re.compile(r"(?:^|[-_])(?:py)?(?:unit)?-?tests?(?:$|[-_])")
#: Options of `pip install` whose value is no requirement.
_VALUES = frozenset(
    {"-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links"}
)
_OWN_EXTRAS = re.compile(r"\.(?:\[([^\]]*)\])?")


def read(root: Path) -> Tox:
    """Read what the session for tests installs, as `toxfile.read` would tell it.

    What depends on the session, its Python or its parameters is left out, with a note.
    """
    text = tree.read_if_there(root, _FILE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
            return _read(module)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        return Tox(path=_FILE, notes=(f"{_FILE} is not read: {reason}.",))


def _read(module: ast.Module) -> Tox:
    sessions = [(name, node) for node in module.body if (name := session_name(node))]
    sessions = [(n, s) for n, s in sessions if _FOR_TESTS.search(n.lower())]
    sessions.sort(key=lambda pair: pair[0].lower() not in ("test", "tests"))
    if not sessions:
        return Tox()
    name, session = sessions[0]
    names = setup_py.assigned(module.body)
    words: list[str] = []
    unread = 0
    for call in _calls(session):
        for value in (setup_py.value_of(argument, names) for argument in call.args):
            found, left = setup_py.texts([value])
            words += found
            unread += len(left)
    notes = [f"{_FILE}: {unread} things that session {name} computes are not read."]
    return _from_words(words, notes if unread else [])


def session_name(node: ast.stmt) -> str:
    """The name of the session that a function is, "" where it is none."""
    if not isinstance(node, ast.FunctionDef):
        return ""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Name(id="session") | ast.Attribute(attr="session"):
                return node.name
            case ast.Call(func=ast.Name(id="session") | ast.Attribute(attr="session")):
                told = [k.value for k in decorator.keywords if k.arg == "name"]
                literal = told and isinstance(told[0], ast.Constant)
                return str(told[0].value) if literal else node.name  # type: ignore[attr-defined]
    return ""


def _calls(session: ast.stmt) -> Iterator[ast.Call]:
    """Calls of `session.install(…)` that are always made, in order."""
    body = getattr(session, "body", [])
    for statement in body:
        match statement:
            case ast.With():
                yield from _calls(statement)
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="install")) as call):
                yield call


def _from_words(words: list[str], notes: list[str]) -> Tox:
    """Sort the arguments of `pip install`: requirements, files, extras, groups."""
    deps: list[str] = []
    found: dict[str, list[str]] = {"extra": [], "group": []}
    pending = iter(words)
    for word in pending:
        option, _, value = word.partition("=")
        if option in _VALUES:
            next(pending, "") if "=" not in word else ""
        elif option in ("-r", "--requirement"):
            deps.append(f"-r {value or next(pending, '')}")
        elif option in ("--group", "--extra"):
            found[option[2:]].append((value or next(pending, "")).rpartition(":")[2])
        elif own := _OWN_EXTRAS.fullmatch(word):
            found["extra"] += [e.strip() for e in (own[1] or "").split(",") if e.strip()]
        elif not word.startswith("-"):
            deps.append(word)
    return Tox(
        path=_FILE,
        deps=tuple(deps),
        extras=tuple(found["extra"]),
        groups=tuple(found["group"]),
        notes=tuple(notes),
    )


def needs(tox: Tox, nox: Tox) -> Tox:
    """Of tox's and nox's files the one that says what tests take; tox's where both do."""

    def says(one: Tox) -> Any:
        return one.deps or one.extras or one.groups

    return nox if says(nox) and not says(tox) else tox
