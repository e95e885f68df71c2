"""Carries the probe into the processes of a parallel unittest run.

Forked workers have it in memory. Those that are started afresh ("spawn" on macOS and Windows,
"forkserver" on Linux from Python 3.14 on) import it when they unpickle what their pool calls first.
"""

import functools
import multiprocessing.pool
import multiprocessing.util

import djhop_probe_compile
import djhop_probe_databases
import djhop_probe_roots
from djhop_probe_state import STATE
from djhop_probe_target import Coverage
from djhop_probe_warnings import RECORDER


def install():
    """Make every pool from here on begin its workers with the probe."""
    pool = multiprocessing.pool.Pool
    if hasattr(pool.__init__, "djhop"):
        return
    make = pool.__init__

    @functools.wraps(make)
    def init(self, processes=None, initializer=None, *args, **kwargs):
        make(self, processes, functools.partial(begin, initializer), *args, **kwargs)

    init.djhop = True
    pool.__init__ = init


def begin(initializer, *args):
    """Start the probe in a fresh worker, then do what the pool was to do first.

    What settings, apps and test modules warn here, the parent has recorded: they are loaded again.
    """
    STATE.start()
    STATE.worker = True
    RECORDER.muted = True
    RECORDER.install()
    djhop_probe_compile.install()
    djhop_probe_databases.install()
    djhop_probe_roots.install()
    STATE.coverage = Coverage(STATE.config.get("coverage"))
    measure()
    import djhop_probe_suite
    from djhop_probe_results import RESULTS

    djhop_probe_suite.install()
    if initializer is not None:
        initializer(*args)
    STATE.phase = "collect"
    RESULTS.filters.watch()


def measure():
    """Measure this worker's coverage, into a file of its own."""
    STATE.coverage.start_in_worker()
    # A worker leaves by os._exit, after these.
    multiprocessing.util.Finalize(None, STATE.coverage.save, exitpriority=100)
