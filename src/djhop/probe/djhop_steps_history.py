"""Names the migration and the operation behind a failure, where no traceback does.

A historic migration that uses what a new Django has removed fails where Django imports its file,
applies an operation to the state of the models, or renders a model of that state: long after, and
in code that names neither.
"""

import ast
import importlib.util
import os
import pkgutil
import sys

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import InvalidBasesError, ProjectState
from djhop_probe_exceptions import chain
from djhop_steps_result import described, is_own

#: Broken migrations named, and operations named of one that cannot be imported.
MOST, FEW = 50, 5


def unloadable(result):
    """Import every migration of every app, and return those that cannot be."""
    broken = []
    for config in apps.get_app_configs():
        found = MigrationLoader.migrations_module(config.label)
        name = found[0] if isinstance(found, tuple) else found
        for module in _modules(name):
            try:
                importlib.import_module(module)
            except Exception as error:
                broken.append(_unloadable(config, module, error, result))
    return broken[:MOST]


def _modules(package):
    """Return the names of an app's migrations, as Django's loader lists them."""
    if not package:
        return []
    try:
        path = importlib.import_module(package).__path__
    except Exception:
        return []  # the loader says what is wrong with it, if that is wrong at all
    found = [name for _, name, is_package in pkgutil.iter_modules(path) if not is_package]
    return ["%s.%s" % (package, name) for name in sorted(found) if name[0] not in "_~"]


def _unloadable(config, module, error, result):
    spec = importlib.util.find_spec(module)
    path = spec.origin if spec and spec.origin else ""
    lines = _lines_in(path, error)
    if isinstance(error, SyntaxError) and error.lineno and not lines:
        lines = [error.lineno]
    line = lines[-1] if lines else 0
    return {
        "app": config.label,
        "migration": module.rpartition(".")[2],
        "file": result.relative(path),
        "line": line,
        "operations": _operations_at(path, line),
        "own": is_own(path),
        "error": described(error),
    }


def _lines_in(path, error):
    """Return the lines of a file that an exception passed, innermost last."""
    real = os.path.realpath(path) if path else ""
    return [line for file, line in _frames(error) if real and os.path.realpath(file) == real]


def _frames(error):
    for one in chain(error):
        traceback = one.__traceback__
        while traceback is not None:
            yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
            traceback = traceback.tb_next


def _operations_at(path, line):
    """Return, in words, the operations of a file that a line is part of, or whose import it is."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    operations = [one for node in ast.walk(tree) for one in _listed(node)]
    there = [one for one in operations if one.lineno <= line <= _last_line(one)]
    if not there:
        names = _bound_at(tree, line)
        users = {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and _uses(node, names)
        }
        there = [one for one in operations if _uses(one, names | users)]
    return [_words(one) for one in there[:FEW]]


def _listed(node):
    if not isinstance(node, ast.Assign) or not isinstance(node.value, (ast.List, ast.Tuple)):
        return []
    named = any(isinstance(to, ast.Name) and to.id == "operations" for to in node.targets)
    return [one for one in node.value.elts if isinstance(one, ast.Call)] if named else []


def _last_line(node):
    return max(getattr(one, "lineno", 0) for one in ast.walk(node))


def _bound_at(tree, line):
    """Return the names that an import on this line gives."""
    imports = [
        node
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and node.lineno <= line <= (getattr(node, "end_lineno", None) or node.lineno)
    ]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    return {name.partition(".")[0] for name in names}


def _uses(node, names):
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node))


def _words(call):
    """Return "AddField order.number" for the call that makes an operation."""
    given = {key.arg: key.value for key in call.keywords}
    texts = [_text(given.get(name)) for name in ("model_name", "name", "old_name")]
    return " ".join(filter(None, (_text(call.func), ".".join(filter(None, texts)))))


def _text(node):
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    value = getattr(node, "value", getattr(node, "s", None))
    return value if isinstance(value, str) else ""


def said(operation):
    """Return an operation in words."""
    name = type(operation).__name__
    parts = (getattr(operation, "model_name", ""), getattr(operation, "name", ""))
    subject = ".".join(part for part in parts if isinstance(part, str) and part)
    return " ".join(filter(None, (name, subject)))


def parts(operation):
    """Return what an operation does to a database, as operations."""
    return list(getattr(operation, "database_operations", None) or [operation])


def is_reversible(operation):
    """Return whether an operation, and each that it is made of, can be taken back."""
    return bool(operation.reversible) and all(one.reversible for one in parts(operation))


def located(error, result):
    """Return the migration and the operation that were at work when an exception was raised."""
    found = None
    for one in chain(error):
        traceback = one.__traceback__
        while traceback is not None:
            scope = traceback.tb_frame.f_locals
            migration = scope.get("self")
            if isinstance(migration, Migration):
                found = (migration, scope.get("operation"))
            elif found is None and isinstance(scope.get("migration"), Migration):
                found = (scope["migration"], None)
            traceback = traceback.tb_next
    return named(found[0], found[1], error, result) if found else None


def named(migration, operation, error, result):
    """Return a broken migration as data."""
    path = getattr(sys.modules.get(type(migration).__module__), "__file__", "") or ""
    return {
        "app": migration.app_label,
        "migration": migration.name,
        "file": result.relative(path) if path else "",
        "line": (_lines_in(path, error) or [0])[-1],
        "operations": [said(operation)] if operation is not None else [],
        "own": bool(path) and is_own(path),
        "error": described(error),
    }


def plan(loader):
    """Return all migrations in the order in which an empty database gets them."""
    ordered = {}
    for leaf in loader.graph.leaf_nodes():
        for node in loader.graph.forwards_plan(leaf):
            ordered[node] = None
    return [loader.graph.nodes[node] for node in ordered]


def unrenderable(loader, result):
    """Replay all migrations on the state of the models, and return those that cannot be."""
    state = ProjectState(real_apps=loader.unmigrated_apps)
    broken = []
    for migration in plan(loader):
        for operation in migration.operations:
            try:
                operation.state_forwards(migration.app_label, state)
                _render(migration.app_label, operation, state)
            except Exception as error:
                broken.append(named(migration, operation, error, result))
                if len(broken) == MOST or not _is_rendering(error):
                    return broken  # the state is not what it was to be
    return broken


def _is_rendering(error):
    return bool(getattr(error, "djhop_rendering", False))


def _render(label, operation, state):
    """Make classes of the models that an operation has changed, as `migrate` would."""
    from django.apps.registry import Apps

    for name in _names(operation):
        model = state.models.get((label, name))
        if model is None:
            continue
        try:
            model.clone().render(Apps())
        except (InvalidBasesError, LookupError):
            continue  # it inherits from a model that is not in this registry
        except Exception as error:
            error.djhop_rendering = True
            raise


def _names(operation):
    inner = getattr(operation, "state_operations", None) or ()
    names = {name for one in inner for name in _names(one)}
    for attribute in ("name", "model_name", "new_name"):
        value = getattr(operation, attribute, None)
        if isinstance(value, str):
            names.add(value.lower())
    return sorted(names)
