"""What a setup.py says, as far as it can be read without running it."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from djhop.target import tree

if TYPE_CHECKING:
    from pathlib import Path


class Unread:
    """Stands for a value that only running the file would tell; keeps the texts in it."""

    def __init__(self, node: ast.AST | None = None) -> None:
        self.texts = (
            tuple(
                part.value
                for part in ast.walk(node)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
            if node is not None
            else ()
        )


class SetupCall(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `setup(...)`; what could not be read is an `Unread`."""

    found: bool
    arguments: dict[str, Any] = {}
    #: Why nothing could be read.
    problem: str = ""


#: A list that doubles itself on each line must not fill the memory.
_LONGEST = 100_000


def read(source: str) -> SetupCall:
    """Read the `setup(...)` call of a setup.py, following simple assignments."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(source)
            return _read(module)
    except (SyntaxError, ValueError) as error:
        return SetupCall(found=False, problem=f"it is not Python 3: {error}")
    except (RecursionError, MemoryError):
        return SetupCall(found=False, problem="it is nested too deeply")


def _read(module: ast.Module) -> SetupCall:
    names: dict[str, Any] = {}
    _assign(module.body, names)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and any(_is_setup(n) for n in ast.walk(node)):
            _assign(node.body, names)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _is_setup(node):
            return SetupCall(found=True, arguments=_arguments(node, names))
    return SetupCall(found=False, problem="it does not call setup()")


def assigned(body: list[ast.stmt]) -> dict[str, Any]:
    """The names that a module's statements assign, as far as they are literal."""
    names: dict[str, Any] = {}
    _assign(body, names)
    return names


def value_of(node: ast.expr, names: dict[str, Any]) -> Any:
    """What an expression is, its names looked up in `names`; an `Unread` where it is computed."""
    if isinstance(node, ast.Starred):
        return value_of(node.value, names)
    return _value(node, names)


def _is_setup(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="setup") | ast.Attribute(attr="setup")):
            return True
    return False


def _arguments(call: ast.Call, names: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        value = _value(keyword.value, names)
        if keyword.arg is not None:
            found[keyword.arg] = value
        elif isinstance(value, dict):
            found |= {str(key): item for key, item in value.items()}
    return found


def _assign(body: list[ast.stmt], names: dict[str, Any]) -> None:
    """Follow the assignments of `body` in order; of conditions, only what is always run."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names[name] = _value(value, names)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names[name] = _value(value, names)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                names[name] = _joined(names.get(name, Unread()), _value(value, names))
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=value
            ):
                holder, key_value = names.get(name), _value(key, names)
                if isinstance(holder, dict) and isinstance(key_value, str):
                    names[name] = holder | {key_value: _value(value, names)}
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend" as how),
                    args=[value],
                )
            ):
                more = _value(value, names)
                more = [more] if how == "append" else more
                names[name] = _joined(names.get(name, Unread()), more)
            case ast.Try(body=inner) | ast.With(body=inner):
                _assign(inner, names)
            case ast.If(test=test, body=yes, orelse=no) if (said := _decided(test)) is not None:
                _assign(yes if said else no, names)


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    found: Any = Unread(node)
    match node:
        case ast.Constant(value=value):
            found = value
        case ast.Name(id=name):
            found = names.get(name, Unread())
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            found = _items(items, names)
        case ast.Dict():
            found = _table(node, names)
        case ast.IfExp(test=test, body=yes, orelse=no) if (said := _decided(test)) is not None:
            found = _value(yes if said else no, names)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            found = _joined(_value(left, names), _value(right, names), node)
        case ast.Subscript(value=holder, slice=key):
            table, name = _value(holder, names), _value(key, names)
            found = table.get(name, found) if isinstance(table, dict) else found
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            found = _arguments(node, names)
        case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted" | "set"), args=[inner]):
            found = _value(inner, names)
    return found


def _decided(test: ast.expr) -> bool | None:
    """What a condition on `sys.version_info` is, if it is the same on every Python from 3.6 on."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[ast.Constant() | ast.Tuple() as right]):
            what, bound = ast.unparse(left).removeprefix("sys."), _value(right, {})
        case _:
            return None
    if what in ("version_info[0]", "version_info.major"):
        bound = [bound]
    elif what not in ("version_info", "version_info[:2]"):
        return None
    if not isinstance(bound, list) or not all(type(part) is int for part in bound):
        return None
    if isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot):
        return None
    newer = bound < [3] or (bound <= [3, 6] and isinstance(op, ast.Lt | ast.GtE))
    return isinstance(op, ast.Gt | ast.GtE | ast.NotEq) if newer else None


def _items(items: list[ast.expr], names: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if isinstance(item, ast.Starred):
            inner = _value(item.value, names)
            found += inner if isinstance(inner, list) else [Unread(item)]
        else:
            found.append(_value(item, names))
    return found


def _table(node: ast.Dict, names: dict[str, Any]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        value = _value(item, names)
        if key is None:
            found |= value if isinstance(value, dict) else {}
        elif isinstance(name := _value(key, names), str):
            found[name] = value
    return found


def _joined(left: Any, right: Any, node: ast.AST | None = None) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) <= _LONGEST else Unread()
    if isinstance(left, list) or isinstance(right, list):
        # What is known of a list is kept; the rest is reported as unread.
        sides = (side if isinstance(side, list) else [side] for side in (left, right))
        return [item for side in sides for item in side][:_LONGEST]
    return Unread(node)


def texts(value: Any) -> tuple[list[str], list[Unread]]:
    """Split a value of `setup()` into the texts it holds and what could not be read."""
    if isinstance(value, str):
        return [line for line in value.splitlines() if line.strip()], []
    if isinstance(value, list):
        flat = [part for item in value for part in (item if isinstance(item, list) else [item])]
        return (
            [item for item in flat if isinstance(item, str)],
            [item for item in flat if isinstance(item, Unread)],
        )
    return [], [value] if isinstance(value, Unread) else []


def named_files(unread: Unread, root: Path) -> tuple[str, ...]:
    """The requirement files that an unread expression names, such as `open("requirements.txt")`."""
    return tuple(
        text
        for text in dict.fromkeys(unread.texts)
        if text.endswith((".txt", ".in", ".pip")) and tree.is_file(root / text)
    )
