"""What every process of a suite needs before any of the target's code is loaded in it.

The first process, pytest's workers and workers that are started afresh differ in what they measure
and report; what they see, and what they share with other cells, is decided here for all of them.
"""

import djhop_probe_compile
import djhop_probe_databases
import djhop_probe_queries
import djhop_probe_roots
import djhop_probe_shims
import djhop_probe_stacks
from djhop_probe_warnings import RECORDER


def install():
    """Record warnings, the compiler's too; isolate databases, folders; count queries; put back."""
    djhop_probe_stacks.install()
    RECORDER.install()
    djhop_probe_compile.install()
    djhop_probe_databases.install()
    djhop_probe_queries.install()
    djhop_probe_roots.install()
    djhop_probe_shims.install()
