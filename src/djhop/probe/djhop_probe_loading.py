"""Changes a module of the target's as soon as its code has run, without loading it itself."""

import sys


def when_loaded(name, change):
    """Call `change(module)` right after the module `name` is loaded, or now if it is."""
    if name in sys.modules:
        change(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Finder(name, change))


class _Finder(object):
    """Waits for one module, and is gone when that comes."""

    def __init__(self, name, change):
        self._name = name
        self._change = change

    def find_spec(self, name, path=None, target=None):
        if name != self._name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        for finder in list(sys.meta_path):
            found = getattr(finder, "find_spec", None)
            spec = found(name, path, target) if found else None
            if spec is not None:
                _follow(spec.loader, self._change)
                return spec
        return None


def _follow(loader, change):
    run = loader.exec_module

    def exec_module(module):
        # Where several wait for one module, the outermost has restored the loader already.
        vars(loader).pop("exec_module", None)
        run(module)
        change(module)

    loader.exec_module = exec_module
