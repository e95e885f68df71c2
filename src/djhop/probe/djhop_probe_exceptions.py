"""Exceptions → plain data, so that causes are read from structure and never from printed text."""

import linecache
import os
import warnings

from djhop_probe_events import TEXT_LIMIT, cut
from djhop_probe_state import HERE

#: Frames kept of a traceback: its first 20 and its last 40.
FIRST, LAST = 20, 40
#: Exceptions of a chain that are described.
DEPTH = 5
_START = os.getcwd()
_STDLIB = os.path.join(os.path.dirname(os.__file__), "")
_MACHINERY = ("<frozen importlib", HERE + os.sep)
# Python 3.14 moved the Python half of the warnings machinery.
_WARNINGS = (warnings.__file__, _STDLIB + "_py_warnings.py")
# Whose frames say nothing where they are outermost: the runners that called the test.
_RUNNER_FILES = (_STDLIB + os.path.join("unittest", ""), _STDLIB + "runpy.py")
_RUNNER_PARTS = tuple(
    os.path.join("site-packages", package, "")
    for package in ("_pytest", "pytest", "pluggy", "xdist", "execnet")
)


def qualified(cls):
    """Return "package.module.Class", or the bare name of a builtin."""
    name = getattr(cls, "__qualname__", cls.__name__)
    module = getattr(cls, "__module__", None)
    return name if module in (None, "builtins") else "%s.%s" % (module, name)


def lineage(cls):
    """Return the qualified names of a class and its bases, `object` left out."""
    return [qualified(base) for base in cls.__mro__[:-1]][:20]


def absolute(filename):
    """Return the path as absolute: up to Python 3.8, `__main__` has a relative one."""
    if filename.startswith("<") or os.path.isabs(filename):
        return filename
    return os.path.join(_START, filename)


def is_machinery(filename):
    """Return whether a frame is the probe's, the import system's or of `warnings` itself."""
    return filename.startswith(_MACHINERY) or filename in _WARNINGS


def without_runner(frames):
    """Drop the outermost frames, those of a test runner; where all are, keep the last five."""
    for index, frame in enumerate(frames):
        file = frame[0]
        if not file.startswith(_RUNNER_FILES) and not any(part in file for part in _RUNNER_PARTS):
            return frames[index:]
    return frames[-5:]


def describe(error, traceback=None, depth=DEPTH):
    """Return an exception as data; its chain too, at most `depth` deep. Never raises."""
    try:
        return _described(error, traceback or error.__traceback__, depth, set())
    except Exception as trouble:
        return {
            "type": type(error).__name__,
            "name": type(error).__name__,
            "mro": [],
            "message": "(the exception could not be described: %s)" % type(trouble).__name__,
            "frames": [],
            "cause": None,
        }


def from_text(name, text):
    """Return a failure that is only known by its text, in the same shape."""
    found = {"type": name, "name": name, "mro": [], "frames": [], "cause": None}
    found["message"] = cut(text)
    return found


def chain(error):
    """Yield an exception and what caused it, outermost first."""
    seen = set()
    while error is not None and id(error) not in seen and len(seen) < DEPTH:
        seen.add(id(error))
        yield error
        error = _cause(error)


def frames_of(traceback):
    """Return [file, line, function, source line] of each frame, innermost last."""
    points = []
    while traceback is not None:
        points.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    rows = [
        (absolute(frame.f_code.co_filename), line or 0, frame.f_code.co_name, frame.f_globals)
        for frame, line in points
        if not is_machinery(frame.f_code.co_filename)
    ]
    rows = without_runner(rows)
    if len(rows) > FIRST + LAST:
        rows = rows[:FIRST] + rows[-LAST:]
    return [[file, line, name, _source(file, line, scope)] for file, line, name, scope in rows]


def _described(error, traceback, depth, seen):
    seen.add(id(error))
    try:
        message = str(error)
    except Exception as trouble:
        message = "(its text could not be had: %s)" % type(trouble).__name__
    found = {
        "type": qualified(type(error)),
        "name": type(error).__name__,
        "mro": lineage(type(error)),
        "message": cut(message),
        "frames": frames_of(traceback),
        "cause": None,
    }
    if len(message) > TEXT_LIMIT:
        found["cut"] = True
    if isinstance(error, SyntaxError) and error.filename:
        line = cut((error.text or "").strip(), 300)
        found["frames"].append([absolute(str(error.filename)), error.lineno or 0, "", line])
    cause = _cause(error)
    if cause is not None and depth > 1 and id(cause) not in seen:
        found["cause"] = _described(cause, cause.__traceback__, depth - 1, seen)
    return found


def _cause(error):
    if error.__cause__ is not None:
        return error.__cause__
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__
    # An exception group (Python 3.11) stands for the first exception in it.
    inner = getattr(error, "exceptions", None)
    if isinstance(inner, tuple) and inner and isinstance(inner[0], BaseException):
        return inner[0]
    return None


def _source(file, line, scope):
    try:
        return cut(linecache.getline(file, line, scope).strip(), 300)
    except Exception:
        return ""
