"""What the evaluated settings say: names, keys and Django's own dotted paths, and no value."""

import ast
import os
import sys
import warnings

from django.conf import settings

#: Settings that hold dotted paths of classes, one or several.
PATHS = (
    "PASSWORD_HASHERS",
    "AUTHENTICATION_BACKENDS",
    "MIDDLEWARE",
    "INSTALLED_APPS",
    "STATICFILES_FINDERS",
    "FILE_UPLOAD_HANDLERS",
    "SESSION_ENGINE",
    "SESSION_SERIALIZER",
    "EMAIL_BACKEND",
    "FORM_RENDERER",
    "TEST_RUNNER",
    "MESSAGE_STORAGE",
    "DEFAULT_FILE_STORAGE",
    "STATICFILES_STORAGE",
)
#: Settings of named things: (setting, the key that holds a dotted path).
TABLES = (("DATABASES", "ENGINE"), ("CACHES", "BACKEND"), ("STORAGES", "BACKEND"))


def run(config, result):
    """List what the project's own settings set, and where."""
    warnings.simplefilter("ignore")  # a deprecated setting warns of itself when it is read
    names = _explicit()
    files = _files()
    result.found["settings"] = {
        "names": names,
        "files": [result.relative(file) for file in files],
        "places": _places(files, names, result),
        "paths": _paths(names),
        "keys": _keys(names),
    }


def _explicit():
    """Return the names that the project sets itself."""
    wrapped = settings._wrapped
    found = getattr(wrapped, "_explicit_settings", None)
    if found is None:
        found = [name for name in vars(wrapped) if name.isupper()]
    return sorted(name for name in found if name.isupper())


def _files():
    """Return the files of the settings module and of all that it takes everything from."""
    todo, files = [getattr(settings, "SETTINGS_MODULE", None)], []
    while todo:
        module = sys.modules.get(todo.pop() or "")
        path = getattr(module, "__file__", None)
        if not path or path in files or not path.endswith(".py"):
            continue
        files.append(path)
        todo.extend(_star_imports(path, module))
    return files


def _tree(path):
    try:
        with open(path, "rb") as file:
            return ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return ast.Module(body=[])


def _star_imports(path, module):
    package = module.__name__
    if os.path.basename(path) != "__init__.py":
        package = package.rpartition(".")[0]
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            base = package.split(".")
            above = base[: len(base) - node.level + 1] if node.level else []
            yield ".".join(above + ([node.module] if node.module else []))


def _places(files, names, result):
    """Return where each name is set first, as "file:line"."""
    places, wanted = {}, set(names)
    for path in files:
        for node in ast.walk(_tree(path)):
            targets = node.targets if isinstance(node, ast.Assign) else []
            targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
            for target in targets:
                if isinstance(target, ast.Name) and target.id in wanted:
                    place = "%s:%d" % (result.relative(path), target.lineno)
                    places.setdefault(target.id, place)
    return places


def _paths(names):
    """Return Django's own dotted paths in the settings: {where: path}."""
    found = {}
    for name in names:
        value = getattr(settings, name, None) if name in PATHS else None
        if isinstance(value, str):
            found[name] = value
        elif isinstance(value, (list, tuple)):
            found.update(("%s[%d]" % (name, i), one) for i, one in enumerate(value))
    for name, key in TABLES:
        for alias, entry in _entries(name, names):
            found["%s[%r][%r]" % (name, alias, key)] = entry.get(key)
    return {
        where: found[where]
        for where in sorted(found)
        if isinstance(found[where], str) and found[where].startswith("django.")
    }


def _entries(name, names):
    table = getattr(settings, name, None) if name in names else None
    for alias in sorted(table, key=str) if isinstance(table, dict) else ():
        if isinstance(table[alias], dict):
            yield str(alias), table[alias]


def _keys(names):
    """Return the keys beside ENGINE of each database, and those of its TEST."""
    found = {}
    for alias, entry in _entries("DATABASES", names):
        found["DATABASES[%r]" % alias] = sorted(map(str, entry))
        if isinstance(entry.get("TEST"), dict):
            found["DATABASES[%r]['TEST']" % alias] = sorted(map(str, entry["TEST"]))
    return found
