"""pytest's reports → the probe's: outcomes, reasons, and exceptions with their structure.

A report only holds printed text, and the controller of xdist never sees the exception itself. So
whoever makes a report hangs the exception on it, as JSON text: that survives xdist's and
pytest-forked's way of sending reports about.
"""

import json

from djhop_probe_events import cut, short_id
from djhop_probe_exceptions import describe, from_text
from djhop_probe_printed import PRINTED
from djhop_probe_state import STATE, emit
from djhop_probe_warnings import RECORDER

_encode = (json.dumps, json.loads)


def attach(report, error, when):
    """Hang an exception's description on a report, and log the warnings in its chain."""
    error = unwrapped(error)
    report._djhop_exc = _encode[0](describe(error))
    RECORDER.record_fatal(error, when)


def unwrapped(error):
    """Return what pytest or pytest-django put in place of it with an exception of its own."""
    name = type(error).__name__
    if name == "ConftestImportFailure":
        inner = getattr(error, "cause", None)
        return inner if inner is not None else error.excinfo[1]
    if name == "CollectError" and error.__cause__ is not None:
        return error.__cause__
    inner = error.__context__
    both = isinstance(inner, ImportError) and isinstance(error, ImportError)
    if both and str(error).startswith("%s\n" % inner):
        # pytest-django adds a hint and hides where settings failed: `raise … from None`.
        return inner
    return error


def exception_of(report):
    """Return the exception that a report stands for, or None."""
    attached = getattr(report, "_djhop_exc", None)
    if attached is not None:
        return _encode[1](attached)
    if report.outcome != "failed" or not report.longrepr:
        return None
    text = str(report.longrepr)
    # unittest's unexpected successes and pytest's strict ones fail without an exception.
    name = "XPASS(strict)" if text.startswith("[XPASS(strict)]") else "Failure"
    return from_text(name, text)


class Tests(object):
    """Logs the reports of each test.

    A failed subtest fails its test, and a test with a skipped one is no pass: that is what unittest
    says, and pytest without subtests of its own (up to 8).
    """

    def __init__(self):
        self._failed_subtests = {}
        self._skipped_subtests = {}

    def log(self, report):
        """Log one report of a phase, or of a subtest."""
        outcome = _outcome(report)
        if outcome is None:
            return
        test_id = short_id(report.nodeid)
        exc = exception_of(report)
        if is_subtest(report):
            if outcome == "failed":
                self._failed_subtests.setdefault(test_id, exc)
            elif outcome == "skipped":
                self._skipped_subtests.setdefault(test_id, _reason(report, outcome))
            _emit(report, test_id, outcome, exc, sub=_subtest_name(report))
            return
        if report.when == "call" and test_id in self._failed_subtests:
            # pytest 9 says so itself; the pytest-subtests plugin lets the test pass.
            inner = self._failed_subtests.pop(test_id)
            if outcome == "passed" or exc is None or exc["name"] == "Failure":
                outcome, exc = "failed", inner
        skipped = self._skipped_subtests.pop(test_id, None) if report.when == "call" else None
        if skipped is not None and outcome == "passed":
            _emit(report, test_id, "skipped", None, reason=skipped)
            return
        _emit(report, test_id, outcome, exc)

    def start(self, nodeid):
        """Log that a test begins."""
        emit("start", id=short_id(nodeid))

    def stop(self, nodeid):
        """Log that a test is over."""
        STATE.ran += 1
        emit("stop", id=short_id(nodeid))


def is_subtest(report):
    """Return whether the report is of a part of a test (pytest 9, or pytest-subtests)."""
    return type(report).__name__.lower() == "subtestreport"


def _emit(report, test_id, outcome, exc, reason=None, **extra):
    printed = PRINTED.of_report(report)
    if printed is not None:
        extra["printed"] = printed
    emit(
        "report",
        id=test_id,
        when=report.when,
        outcome=outcome,
        seconds=report.duration,
        exc=exc,
        reason=_reason(report, outcome) if reason is None else reason,
        **extra,
    )


def _outcome(report):
    """Return the probe's word for a report; None for what is not an outcome, such as a rerun."""
    xfail = hasattr(report, "wasxfail")
    if report.outcome == "passed":
        return "xpassed" if xfail and report.when == "call" else "passed"
    if report.outcome == "skipped":
        return "xfailed" if xfail else "skipped"
    if report.outcome == "failed":
        # A crashed xdist worker's test has no phase.
        return "error" if report.when in ("setup", "teardown") else "failed"
    return None


def _reason(report, outcome):
    if outcome in ("xfailed", "xpassed"):
        return cut(str(report.wasxfail))
    if outcome != "skipped":
        return ""
    longrepr = report.longrepr
    if isinstance(longrepr, (tuple, list)) and len(longrepr) == 3:
        text = str(longrepr[2])
        return cut(text[len("Skipped: ") :] if text.startswith("Skipped: ") else text)
    return cut(str(longrepr or ""))


def _subtest_name(report):
    context = getattr(report, "context", None)
    parts = []
    if getattr(context, "msg", None) is not None:
        parts.append("[%s]" % (context.msg,))
    if getattr(context, "kwargs", None):
        parts.append("(%s)" % ", ".join("%s=%s" % item for item in context.kwargs.items()))
    return cut(" ".join(parts) or "(<subtest>)", 500)
