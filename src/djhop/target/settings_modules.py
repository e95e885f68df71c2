"""A target's settings modules: where their files are, and which scripts choose one."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from djhop.target import tree

if TYPE_CHECKING:
    from pathlib import Path

    from djhop.target.tree import Tree

VARIABLE = "DJANGO_SETTINGS_MODULE"


def file_of(root: Path, module: str, folder: str) -> str:
    """The file of a module, for a suite that is run in `folder` of `root`; "" where it is not."""
    path = module.replace(".", "/")
    for place in dict.fromkeys(["", folder, "src", "tests"]):
        for file in (f"{path}.py", f"{path}/__init__.py"):
            whole = f"{place}/{file}".lstrip("/")
            if tree.is_file(root / whole):
                return whole
    return ""


def set_by_conftest(files: Tree) -> bool:
    """Whether a conftest.py makes the settings, or says which module they are in."""
    return any(
        re.search(rf"settings\.configure|{VARIABLE}", tree.read(files.root / name, name))
        for name in files.named("conftest.py")
    )


def set_by(root: Path, script: str) -> str:
    """The settings module that a script sets, "" where it sets several or computes it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(tree.read(root / script, script))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    found = {value for node in nodes if (value := _set_in(node)) is not None}
    return found.pop() if len(found) == 1 else ""


def _set_in(node: ast.AST) -> str | None:
    """What one statement sets the variable to: "" where it is computed, None where it does not."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=name), value]
        ) if name == VARIABLE:
            pass
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))], value=value) if (
            name == VARIABLE
        ):
            pass
        case _:
            return None
    return str(value.value) if isinstance(value, ast.Constant) else ""
