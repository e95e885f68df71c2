"""Counts the SQL queries of each test, by connection, without standing in their way.

For each query Django goes through its connection's `execute_wrappers` (2.0 and later). They are a
list that counts how often that happens: no call, no frame and no entry more than without it, so
that tracebacks, `assertNumQueries` and a suite's own wrappers are what they were.
"""

import functools

from djhop_probe_loading import when_loaded
from djhop_probe_state import emit

WRAPPER = "django.db.backends.base.base"
#: Alias → one item for each query since the test began; appending is safe between threads.
_seen = {}


class Counting(list):
    """A list that knows how often it was gone through backwards, as Django does for a query."""

    __slots__ = ("alias",)

    def __reversed__(self):
        _seen.setdefault(self.alias, []).append(None)
        return list.__reversed__(self)

    def __reduce__(self):
        return (list, (list(self),))


def install():
    """Count from the moment on that Django's database code is loaded."""
    when_loaded(WRAPPER, _change)


def _change(module):
    base = module.BaseDatabaseWrapper
    if not hasattr(base, "execute_wrapper"):
        return  # Django 1.11
    make = base.__init__

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        counting = Counting(self.execute_wrappers)
        counting.alias = str(self.alias)
        self.execute_wrappers = counting

    base.__init__ = init
    emit("counting")


def begin():
    """A test begins: what was asked before is nobody's."""
    _seen.clear()


def end(test_id):
    """A test is over: say how often it has asked which database, if at all."""
    found = {alias: len(hits) for alias, hits in list(_seen.items()) if hits}
    if found:
        emit("queries", id=test_id, n=found)
