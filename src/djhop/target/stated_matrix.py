"""The matrix that a target states for another tool: tox, nox, or its classifiers. Runs none."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from pathlib import Path
from typing import Any

import msgspec

from djhop.releases import Releases
from djhop.target import noxfile, setup_py, toxfile, tree
from djhop.target.collecting import read_metadata
from djhop.target.envlist import Told, expand, of_names

_CLASSIFIER = re.compile(r"(?:Framework :: Django|Programming Language :: Python) :: (\d+\.\d+)$")

#: "4.2", "4.2.*", "django~=4.2.0": the series is the first two numbers.
_SERIES = re.compile(r"(?:django)?(?:==|~=)?v?(\d+\.\d+)(?:\.(?:\d+|\*))?", re.IGNORECASE)


def read(root: Path, known: Releases) -> Told:
    """Return the first matrix with a cell: tox's, nox's, that of classifiers; else what was seen.

    Raises:
        UsageError: a file that is there has a syntax error.
    """
    tox = toxfile.read(root)
    tries = [of_names(expand(tox.envlist), f"{tox.path}: envlist", known)] if tox.envlist else []
    if (root / "noxfile.py").is_file():
        tries.append(_nox(root, known))
    tries.append(_classified(root, known))
    missed: list[str] = []
    for one in tries:
        if one.cells:
            return msgspec.structs.replace(one, unread=(*missed, *one.unread))
        said = one.unread or ("it names no cell",)
        missed += [f"{one.source}: {note}" for note in said] if one.source else []
    return Told(source="", unread=tuple(missed))


def _classified(root: Path, known: Releases) -> Told:
    metadata = read_metadata(root)
    names: dict[bool, list[str]] = {True: [], False: []}
    for line in metadata.classifiers:
        if match := _CLASSIFIER.fullmatch(line):
            names[line.startswith("Framework")].append(match[1])
    pairs = itertools.product(names[False], names[True])
    cells = tuple((p, d) for p, d in pairs if known.known(d) and known.supports(d, p))
    source = f"{metadata.classifiers_source}: classifiers" if metadata.classifiers_source else ""
    return Told(source=source, cells=cells)


def _nox(root: Path, known: Releases) -> Told:
    """Read `@nox.session(python=…)` with a `parametrize` of Django, where they are literal."""
    source = "noxfile.py"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(tree.read_if_there(root, source))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Told(source=source, unread=(str(error),))
    names = setup_py.assigned(module.body)
    cells: dict[tuple[str, str], None] = {}
    unread: list[str] = []
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and (session := noxfile.session_name(node)):
            pythons, djangos, odd = _session(node, names)
            made = of_names((f"py{p}-django{d}" for p in pythons for d in djangos), source, known)
            cells |= dict.fromkeys(made.cells)
            unread += [f"session {session}: {note}" for note in (*made.unread, *odd)]
    return Told(source=source, cells=tuple(cells), unread=tuple(unread))


def _session(
    node: ast.FunctionDef, names: dict[str, Any]
) -> tuple[list[str], list[str], list[str]]:
    """Pythons, Djangos, and what is computed, of one session."""
    pythons: list[str] = []
    djangos: list[str] = []
    odd: list[str] = []
    for call in (one for one in node.decorator_list if isinstance(one, ast.Call)):
        for word in call.keywords:
            if word.arg in ("python", "py"):
                found, left = _texts(word.value, names)
                pythons += found
                odd += ["its Pythons are computed"] * left
        match call.args:
            case [ast.Constant(value=str(name)), values, *_] if "django" in name.lower():
                found, left = _texts(values, names)
                djangos += [m[1] if (m := _SERIES.fullmatch(one)) else one for one in found]
                odd += ["its Djangos are computed"] * left
    return pythons, djangos, odd


def _texts(node: ast.expr, names: dict[str, Any]) -> tuple[list[str], bool]:
    value = setup_py.value_of(node, names)
    found, left = setup_py.texts(value)
    return found, bool(left)
