"""Gives files that tests write a place of this cell's own, where settings name one outside of it.

MEDIA_ROOT and its like are mostly folders of the project, and so the cell's already. One that is
not ("/srv/media") would be shared by all cells, which run side by side, and be written to for good.
"""

import os
import shutil

from djhop_probe_loading import when_loaded
from djhop_probe_state import STATE, note

ROOTS = ("MEDIA_ROOT", "STATIC_ROOT")
#: Settings of named things that may hold a path: (setting, what its BACKEND says, the way to it).
TABLES = (("STORAGES", "storage", ("OPTIONS", "location")), ("CACHES", "filebased", ("LOCATION",)))
#: More is not copied.
FILES, BYTES = 5000, 256 * 1024 * 1024


def install():
    """Change the settings from the moment on that they are read."""
    if STATE.config.get("isolate") and STATE.tmp:
        when_loaded("django.conf", _change)


def _change(module):
    lazy = module.LazySettings
    for name in ("_setup", "configure"):
        setattr(lazy, name, _then_moved(getattr(lazy, name)))
    if isinstance(module.settings, lazy) and module.settings.configured:
        _move(module.settings)  # a worker's, which has read them to find its suite


def _then_moved(method):
    def read(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        _move(self)
        return result

    read.__name__, read.__doc__ = method.__name__, method.__doc__
    return read


def _move(lazy):
    try:
        _move_all(lazy._wrapped)
    except Exception as error:
        note("paths in the settings were left as they are: %r" % (error,))
    for name in ROOTS:
        vars(lazy).pop(name, None)  # what was asked for is remembered there


def _move_all(settings):
    for name in ROOTS:
        moved = _moved(getattr(settings, name, None), name)
        if moved is not None:
            setattr(settings, name, moved)
    for name, backend, keys in TABLES:
        table = getattr(settings, name, None)
        for alias, entry in table.items() if isinstance(table, dict) else ():
            if backend in str(entry.get("BACKEND", "")).lower():
                _move_in(entry, keys, "%s[%r]" % (name, alias))


def _move_in(entry, keys, name):
    for key in keys[:-1]:
        entry = entry.get(key) or {}
    moved = _moved(entry.get(keys[-1]), "%s.%s" % (name, ".".join(keys)))
    if moved is not None:
        entry[keys[-1]] = moved


def _moved(value, name):
    """Return the cell's own place for a folder outside of the cell; None for anything else."""
    path = value.__fspath__() if hasattr(value, "__fspath__") else value
    if not isinstance(path, str) or not os.path.isabs(path) or _is_ours(path):
        return None
    inside = os.path.splitdrive(path)[1].strip("/\\")
    place = os.path.join(STATE.tmp, "roots", inside)
    what = "an empty folder"
    if not name.startswith("CACHES") and _is_small(path):
        what = "a copy"
    if not os.path.exists(place):  # a worker finds what the first process has made
        if what == "a copy":
            shutil.copytree(path, place, symlinks=True, ignore_dangling_symlinks=True)
        else:
            os.makedirs(place)
    note("%s is %s, which other cells share: tests use %s in its place" % (name, path, what))
    return type(value)(place)


def _is_small(path):
    """Return whether a folder has something in it, and not too much to be copied."""
    files = size = 0
    for folder, _, names in os.walk(path):
        files += len(names)
        size += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
        if files > FILES or size > BYTES:
            return False
    return files > 0


def _is_ours(path):
    found = os.path.realpath(path)
    ours = (STATE.config["root"], STATE.tmp, os.path.expanduser("~"))
    return any((found + os.sep).startswith(os.path.realpath(place) + os.sep) for place in ours)
