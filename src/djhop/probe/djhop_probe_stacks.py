"""Where every thread stands: dumped when the process crashes, and when djhop asks for it.

djhop sends a signal of its own before it ends what hangs. Each process has a file of its own, as
stacks are written piece by piece; it stays open, at a number that tests which close descriptors
leave alone.
"""

import fcntl
import os

from djhop_probe_state import STATE

#: The lowest number for the file's descriptor.
HIGH = 200
_file = []
_real_pid = (os.getpid,)


def install():
    """Dump all stacks at djhop's signal, and at a crash where no framework sees to that."""
    try:
        import faulthandler

        config = STATE.config
        if not config.get("stacks"):
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        low = os.open("%s.%d" % (config["stacks"], _real_pid[0]()), flags, 0o644)
        try:
            _file.append(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH))
        finally:
            os.close(low)
        if config.get("dump"):
            faulthandler.register(config["dump"], file=_file[-1], all_threads=True)
    except Exception:
        return  # a limit of open files, a Python without it
    if config["framework"] != "pytest":
        at_a_crash()


def at_a_crash():
    """Dump them at a fatal signal from now on; pytest has its own way, into its output."""
    if _file:
        import faulthandler

        faulthandler.enable(file=_file[-1])
