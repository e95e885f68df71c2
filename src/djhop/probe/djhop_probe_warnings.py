"""Records every deprecation that is shown, with the stack of that moment.

`warnings._showwarnmsg` is what both the C and the Python half of the warnings machinery look up
for each warning that passes the filters, and no `catch_warnings` ever replaces it. Seen from
there, what a test catches for itself (pytest.warns, assertWarns) is told from what is shown by
where it is about to go.
"""

import sys
import threading
import warnings

from djhop_probe_events import cut
from djhop_probe_exceptions import (
    absolute,
    chain,
    frames_of,
    is_machinery,
    lineage,
    without_runner,
)
from djhop_probe_state import STATE, emit, note

DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning)
#: FutureWarning and SyntaxWarning are told for information: strict never fails on them.
WATCHED = DEPRECATIONS + (FutureWarning, SyntaxWarning)
FRAMES = 60
#: Events with a stack per place; the later ones of a place carry an empty stack.
STACKS = 50
#: Events in all.
LIMIT = 100000
#: `COMPILING.now` is true in the thread that compiles a module.
COMPILING = threading.local()


class CanaryWarning(DeprecationWarning):
    """Raised by the probe to prove that the strict filter is in force; never shown."""


class Recorder(object):
    """What has been seen in this process."""

    def __init__(self):
        self._original = None
        self._original_impl = None
        #: Logs that the test framework keeps: what goes there counts as shown.
        self._logs = []
        self._seen = set()
        self._places = {}
        self._total = 0
        #: Whether another process records the present phase: workers all collect the same.
        self.muted = False
        #: Whether shown deprecations are kept off stderr, as they are when nobody records them.
        self.quiet = False

    def install(self):
        """Put the recorder between the warnings machinery and whatever shows warnings."""
        if self._original is None:
            self._original = warnings._showwarnmsg
            self._original_impl = warnings._showwarnmsg_impl
            warnings._showwarnmsg = self._show

    def trust_log(self):
        """Count what goes to the present log (pytest's own) as shown. Undone by `distrust_log`."""
        self._logs.append(self._sink())

    def distrust_log(self):
        """Forget the log named last."""
        del self._logs[-1:]

    def record(self, category, message, file, line, when=None, stack=None, fatal=False):
        """Log one warning, unless it was just seen in the same test; say whether it was new."""
        if self.muted:
            return False
        text = cut(str(message))
        file = absolute(file)
        key = hash((category, text, file, line, STATE.current, fatal))
        if key in self._seen or self._total > LIMIT:
            return False
        self._seen.add(key)
        self._total += 1
        if self._total > LIMIT:
            note("more than %d warnings: the rest is not recorded" % LIMIT)
            return False
        place = hash((category, text, file, line, fatal))
        self._places[place] = self._places.get(place, 0) + 1
        if self._places[place] > STACKS:
            stack = []
        elif stack is None:
            stack = _stack(sys._getframe(1))
        emit(
            "warning",
            category=category.__name__,
            category_module=category.__module__,
            mro=lineage(category),
            message=text,
            file=file,
            line=line,
            stack=stack,
            when=when or ("compile" if getattr(COMPILING, "now", False) else STATE.phase),
            id=STATE.current,
            fatal=fatal,
        )
        return True

    def record_fatal(self, error, when=None):
        """Log each deprecation in the chain of an exception: what the strict filter raised."""
        for link in chain(error):
            if isinstance(link, DEPRECATIONS) and not isinstance(link, CanaryWarning):
                stack = [frame[:3] for frame in frames_of(link.__traceback__)]
                file, line = (stack[-1][0], stack[-1][1]) if stack else ("", 0)
                self.record(type(link), link, file, line, when, stack, fatal=True)

    def _show(self, message):
        try:
            keep = self._look(message)
        except Exception:
            keep = True
        if keep:
            self._original(message)

    def _look(self, message):
        """Record the warning where it is shown; say whether to go on showing it."""
        category = message.category
        if issubclass(category, CanaryWarning):
            return False
        if not issubclass(category, WATCHED):
            return True
        # Someone replaced showwarning (logging.captureWarnings): shown, and none of our business.
        replaced = warnings.showwarning is not warnings._showwarning_orig
        sink = None if replaced else self._sink()
        if sink is not None and not any(sink is log for log in self._logs):
            return True
        self.record(category, message.message, message.filename, message.lineno)
        swallow = self.quiet and not replaced and sink is None
        return not (swallow and issubclass(category, DEPRECATIONS))

    def _sink(self):
        """Return the list that warnings are caught in at present; None where they are shown."""
        if getattr(warnings, "_use_context", False):  # Python 3.14, context-aware warnings
            return warnings._get_context().log
        impl = warnings._showwarnmsg_impl
        if impl is self._original_impl:
            return None
        return getattr(impl, "__self__", impl)


def _stack(frame):
    """Return [file, line, function] of each frame, innermost last, at most 60."""
    rows = []
    while frame is not None:
        file = frame.f_code.co_filename
        if not is_machinery(file):
            rows.append([absolute(file), frame.f_lineno or 0, frame.f_code.co_name])
        frame = frame.f_back
    rows.reverse()
    return without_runner(rows)[-FRAMES:]


RECORDER = Recorder()
