"""The code of every Django that the table of releases has, from PyPI, and how to look into it.

Nothing of it is run: what a module has is read from its source.
"""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import filelock
import uv

from djhop import releases

#: Series of which a release is on PyPI; the data begins with the first.
SERIES = [row.version for row in releases.load().series if row.released]


def install(room: Path) -> dict[str, Path]:
    """Series → the folder that holds the package `django` of its newest release."""
    room.mkdir(exist_ok=True)
    with filelock.FileLock(room / "lock"):
        for series in SERIES:
            newest = releases.load().get(series).runnable_pythons[-1]
            pip(room / series, "--python-version", newest, f"django=={series}.*")
    return {series: room / series for series in SERIES}


def pip(to: Path, *what: str) -> None:
    """Unpack packages into the folder `to`, without what they need."""
    if not to.is_dir():
        command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(to)]
        done = subprocess.run([*command, *what], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def module(root: Path, path: str) -> Path | None:
    """The file of a dotted module under `root`."""
    base = root.joinpath(*path.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None


@functools.cache
def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text("utf-8"))


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Those of a module or class, inside of if and try as well."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            handlers = [line for one in getattr(node, "handlers", []) for line in one.body]
            yield from statements([*node.body, *handlers, *node.orelse])
        else:
            yield node


def bound(node: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return {node.name}
        case ast.Assign():
            named = [one for target in node.targets for one in ast.walk(target)]
            return {one.id for one in named if isinstance(one, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.ImportFrom() | ast.Import():
            return {alias.asname or alias.name for alias in node.names}
    return set()


def find(root: Path, path: str) -> ast.stmt | Path | None:
    """What binds a dotted path: a statement, or a module; imports are followed inside of `root`."""
    if (file := module(root, path)) is not None:
        return file
    parent, _, name = path.rpartition(".")
    holder = find(root, parent) if parent else None
    if isinstance(holder, Path):
        return _in_module(root, holder, name)
    if isinstance(holder, ast.ClassDef):
        return next((n for n in statements(holder.body) if name in bound(n)), None) or next(
            (n for n in ast.walk(holder) if isinstance(n, ast.Assign) and _sets(n, name)), None
        )
    return None


def _sets(node: ast.Assign, name: str) -> bool:
    """Whether a method sets `self.name`."""
    return any(isinstance(one, ast.Attribute) and one.attr == name for one in node.targets)


def _in_module(root: Path, file: Path, name: str) -> ast.stmt | Path | None:
    for node in statements(parsed(file).body):
        if isinstance(node, ast.ImportFrom):
            origin = _origin(root, file, node)
            for alias in node.names:
                if name == (alias.asname or alias.name) and origin.startswith("django"):
                    return find(root, f"{origin}.{alias.name}")
                if alias.name == "*" and (there := module(root, origin)) is not None:
                    found = _in_module(root, there, name)
                    if found is not None and name in _exported(there, name):
                        return found
        if name in bound(node) or _is_made(node, name):
            return node
    return None


def _is_made(node: ast.stmt, name: str) -> bool:
    """Whether it is the `__getattr__` of a module that knows `name`."""
    return (
        isinstance(node, ast.FunctionDef)
        and node.name == "__getattr__"
        and any(isinstance(n, ast.Constant) and n.value == name for n in ast.walk(node))
    )


def _exported(file: Path, name: str) -> set[str]:
    """What `from … import *` takes, of one name."""
    for node in parsed(file).body:
        if isinstance(node, ast.Assign) and bound(node) == {"__all__"}:
            words = {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)}
            # Where the list is put together from others, it is not read.
            plain = isinstance(node.value, ast.List) and not any(
                isinstance(one, ast.Starred) for one in node.value.elts
            )
            return {name} if name in words or not plain else set()
    return {name}


def _origin(root: Path, file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = list(file.relative_to(root).with_suffix("").parts)
    base = parts[: len(parts) - node.level]
    return ".".join([*base, *filter(None, [node.module])])


def arguments(root: Path, path: str) -> set[str]:
    """The names of the arguments of a function or class."""
    found = find(root, path)
    if isinstance(found, ast.ClassDef):
        made = [find(root, f"{path}.{name}") for name in ("__init__", "__new__")]
        found = next((one for one in made if one is not None), None)
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef), path
    args = found.args
    return {one.arg for one in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
