"""Watches a unittest run, Django's included: what is loaded, what is run, and how strictly.

The moments that every loader and every runner passes are wrapped: the first load of a test
module (strict from there on, as pytest is from collection on), the making of a result, and the
top call of a suite, inside all that the runner has set up.
"""

import functools
import multiprocessing.util
import os
import sys

from djhop_probe_exceptions import describe
from djhop_probe_filters import show_deprecations
from djhop_probe_results import RESULTS, is_failed_import, test_id
from djhop_probe_state import STATE, announce, note
from djhop_probe_target import check_loaded_django
from djhop_probe_warnings import RECORDER

LOADERS = (
    "discover",
    "loadTestsFromName",
    "loadTestsFromNames",
    "loadTestsFromModule",
    "loadTestsFromTestCase",
)
#: Names that `loadTestsFromName` was asked for; None while a directory is discovered.
_requested = []
_running = []


def install():
    """Put the probe into unittest. Deprecations are recorded from now on, and kept off stderr."""
    import unittest
    from unittest import loader, suite

    RECORDER.quiet = True
    show_deprecations()
    for name in LOADERS:
        setattr(unittest.TestLoader, name, _loading(getattr(unittest.TestLoader, name)))
    _remember_failures(loader)
    _instrument_results(unittest.TestResult)
    suite.BaseTestSuite.__call__ = _running_suite(suite.BaseTestSuite.__call__)
    suite.TestSuite.run = _running_suite(suite.TestSuite.run)


def _instrument_results(base):
    make = base.__init__

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        RESULTS.instrument(type(self))

    base.__init__ = init


def _loading(method):
    @functools.wraps(method)
    def load(self, *args, **kwargs):
        if STATE.phase == "import":
            STATE.phase = "collect"
            RESULTS.filters.watch()
        named = method.__name__ == "loadTestsFromName" and args
        _requested.append(str(args[0]) if named else None)
        try:
            return method(self, *args, **kwargs)
        finally:
            _requested.pop()

    return load


def _remember_failures(loader):
    """Keep the exception behind each `_FailedTest`, of which unittest keeps but the text."""
    make = loader._make_failed_test

    @functools.wraps(make)
    def failed(methodname, exception, *args, **kwargs):
        made = make(methodname, exception, *args, **kwargs)
        error = sys.exc_info()[1] or exception
        name = _full_name(methodname)
        for test in made[0] if isinstance(made, tuple) else made:
            test.djhop_failure = (name, describe(error))
        RECORDER.record_fatal(error, "collect")
        return made

    loader._make_failed_test = failed


def _full_name(name):
    """Return the dotted name that was asked for: unittest only keeps the part that failed."""
    asked = _requested[-1] if _requested else None
    if asked is not None and name in asked.split("."):
        return asked
    return name


def _running_suite(method):
    @functools.wraps(method)
    def run(self, result, *args, **kwargs):
        if not STATE.is_main_process() and RESULTS.replaying:
            _become_worker()
        if _running or not STATE.is_main_process():
            return method(self, result, *args, **kwargs)
        _running.append(self)
        try:
            _begin(self)
            return method(self, result, *args, **kwargs)
        finally:
            _running.pop()
            RESULTS.replaying = False
            RESULTS.filters.run_ends()

    return run


def _become_worker():
    """Report from here: a process that Django forked to run its share of the suite."""
    STATE.pid = os.getpid()
    RESULTS.replaying = False
    STATE.coverage.start_in_worker()
    # A worker leaves by os._exit, after these.
    multiprocessing.util.Finalize(None, STATE.coverage.save, exitpriority=100)


def _begin(suite):
    """The runner is about to run everything it has."""
    wrong = check_loaded_django()
    if wrong:
        sys.stderr.write(wrong + "\n")
        sys.exit(97)
    STATE.phase = "runtest"
    # TextTestRunner.run puts its own filters first: put ours before them.
    RESULTS.filters.watch()
    RESULTS.replaying = _is_forking(suite)
    announce(_collected(suite))


def _collected(suite):
    ids = []
    for test in _tests(suite):
        if is_failed_import(test):
            RESULTS.broken(test)
            continue
        identity = test_id(test)
        ids.append(identity)
        cls = type(test)
        for owner in ("%s.%s" % (cls.__module__, cls.__qualname__), cls.__module__):
            RESULTS.members.setdefault(owner, []).append(identity)
    return ids


def _tests(suite):
    try:
        inner = iter(suite)
    except TypeError:
        yield suite
        return
    for item in inner:
        if item is not None:
            for test in _tests(item):
                yield test


def _is_forking(suite):
    """Return whether this is Django's parallel suite, with workers that carry the probe along."""
    if not hasattr(suite, "subsuites"):
        return False
    if multiprocessing.get_start_method() == "fork":
        return True
    # One that starts afresh knows nothing of the probe, and the parent's replay has to do.
    note("parallel workers are not forked here: warnings in them are not seen or made errors")
    return False
