"""Gives test databases a name of this cell's own: cells share one server, and run side by side.

Django asks one method for the name of a test database; what it answers is changed, when Django
loads it. Names of the workers of a parallel run are made from that name. Left alone: what is in
memory, files in the workspace, and Oracle, which has users in place of names.
"""

import functools
import hashlib
import os
import platform

from djhop_probe_loading import when_loaded
from djhop_probe_state import STATE

CREATION = "django.db.backends.base.creation"
#: Bytes that PostgreSQL allows (MySQL: 64 characters), without the "_1" of a parallel worker.
LONGEST = 63 - len("_99")
SUFFIX = "_djhop_"
DIGITS = 8
#: Ids of objects that are being asked for a name.
_asked = set()


def install():
    """Change names from the moment on that Django's database code is loaded."""
    if not STATE.config.get("isolate"):
        return
    when_loaded(CREATION, _change)


def _change(module):
    base = module.BaseDatabaseCreation
    make = base.__init__

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        _wrap(type(self))

    base.__init__ = init


def _wrap(kind):
    """Wrap the method where the class, or the nearest above it, defines it."""
    owner = next((one for one in kind.__mro__ if "_get_test_db_name" in vars(one)), None)
    if owner is None or hasattr(vars(owner)["_get_test_db_name"], "djhop"):
        return
    ask = owner._get_test_db_name

    @functools.wraps(ask)
    def _get_test_db_name(self, *args, **kwargs):
        if id(self) in _asked:  # a class asks the one above it
            return ask(self, *args, **kwargs)
        _asked.add(id(self))
        try:
            name = ask(self, *args, **kwargs)
        finally:
            _asked.discard(id(self))
        return own_name(name, getattr(self.connection, "vendor", ""))

    _get_test_db_name.djhop = True
    owner._get_test_db_name = _get_test_db_name


def own_name(name, vendor):
    """Return the name that this cell, in this workspace on this machine, has for a database."""
    text = os.fspath(name) if hasattr(name, "__fspath__") else name
    if not text or not isinstance(text, str) or vendor == "oracle":
        return name
    if vendor != "sqlite":
        return _fitting(text)
    if text.startswith(("file:", ":")) or _in_workspace(text):
        return name
    folder, file = os.path.split(text)
    stem, extension = os.path.splitext(file)
    return type(name)(os.path.join(folder, stem + _suffix(text) + extension))


def _in_workspace(path):
    root = os.path.realpath(STATE.config["root"])
    return os.path.realpath(path).startswith(root + os.sep)


def _fitting(name):
    """Add the suffix; what does not fit is cut off, and the suffix still tells it apart."""
    suffix = _suffix(name)
    room = LONGEST - len(suffix)
    return name.encode("utf-8")[:room].decode("utf-8", "ignore") + suffix


def _suffix(name):
    place = (STATE.config["root"], platform.node(), name)
    digest = hashlib.sha256("\0".join(place).encode("utf-8", "surrogateescape"))
    return SUFFIX + digest.hexdigest()[:DIGITS]


def forget_reuse(options):
    """Let pytest-django remove its databases in the end: nobody would use them again."""
    if getattr(options, "reuse_db", False):
        options.reuse_db = False
