"""Watches a unittest run, Django's included: what is loaded, what is run, and how strictly.

The moments that every loader and every runner passes are wrapped: the first load of a test
module (strict from there on, as pytest is from collection on), the making of a result, and the
top call of a suite, inside all that the runner has set up.
"""

import functools
import multiprocessing
import os
import sys

import djhop_probe_stacks
import djhop_probe_workers
from djhop_probe_exceptions import describe
from djhop_probe_filters import show_deprecations
from djhop_probe_loading import when_loaded
from djhop_probe_results import RESULTS, is_failed_import, test_id
from djhop_probe_state import STATE, announce, divide
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
    when_loaded("_pytest.config", _follow_into_pytest)
    for name in LOADERS:
        setattr(unittest.TestLoader, name, _loading(getattr(unittest.TestLoader, name)))
    _remember_failures(loader)
    _instrument_results(unittest.TestResult)
    suite.BaseTestSuite.__call__ = _running_suite(suite.BaseTestSuite.__call__)
    suite.TestSuite.run = _running_suite(suite.TestSuite.run)


def _follow_into_pytest(module):
    """Have pytest load the probe, and be strict, should the target's own runner call it."""
    prepare = module._prepareconfig
    ours = ["-p", "djhop_probe_pytest", "-p", "warnings", "--continue-on-collection-errors"]
    if STATE.mode == "strict":
        ours += ["-W", "error::DeprecationWarning"]

    @functools.wraps(prepare)
    def prepared(args=None, *rest, **kwargs):
        given = sys.argv[1:] if args is None else args
        # One that a test calls is none of ours.
        if STATE.current is None and isinstance(given, (list, tuple)):
            args = ours + list(given)
        return prepare(args, *rest, **kwargs)

    module._prepareconfig = prepared


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
        # Not every result is unittest's: that of Django's workers was none before Django 4.1.
        RESULTS.instrument(type(result))
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
    djhop_probe_stacks.install()
    djhop_probe_workers.measure()


def _begin(suite):
    """The runner is about to run everything it has."""
    wrong = check_loaded_django()
    if wrong:
        sys.stderr.write(wrong + "\n")
        sys.exit(97)
    STATE.phase = "runtest"
    RECORDER.muted = False
    # TextTestRunner.run puts its own filters first: put ours before them.
    RESULTS.filters.watch()
    RESULTS.replaying = _is_parallel(suite)
    if not STATE.worker:
        divide(test_id(test) for test in _tests(suite) if not is_failed_import(test))
        _leave_out(suite)
    collected = _collected(suite)
    if not STATE.worker:
        announce(collected)


def _leave_out(suite):
    """Take out of a suite what an earlier process has run, and what is another shard's."""
    for name in ("_tests", "subsuites"):
        inner = getattr(suite, name, None)
        if (STATE.done or STATE.shard) and isinstance(inner, list):
            inner[:] = [item for item in inner if _is_suite(item) or not _is_left_out(item)]
            for item in inner:
                _leave_out(item)


def _is_suite(item):
    try:
        iter(item)
    except TypeError:
        return False
    return True


def _is_left_out(test):
    return not is_failed_import(test) and STATE.is_left_out(test_id(test))


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


def _is_parallel(suite):
    """Return whether this is Django's parallel suite, with workers that carry the probe along."""
    if not hasattr(suite, "subsuites"):
        return False
    if multiprocessing.get_start_method() != "fork":
        djhop_probe_workers.install()
    return True
