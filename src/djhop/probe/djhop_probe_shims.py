"""Puts back what was removed, for an experiment: what is behind it? Nothing of it counts as a pass.

The configuration names each thing; it is put back when its module is loaded, and never loads that
itself. Apps and migrations that cannot be loaded are left out of the settings here, too.
"""

import functools
import importlib
import importlib.machinery
import sys

from djhop_probe_loading import when_loaded
from djhop_probe_state import STATE, note


def install():
    """Put back what the configuration names."""
    taken = STATE.config.get("taken") or {}
    for shim in taken.get("shims") or ():
        for path in shim["paths"]:
            _KINDS[shim["kind"]](path, shim)
    if any(taken.values()):
        when_loaded("django.conf", functools.partial(_follow_settings, taken))


def _put_name(path, shim):
    module, _, name = path.rpartition(".")
    when_loaded(module, lambda loaded: _lend(loaded, name, shim["alias"]))


def _lend(module, name, alias):
    """Give a module a name, whose value is looked up when somebody asks for it."""
    if name in vars(module):
        return
    if sys.version_info < (3, 7):  # modules have no __getattr__ there
        setattr(module, name, _resolve(alias))
        return
    others = vars(module).get("__getattr__")

    def __getattr__(asked):
        if asked == name:
            return _resolve(alias)
        if others is not None:
            return others(asked)
        raise AttributeError("module %r has no attribute %r" % (module.__name__, asked))

    module.__getattr__ = __getattr__


def _put_attribute(path, shim):
    place, _, name = path.rpartition(".")
    module, _, owner = place.rpartition(".")

    def change(loaded):
        cls = getattr(loaded, owner, None)
        if cls is not None and not hasattr(cls, name):
            setattr(cls, name, _resolve(shim["alias"]))

    when_loaded(module, change)


def _put_argument(path, shim):
    """Leave the argument out of calls of a function, a class, or a method of a class."""
    place, _, name = path.rpartition(".")
    module, _, owner = place.rpartition(".")
    if owner[:1].isupper():
        when_loaded(module, lambda loaded: _drop(getattr(loaded, owner, None), name, shim))
    else:
        when_loaded(place, lambda loaded: _drop(loaded, name, shim))


def _drop(holder, name, shim):
    target = getattr(holder, name, None)
    if isinstance(target, type):
        holder, name, target = target, "__init__", target.__init__
    if target is None:
        return

    @functools.wraps(target)
    def call(*args, **kwargs):
        kwargs.pop(shim["argument"], None)
        return target(*args, **kwargs)

    setattr(holder, name, call)


def _put_module(path, shim):
    sys.meta_path.append(_Stand(path, shim["alias"]))


class _Stand(object):
    """Finds one module that nobody else finds, and fills it with the names of another."""

    def __init__(self, name, alias):
        self._name = name
        self._alias = alias

    def find_spec(self, name, path=None, target=None):
        if name != self._name:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="djhop: %s" % self._alias)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        for name, value in vars(importlib.import_module(self._alias)).items():
            if not (name.startswith("__") and name.endswith("__")):
                setattr(module, name, value)


def _leave_to_settings(path, shim):
    """A setting is put back when all settings are read."""


def _resolve(path):
    """Return what a dotted path names: a module, or something in one."""
    place, _, name = path.rpartition(".")
    try:
        return importlib.import_module(path)
    except ImportError:
        if not place:
            raise
    return getattr(_resolve(place), name)


_KINDS = {
    "name": _put_name,
    "module": _put_module,
    "attribute": _put_attribute,
    "argument": _put_argument,
    "setting": _leave_to_settings,
}


def _follow_settings(taken, module):
    lazy = module.LazySettings
    for name in ("_setup", "configure"):
        setattr(lazy, name, _then(getattr(lazy, name), taken))
    if isinstance(module.settings, lazy) and module.settings.configured:
        _change(module.settings, taken)


def _then(method, taken):
    @functools.wraps(method)
    def read(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        _change(self, taken)
        return result

    return read


def _change(lazy, taken):
    settings = lazy._wrapped
    for shim in taken.get("shims") or ():
        for name in shim["paths"] if shim["kind"] == "setting" else ():
            if not hasattr(settings, name):
                setattr(settings, name, shim["default"])
    for module in taken.get("apps") or ():
        _leave_out(settings, module)
    for label in taken.get("migrations") or ():
        settings.MIGRATION_MODULES = dict(settings.MIGRATION_MODULES, **{label: None})
    for name in ("INSTALLED_APPS", "MIGRATION_MODULES"):
        vars(lazy).pop(name, None)  # what was asked for is remembered there


def _leave_out(settings, module):
    """Leave out the app that a module belongs to: the entry with the longest name above it."""
    found = [(len(_package(e, module)), e) for e in settings.INSTALLED_APPS if _package(e, module)]
    if not found:
        note("no app of INSTALLED_APPS has the module %s" % module)
        return
    gone = max(found)[1]
    settings.INSTALLED_APPS = [entry for entry in settings.INSTALLED_APPS if entry != gone]


def _package(entry, module):
    """Return the package of an entry that `module` is in; "" where it is in none of it.

    An entry is the name of a package, or of a class in it: "shop.apps.ShopConfig".
    """
    name = entry
    if entry.rpartition(".")[2][:1].isupper():
        name = entry.rpartition(".")[0]
        name = name.rpartition(".")[0] if name.endswith(".apps") else name
    return name if (module + ".").startswith(name + ".") else ""
