"""pytest's phases: what is recorded in each, how strictly, and by which process."""

import warnings

from djhop_probe_filters import raise_deprecations, send_spy, show_deprecations
from djhop_probe_state import STATE, note
from djhop_probe_warnings import RECORDER


class Role(object):
    """What this process is: the only one, xdist's controller, or one of its workers."""

    controller = False
    worker = None  # "gw0"
    announced = False


def is_told_elsewhere(phase):
    """Return whether another process records this phase: all workers configure and collect."""
    worker = Role.worker
    return worker is not None and phase != "runtest" and (phase, worker) != ("collect", "gw0")


class Phase(object):
    """Records what pytest shows in one of its phases; a strict filter where pytest has none."""

    def __init__(self, config, phase, test_id=None):
        self._phase, self._id = phase, test_id
        # Without pytest's warnings plugin, -W does nothing at all and nobody says so.
        bare = not config.pluginmanager.hasplugin("warnings")
        self._own = warnings.catch_warnings() if bare else None

    def __enter__(self):
        self._before = STATE.phase, STATE.current, RECORDER.muted
        STATE.phase, STATE.current = self._phase, self._id
        RECORDER.muted = is_told_elsewhere(self._phase)
        if self._own is not None:
            self._own.__enter__()
            show_deprecations()
            if STATE.mode == "strict":
                note("pytest's warnings plugin is off: the probe put the strict filter in force")
                raise_deprecations()
        elif STATE.mode == "strict":
            send_spy()
        RECORDER.trust_log()

    def __exit__(self, *exc_info):
        RECORDER.distrust_log()
        if self._own is not None:
            self._own.__exit__(*exc_info)
        STATE.phase, STATE.current, RECORDER.muted = self._before
