"""Makes a warm start see what a cold start sees.

Python warns about an invalid escape while it compiles, and a cached .pyc is never compiled: the
same strict run would die cold and pass warm. So what warned while compiling is always recorded,
and never written to the bytecode cache. A .pyc that somebody else wrote (an installer that
compiles, a command run without the probe) cannot be helped: its source is not compiled at all.
"""

import importlib.machinery
import sys
import warnings

from djhop_probe_warnings import COMPILING, RECORDER, WATCHED

_loader = importlib.machinery.SourceFileLoader
#: Sources whose compilation warned, as their code objects name them.
_warned = set()


def install():
    """Watch what the import system compiles."""
    if hasattr(_loader.source_to_code, "djhop"):
        return
    compile_source = _loader.source_to_code
    cache_bytecode = _loader._cache_bytecode

    def source_to_code(self, data, path, *args, **kwargs):
        return _watched(str(path), compile_source, (self, data, path) + args, kwargs)

    def _cache_bytecode(self, source_path, *args, **kwargs):
        if source_path in _warned:
            return None
        return cache_bytecode(self, source_path, *args, **kwargs)

    source_to_code.djhop = True
    _loader.source_to_code = source_to_code
    _loader._cache_bytecode = _cache_bytecode


def install_pytest():
    """Watch what pytest's assertion rewriter compiles: it has a cache of its own."""
    try:
        from _pytest.assertion import rewrite

        rewrite_test, write_pyc = rewrite._rewrite_test, rewrite._write_pyc
    except (ImportError, AttributeError):
        return

    def _rewrite_test(fn, *args, **kwargs):
        return _watched(str(fn), rewrite_test, (fn,) + args, kwargs)

    def _write_pyc(state, co, *args, **kwargs):
        if co.co_filename in _warned:
            return False
        return write_pyc(state, co, *args, **kwargs)

    rewrite._rewrite_test, rewrite._write_pyc = _rewrite_test, _write_pyc


def _watched(path, compile_source, args, kwargs):
    """Compile; where that warns, record it and compile again, so that the filters judge it."""
    if getattr(COMPILING, "now", False):
        return compile_source(*args, **kwargs)
    COMPILING.now = True
    try:
        with warnings.catch_warnings(record=True) as log:
            warnings.simplefilter("always")
            result = compile_source(*args, **kwargs)
        if not log:
            return result
        _warned.add(path)
        # The second time is the native one: under an error filter CPython itself turns the
        # warning into a SyntaxError, and else it is shown (and so recorded) as always.
        try:
            result = compile_source(*args, **kwargs)
        except Exception:
            _record(log, fatal=isinstance(sys.exc_info()[1], (SyntaxError, Warning)))
            raise
        _record(log, fatal=False)
        return result
    finally:
        COMPILING.now = False


def _record(log, fatal):
    for seen in log:
        if issubclass(seen.category, WATCHED):
            RECORDER.record(
                seen.category, seen.message, seen.filename, seen.lineno, "compile", fatal=fatal
            )
