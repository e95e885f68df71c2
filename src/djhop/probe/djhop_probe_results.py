"""unittest's results → the probe's events, whatever class of result a runner brings.

The methods of the result's own class are wrapped, not those of `unittest.TestResult`: some
result classes (unittest-xml-reporting's) never call the base. Under Django's --parallel each
forked worker reports its own tests, as they run: the parent's replay comes later, without the
real exceptions, and counts wrongly where Python 3.12.1 does not start what a decorator skips.
"""

import functools
import re
import time

import djhop_probe_queries
from djhop_probe_events import cut, short_id
from djhop_probe_exceptions import describe, from_text
from djhop_probe_filters import Runner
from djhop_probe_printed import PRINTED
from djhop_probe_state import STATE, emit
from djhop_probe_warnings import RECORDER

METHODS = (
    "startTest",
    "stopTest",
    "addSuccess",
    "addError",
    "addFailure",
    "addSkip",
    "addExpectedFailure",
    "addUnexpectedSuccess",
    "addSubTest",
    "addDuration",
)
# "setUpClass (pkg.mod.Class)": how unittest names what fails around tests, on every Python.
_HOLDER = re.compile(r"^(\w+) \((.+)\)$", re.DOTALL)
_clock = (time.perf_counter,)


class Results(object):
    """The run that is going on: one test at a time, of one result object."""

    def __init__(self):
        self.filters = Runner()
        #: Dotted class or module name → ids of its collected tests.
        self.members = {}
        #: True in a parent whose forked workers report: it only replays what they did.
        self.replaying = False
        self._result = None
        self._busy = False
        self._test = None
        self._done = set()
        self._broken = set()

    def instrument(self, cls):
        """Wrap the methods of a result class, once."""
        if "djhop_probed" in cls.__dict__:
            return
        try:
            cls.djhop_probed = True
        except TypeError:
            return  # written in C
        for name in METHODS:
            original = getattr(cls, name, None)
            if original is not None:
                setattr(cls, name, self._wrapped(name, original))

    def _wrapped(self, name, original):
        @functools.wraps(original)
        def method(result, *args, **kwargs):
            # `busy` inside a base class's wrapped method; another result inside a test belongs
            # to a suite that the test itself runs.
            foreign = self._test is not None and result is not self._result
            if self._busy or foreign:
                return original(result, *args, **kwargs)
            if self.replaying:
                STATE.ran += name == "stopTest"
                return original(result, *args, **kwargs)
            self._busy = True
            try:
                self._result = result
                self._before(name, args)
                returned = original(result, *args, **kwargs)
                if name == "startTest" and self._test is not None:
                    self.filters.test_starts(self._test["id"])
                    djhop_probe_queries.begin()
                return returned
            finally:
                self._busy = False

        return method

    def _before(self, name, args):
        try:
            test = args[0]
            if name == "addSubTest":
                self._subtest(*args)
            elif is_failed_import(test):
                self.broken(test)
            elif type(test).__name__ == "_ErrorHolder":
                self._around(name, test.id(), args)
            elif type(test).__name__ == "_SubTest":
                # Only a skip gets here: the whole test is not a pass any more.
                self._note(name, args)
            elif name == "startTest":
                self._start(test_id(test))
            elif name == "stopTest":
                self._stop()
            else:
                if self._test is None:
                    # Python 3.12.1 does not start what a decorator skips.
                    self._start(test_id(test))
                self._note(name, args)
        except Exception:
            pass

    def _start(self, identity):
        STATE.current = identity
        self._test = {"id": identity, "began": _clock[0](), "seconds": None, "said": []}
        self._emit("start", id=identity)

    def _stop(self):
        test, self._test = self._test, None
        if test is None:
            return
        self.filters.test_stops()
        if STATE.is_main_process():
            djhop_probe_queries.end(test["id"])
        if test["said"]:
            # Of a failure in the test and an error in its tearDown, the first is the cause.
            bad = [said for said in test["said"] if said[0] in ("failed", "error")]
            outcome, exc, reason, printed = (bad or test["said"])[0]
            seconds = test["seconds"]
            if seconds is None:
                seconds = _clock[0]() - test["began"]
            self._report(test["id"], outcome, seconds, exc, reason, printed=printed)
        self._finish(test["id"])
        STATE.current = None

    def _note(self, name, args):
        """Remember what was said of the running test; it is reported once, when it is over."""
        if self._test is None:
            return
        if name == "addDuration":
            self._test["seconds"] = args[1]
        elif name == "addSkip":
            self._test["said"].append(("skipped", None, cut(str(args[1])), None))
        elif name == "addSuccess":
            self._test["said"].append(("passed", None, "", None))
        elif name == "addUnexpectedSuccess":
            self._test["said"].append(("xpassed", None, "", None))
        else:
            outcomes = {"addError": "error", "addFailure": "failed"}
            outcome = outcomes.get(name, "xfailed")
            printed = PRINTED.of_result(self._result) if outcome != "xfailed" else None
            self._test["said"].append((outcome, _exception(args[1]), "", printed))

    def _subtest(self, test, subtest, error):
        if error is None or self._test is None:
            return
        failed = issubclass(error[0], test.failureException)
        outcome, exc = "failed" if failed else "error", _exception(error)
        self._test["said"].append((outcome, exc, "", PRINTED.of_result(self._result)))
        name = subtest._subDescription() if hasattr(subtest, "_subDescription") else str(subtest)
        self._report(self._test["id"], outcome, 0.0, exc, "", sub=cut(name, 500))

    def _around(self, name, holder, args):
        """A class or a module: its setUp or tearDown failed, or skipped all of its tests."""
        match = _HOLDER.match(holder)
        when, owner = match.groups() if match else ("", holder)
        if name == "addSkip":
            for identity in self.members.get(owner, ()):
                if identity not in self._done:
                    self._emit("start", id=identity)
                    self._report(identity, "skipped", 0.0, None, cut(str(args[1])))
                    self._finish(identity)
        elif name in ("addError", "addFailure"):
            STATE.explained = True
            self._emit("classerror", id=owner, when=when, exc=_exception(args[1]))

    def broken(self, test):
        """Report a test module (or name) that could not be loaded, once."""
        failure = getattr(test, "djhop_failure", None) or (test._testMethodName, None)
        if failure[0] not in self._broken:
            self._broken.add(failure[0])
            exc = failure[1] or from_text("ImportError", "could not be loaded")
            STATE.explained = True
            self._emit("collecterror", id=failure[0], exc=exc)

    def _report(self, identity, outcome, seconds, exc, reason, printed=None, **extra):
        if printed is not None:
            extra["printed"] = printed
        self._emit(
            "report",
            id=identity,
            when="whole",
            outcome=outcome,
            seconds=seconds,
            exc=exc,
            reason=reason,
            **extra,
        )

    def _finish(self, identity):
        self._done.add(identity)
        if STATE.is_main_process():
            STATE.ran += 1
        self._emit("stop", id=identity)

    def _emit(self, kind, **fields):
        if STATE.is_main_process():
            emit(kind, **fields)


def test_id(test):
    """Return the id of a test; its text where it has none."""
    try:
        return short_id(test.id())
    except Exception:
        return short_id(str(test))


def is_failed_import(test):
    """Return whether the test only stands for something that could not be loaded."""
    return type(test).__name__ == "_FailedTest" and type(test).__module__ == "unittest.loader"


def _exception(error):
    """Describe an exc_info triple, and log the deprecations in it."""
    if not isinstance(error, tuple) or not isinstance(error[1], BaseException):
        return from_text("Failure", str(error))
    RECORDER.record_fatal(error[1])
    return describe(error[1], error[2])


RESULTS = Results()
