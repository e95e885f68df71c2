"""The probe's pytest plugin: pytest 6.2 to 9, alone or under xdist. PYTEST_DONT_REWRITE

Its wrappers of pytest's phases are the innermost (`trylast`): inside the warning context that
pytest puts around each phase, where its log and its filters are in force. Under xdist the
controller logs tests, and workers only what the controller cannot see: warnings and canaries.
"""

import os
import warnings

import djhop_probe_compile
import djhop_probe_databases
import djhop_probe_hooks
import djhop_probe_queries
import djhop_probe_stacks
import pytest
from djhop_probe_events import short_id
from djhop_probe_exceptions import describe
from djhop_probe_filters import CANARY, raise_deprecations
from djhop_probe_phases import Phase, Role, is_told_elsewhere
from djhop_probe_reports import Tests, attach, exception_of, unwrapped
from djhop_probe_state import STATE, announce, divide, emit, note
from djhop_probe_target import Coverage, check_loaded_django, find_django, say_begin
from djhop_probe_warnings import DEPRECATIONS, RECORDER

TESTS = Tests()
_collect_errors = set()
_fatal = set()


def _bootstrap():
    """Start the probe in a worker process; in the launcher's it is running already."""
    if not STATE.started:
        STATE.start()
        Role.worker = os.environ.get("PYTEST_XDIST_WORKER", "worker")
        RECORDER.muted = True
        djhop_probe_hooks.install()
        STATE.coverage = Coverage(STATE.config.get("coverage"))
        STATE.coverage.start_in_worker()
    elif STATE.config["framework"] != "pytest":
        # A runner of the target's own, named in TEST_RUNNER, calls pytest.
        say_begin(find_django(), "pytest")
    STATE.phase = "config"
    djhop_probe_compile.install_pytest()


_bootstrap()


def _fail(error):
    """Log an exception outside the tests, once."""
    error = unwrapped(error)
    if id(error) not in _fatal:
        _fatal.add(id(error))
        emit("fatal", exc=describe(error))
        RECORDER.record_fatal(error)


def _logs_tests():
    return Role.worker is None and STATE.is_main_process()


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_load_initial_conftests(early_config):
    with Phase(early_config, "config"):
        outcome = yield
    if outcome.excinfo is not None:
        _fail(outcome.excinfo[1])


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_cmdline_main(config):
    outcome = yield
    if outcome.excinfo is not None and not isinstance(outcome.excinfo[1], SystemExit):
        _fail(outcome.excinfo[1])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        Role.worker = worker["workerid"]
    djhop_probe_databases.forget_reuse(config.option)
    addopts = " ".join([str(config.getini("addopts")), os.environ.get("PYTEST_ADDOPTS", "")])
    if "no:warnings" in addopts or "no:pytest_warnings" in addopts:
        note("-p no:warnings in addopts: overruled, or the strict filter would do nothing")


def pytest_sessionstart(session):
    # pytest's own plugin has just sent crashes to the output.
    djhop_probe_stacks.at_a_crash()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what an earlier process of this pass has run, and what is another shard's."""
    divide(item.nodeid for item in items)
    others = [item for item in items if STATE.is_left_out(item.nodeid)]
    if others:
        items[:] = [item for item in items if not STATE.is_left_out(item.nodeid)]
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config, specs):
    Role.controller = True


def pytest_internalerror(excrepr, excinfo):
    _fail(excinfo.value)


def pytest_keyboard_interrupt(excinfo):
    # pytest's own way of stopping, after collection errors or --maxfail, is not a failure.
    if type(excinfo.value).__name__ != "Interrupted":
        _fail(excinfo.value)


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_collection(session):
    with Phase(session.config, "collect"):
        yield
    STATE.phase = "runtest"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    if outcome.excinfo is None:
        report = outcome.get_result()
        excinfo = getattr(getattr(report, "call", None), "excinfo", None)
        if report.failed and excinfo is not None:
            attach(report, excinfo.value, "collect")


def pytest_collectreport(report):
    if report.failed and _logs_tests():
        test_id = short_id(report.nodeid)
        if test_id not in _collect_errors:
            _collect_errors.add(test_id)
            emit("collecterror", id=test_id, exc=exception_of(report))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    wrong = check_loaded_django()
    if wrong:
        pytest.exit(wrong, returncode=97)
    if _logs_tests() and not Role.controller:
        announce(item.nodeid for item in session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node, ids):
    if not Role.announced:
        Role.announced = True
        announce(ids)


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_protocol(item):
    with Phase(item.config, "runtest", short_id(item.nodeid)):
        yield


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_call(item):
    # Workers count, too: the controller cannot see it.
    djhop_probe_queries.begin()
    if STATE.mode == "plain":
        yield
    elif STATE.mode == "strict":
        native = item.config.pluginmanager.hasplugin("warnings")
        CANARY.sing(short_id(item.nodeid), "native" if native else "probe")
        yield
    else:
        with warnings.catch_warnings():
            raise_deprecations()
            _apply_marks(item)
            CANARY.sing(short_id(item.nodeid), "probe")
            yield
    if STATE.is_main_process():
        djhop_probe_queries.end(short_id(item.nodeid))


def _apply_marks(item):
    """Let the test's own filterwarnings marks beat the filter, as they beat pytest's -W."""
    try:
        from _pytest.config import parse_warning_filter
    except ImportError:
        return
    for mark in item.iter_markers(name="filterwarnings"):
        for arg in mark.args:
            warnings.filterwarnings(*parse_warning_filter(arg, escape=False))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.excinfo is None and call.excinfo is not None:
        report = outcome.get_result()
        if report.outcome == "failed" or hasattr(report, "wasxfail"):
            attach(report, call.excinfo.value, "runtest")


def pytest_runtest_logstart(nodeid):
    if _logs_tests():
        TESTS.start(nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if _logs_tests():
        TESTS.log(report)


def pytest_runtest_logfinish(nodeid):
    if _logs_tests():
        TESTS.stop(nodeid)


def pytest_warning_recorded(warning_message, when, nodeid):
    # A safety net for what did not pass the recorder, should a Python work in another way: the
    # same warning is known, and is not recorded twice.
    if Role.controller or not issubclass(warning_message.category, DEPRECATIONS):
        return
    if is_told_elsewhere(when):
        return
    before, STATE.current = STATE.current, short_id(nodeid) if nodeid else None
    try:
        message = warning_message
        RECORDER.record(
            message.category, message.message, message.filename, message.lineno, when, []
        )
    finally:
        STATE.current = before


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_sessionfinish(session):
    with Phase(session.config, "config"):
        yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    # An execnet worker may leave without running what is registered with atexit.
    if Role.worker is not None:
        STATE.coverage.save()
