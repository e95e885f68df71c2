"""What a test that fails has printed, as far as its runner keeps that: the head and the tail.

Nothing is kept here that the runner does not keep by itself: a suite whose output is caught can
behave in another way than one whose output is not.
"""

import sys

from djhop_probe_state import STATE

#: Characters of one test's output: its head, and its tail.
HEAD = TAIL = 4000
#: Characters of all tests that one process reports.
ROOM = 2000000


class Printed(object):
    """Cuts what tests have printed, as long as there is room; what is cut is counted."""

    def __init__(self, room=ROOM):
        self._room = room

    def of_report(self, report):
        """Return what pytest has captured up to a report of a failure, or None."""
        if report.outcome != "failed":
            return None
        return self._kept(lambda: getattr(report, "sections", ()))

    def of_result(self, result):
        """Return what unittest's buffers hold of the running test, or None; `--buffer` has any."""
        if not getattr(result, "buffer", False):
            return None
        return self._kept(lambda: _buffered(result))

    def _kept(self, sections):
        try:
            said = ["--- %s ---\n%s" % (str(n)[:100], str(text)) for n, text in sections() if text]
            # Masked before it is cut, or half of a secret would stay.
            text = STATE.events.masked("\n".join(part.rstrip("\n") for part in said))
        except Exception:  # a runner's own class: the failure itself is told all the same
            return None
        if not text:
            return None
        head, tail = text[:HEAD], text[HEAD:][-TAIL:]
        if len(head) + len(tail) > self._room:
            head = tail = ""
        self._room -= len(head) + len(tail)
        return {"head": head, "tail": tail, "left_out": len(text) - len(head) - len(tail)}


def _buffered(result):
    for name in ("stdout", "stderr"):
        stream = getattr(result, "_%s_buffer" % name, None)
        # A buffer that is not in force holds what an earlier test has left there.
        if stream is not None and stream is getattr(sys, name):
            yield name, stream.getvalue()


PRINTED = Printed()
