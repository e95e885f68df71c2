"""Runs a suite as `python -m pytest` or `python manage.py test` would, and watches it.

Started as `python -m djhop_probe` inside the target's environment, which may be Python 3.6: the
standard library only. What it leaves for the suite to see is what Python itself would have left.
"""

import atexit
import importlib.machinery
import os
import runpy
import site
import sys
import types

import djhop_probe_hooks
from djhop_probe_exceptions import describe, is_machinery
from djhop_probe_state import STATE, emit
from djhop_probe_target import Coverage, belongs, find_django, refuse, say_begin
from djhop_probe_warnings import RECORDER

#: Exit status when the environment holds another Django than the cell names.
REFUSED = 97


def main():
    """Run the configured suite; never returns."""
    STATE.start()
    config = STATE.config
    for folder in config.get("overlay") or ():
        site.addsitedir(folder)
    sys.path.extend(config.get("tools") or ())
    # First registered, last called: after the suite's own farewells, and never in a process that
    # dies by os._exit or by a signal. A log without this line is a crash.
    atexit.register(_end)

    django = find_django()
    say_begin(django, config["framework"])
    expected = config.get("expect_django")
    if expected and not belongs(django, expected):
        STATE.code = REFUSED
        sys.exit(_say(refuse(django), REFUSED))

    STATE.coverage = Coverage(config.get("coverage"))
    STATE.coverage.start()
    djhop_probe_hooks.install()
    try:
        _run(config)
    except SystemExit as stop:
        _explain(stop)
        STATE.code = _status(stop)
        raise
    except KeyboardInterrupt as stop:
        STATE.code = 130
        _fatal(stop)
        raise
    except BaseException as error:
        STATE.code = 1
        _fatal(error)
        _print(error)
        sys.exit(1)
    finally:
        if STATE.is_main_process():
            STATE.coverage.save_all()


def _run(config):
    """Do what `python ARGV` does: a module after -m, or a script."""
    if config["framework"] == "pytest":
        argv = ["-m", "pytest", "-p", "djhop_probe_pytest"] + list(config["argv"])
    else:
        import djhop_probe_suite

        djhop_probe_suite.install()
        argv = list(config["argv"])
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = [sys.executable] + argv
    # Our own module is kept alive by this frame; the suite finds a fresh __main__.
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    if sys.version_info < (3, 14):
        module.__dict__["__annotations__"] = {}
    if argv[0] == "-m":
        sys.argv[:] = argv[1:]
        # Private, and what the interpreter itself calls for -m on every Python so far.
        runpy._run_module_as_main(argv[1])
        return
    sys.argv[:] = argv
    script = os.path.abspath(argv[0])
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    module.__file__ = script if sys.version_info >= (3, 9) else argv[0]
    module.__cached__ = None
    module.__loader__ = importlib.machinery.SourceFileLoader("__main__", script)
    with open(script, "rb") as file:
        source = file.read()
    exec(compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__)


def _explain(stop):
    """Report why a suite gave up, where its runner only printed that and chose an exit status."""
    if not _status(stop) or STATE.config["framework"] == "pytest":
        return
    hidden = stop.__context__
    if hidden is not None and not stop.__suppress_context__:
        _fatal(hidden)
    elif isinstance(stop.code, str) or not (STATE.ran or STATE.explained):
        _fatal(stop)


def _fatal(error):
    emit("fatal", exc=describe(error))
    RECORDER.record_fatal(error)


def _status(stop):
    if stop.code is None:
        return 0
    return stop.code & 0xFF if isinstance(stop.code, int) else 1


def _say(text, code):
    sys.stderr.write(text + "\n")
    return code


def _print(error):
    """Print an uncaught exception as Python would, without the probe's own frames at its top."""
    traceback = error.__traceback__
    while traceback is not None and is_machinery(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    # The hook prints the traceback that hangs on the exception, not the one it is given.
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)


def _end():
    if STATE.is_main_process():
        emit("end", code=STATE.code, ran=STATE.ran)


if __name__ == "__main__":
    main()
