"""Puts the strict filter in force where pytest's own -W does not, and proves that it is."""

import warnings

from djhop_probe_state import STATE, emit, note
from djhop_probe_warnings import CanaryWarning

_warn_explicit = warnings.warn_explicit
#: The entry that `simplefilter("error", DeprecationWarning)` makes, on every Python.
_ERROR = ("error", None, DeprecationWarning, None, 0)


def is_in_force():
    """Return whether a DeprecationWarning raised here and now is an error.

    The registry is new each time, so that "once" and "default" cannot answer for an earlier one.
    """
    try:
        _warn_explicit(
            CanaryWarning("djhop canary"), CanaryWarning, "<djhop>", 1, "djhop_canary", {}
        )
    except CanaryWarning:
        return True
    return False


class _Refusing(type):
    """Never has a subclass, and reports each deprecation that asks."""

    def __subclasscheck__(cls, category):
        try:
            _reaches(category)
        except Exception:
            pass
        return False


class Spy(DeprecationWarning, metaclass=_Refusing):
    """The category of a filter that no warning matches, put right before the strict one.

    Both halves of the warnings machinery, C and Python, ask each filter in turn whether the
    category is a subclass of its own: what asks here becomes an error next, whoever swallows it.
    """


_SPY = ("error", None, Spy, None, 0)
_reported = set()


def _reaches(category):
    """Report that a deprecation is raised, once in each test and once outside of all."""
    known = not issubclass(category, DeprecationWarning) or issubclass(category, CanaryWarning)
    if not known and STATE.current not in _reported:
        _reported.add(STATE.current)
        emit("raised", id=STATE.current)


def send_spy():
    """Put the spy before the strict filter that is in force here; nothing where there is none."""
    filters = _filters()
    _remove(filters, _SPY)
    for index, entry in enumerate(filters):
        if entry[0] == "error" and entry[2] is DeprecationWarning:
            filters.insert(index, _SPY)
            return


class Canary(object):
    """Reports that the filter is in force: once where it is, for each test where it is not."""

    _sung = False

    def sing(self, test_id, how):
        """Try it in the current context; `how` says who put the filter there."""
        if not is_in_force():
            emit("canary", ok=False, id=test_id, how=how)
        elif not self._sung:
            self._sung = True
            emit("canary", ok=True, id=test_id, how=how)


CANARY = Canary()


def raise_deprecations():
    """Turn DeprecationWarning into an error from here on."""
    warnings.simplefilter("error", DeprecationWarning)
    send_spy()


def show_deprecations():
    """Let every deprecation be shown, each time: Python hides them by default."""
    warnings.simplefilter("always", PendingDeprecationWarning)
    if STATE.is_literal():
        send_spy()
    else:
        warnings.simplefilter("always", DeprecationWarning)


class Runner(object):
    """The filters of a unittest run, which has no warning context of its own for each test."""

    def __init__(self):
        self._lists = []

    def watch(self):
        """Put the mode's filters first; called anew wherever the framework may have undone them."""
        show_deprecations()
        if STATE.mode == "strict":
            raise_deprecations()
            if not any(filters is _filters() for filters in self._lists):
                self._lists.append(_filters())

    def test_starts(self, test_id):
        """Make sure of the filter before a test's setUp."""
        if STATE.mode == "plain":
            return
        how = "probe"
        if STATE.mode == "scoped":
            raise_deprecations()
        elif not is_in_force():
            # A test module or an earlier test changed the filters for the whole process. pytest
            # undoes that after each module and each test; here it is done before the next test.
            self.watch()
            note("warning filters changed by the target; strict put in force again (%s)" % test_id)
        CANARY.sing(test_id, how)

    def test_stops(self):
        """Be lenient again between two tests, in scoped mode."""
        if STATE.mode == "scoped":
            _withdraw(_filters())

    def run_ends(self):
        """Be lenient while databases are torn down and the runner takes its leave."""
        if STATE.is_literal():
            return
        for filters in self._lists + [_filters()]:
            _withdraw(filters)
        self._lists = []


def _filters():
    # Python 3.14 can keep the filters of a context apart from those of the module.
    find = getattr(warnings, "_get_filters", None)
    return find() if find is not None else warnings.filters


def _remove(filters, entry):
    try:
        filters.remove(entry)
    except (ValueError, AttributeError):
        pass


def _withdraw(filters):
    _remove(filters, _SPY)
    _remove(filters, _ERROR)
    # Through the public door, so that what the C half has cached is dropped.
    warnings.simplefilter("always", DeprecationWarning)
