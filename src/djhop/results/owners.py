"""Whose it is: the project's, a package's, Django's, Python's or the environment's.

Both rules walk a stack outward from its innermost frame and stop at the first that answers for it.
Every answer has its reason, a few words that a report can show.
"""

from __future__ import annotations

import importlib.resources
import linecache
import re
import tomllib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from djhop.results.paths import DJANGO, ENVIRONMENT, PROJECT, PYTHON, Owner, Paths
from djhop.results.tracebacks import joined, place, telling

if TYPE_CHECKING:
    from djhop.results.eventlog import Exc, Frame, Warned


class _Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`data/owners.toml`."""

    harness: frozenset[str]
    django_uses: frozenset[str]
    loaders: frozenset[tuple[str, str]]
    removed_modules: frozenset[str]


def _load() -> _Knowledge:
    text = importlib.resources.files("djhop").joinpath("data/owners.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Knowledge)


KNOWN = _load()

_STARTERS = ("manage.py", "runtests.py")
_NAMES_APP = re.compile(r"'(\w+)[\w.]*' defines default_app_config")
_NAMES_MODEL = re.compile(r"'(\w+)\.\w+'")
_WARNS = re.compile(r"warn\w*\(|deprecated\(")
_WARNS_BELOW = re.compile(r"warn\w*\([^()]*\Z")
_MISSING = re.compile(r"No module named '?([\w.]+)'?")
_COMPILE = re.compile(r"invalid (?:escape sequence|octal|decimal|hexadecimal)|\"is(?: not)?\" with")
_NO_SERVICE = re.compile(
    r"could not connect|connection (?:to server .* failed|refused|timed out|reset)|can't connect to"
    r"|name or service not known|could not translate host name|temporary failure in name resolution"
    r"|password authentication failed|is the server running|no space left on device"
    r"|database or disk is full|disk quota exceeded",
    re.IGNORECASE,
)
#: How django-environ, python-decouple and environs say it; the variable is the group that matched.
NO_VARIABLE = re.compile(
    r"Set the (\w+) environment variable|(\w+) not found\. Declare it as envvar"
    r"|Environment variable \"(\w+)\" not set",
    re.IGNORECASE,
)
_NO_VARIABLE_TYPES = ("ImproperlyConfigured", "UndefinedValueError", "EnvError")
#: The reason of what says nothing about the target: a server refuses, a disk is full.
NO_SERVICE = "a service does not answer, or the machine has no room"
#: The second is how Python 3.12 names it, as the module is frozen.
_OS = ("/os.py", "<frozen os>")
_NO_SERVICE_TYPES = frozenset(
    {"ConnectionRefusedError", "socket.gaierror", "gaierror", "MemoryError"}
)


class Verdict(msgspec.Struct, frozen=True):
    """An owner and why it is that one."""

    owner: Owner
    why: str
    #: The frame that decided, if one did: (file, line).
    frame: tuple[str, int] | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a test, a module or a pass failed."""

    #: Qualified class name: "django.core.exceptions.ImproperlyConfigured".
    exception: str
    message: str
    owner: Owner
    #: Deepest place in the project's code, "tests/test_a.py:12", relative to the target; or "".
    place: str = ""
    #: Where it was raised: "django/urls/conf.py:55" (relative to site-packages or stdlib).
    raised_at: str = ""
    #: (file, line, function, source), innermost last, files shortened as above.
    frames: tuple[tuple[str, int, str, str], ...] = ()
    #: Set where the exception, or one in its chain, is a Warning: its class name.
    warning: str = ""
    #: Which part of the test: "setup", "call", "teardown", "collect", "setUpClass" …
    when: str = ""
    #: Why it is this owner's, in a few words.
    why: str = ""
    #: The exception of the chain that tells the root, and what it said, where it is another one.
    root: str = ""
    root_message: str = ""


def of_warning(event: Warned, paths: Paths) -> Verdict:
    """Say whose *use* is deprecated.

    The stack decides, for `stacklevel` can point anywhere. Who warns is the innermost frame that is
    not Python's; who uses it is the first frame outward that is neither the same package's nor the
    test harness's. What C code warns about (`datetime.utcnow`) has no frame: there the innermost
    frame is the user. What Django warns about with only the harness above it is a setting.
    """
    if event.when == "compile" or _COMPILE.search(event.message):
        return Verdict(paths.owner_of_file(event.file) or PROJECT, "the file that was compiled")
    frames = tuple((file, line, name, "") for file, line, name in event.stack)
    if not frames:
        return _of_place(event, paths)
    attributed = (event.file, event.line) == frames[-1][:2]
    from_python = event.category_module in ("builtins", "") and attributed
    verdict = _user(frames, paths, event.message, from_python)
    if _is_harness(verdict.owner) and paths.owner_of_file(event.file) == PROJECT:
        return Verdict(PROJECT, "the place that the warning names")
    return verdict


def _of_place(event: Warned, paths: Paths) -> Verdict:
    owner = paths.owner_of_file(event.file)
    if owner is None or (owner == DJANGO and event.category_module.startswith("django.")):
        return Verdict(PROJECT, "no stack; Django does not use what it deprecates")
    return Verdict(owner, "the place that the warning names; no stack was recorded")


def _user(frames: Sequence[Frame], paths: Paths, message: str, from_python: bool) -> Verdict:
    """Walk outward from who warns to who uses what is warned about."""
    rest = [(frame, paths.owner_of_file(frame[0])) for frame in reversed(frames)]
    if from_python and rest[0][1] is not None and not _calls_warn(rest[0][0]):
        return Verdict(rest[0][1], "Python itself warns here", frames[-1][:2])
    while rest and rest[0][1] in (None, PYTHON):
        del rest[0]
    if not rest:
        return Verdict(PYTHON, "only Python's own code is on the stack")
    if len(rest) < len(frames) and paths.owner_of_file(frames[-1][0]) == PYTHON:
        first, owner = rest[0]
        return Verdict(owner or PYTHON, "the first to call Python's deprecated code", first[:2])
    emitter = rest[0][1] or PYTHON
    if emitter == PROJECT:
        return Verdict(PROJECT, "the project's own deprecation", rest[0][0][:2])
    if (app := _app_named(message, rest, paths)) and emitter == DJANGO:
        return _of_app(app, paths)
    return _caller(emitter, rest, paths)


def _caller(emitter: Owner, rest: Sequence[tuple[Frame, Owner | None]], paths: Paths) -> Verdict:
    for (file, line, name, _), owner in rest:
        if owner in (None, emitter, PYTHON) or _is_harness(owner):
            continue
        if owner == DJANGO and emitter.name not in KNOWN.django_uses:
            if _loads_by_name(file, name, paths) and emitter != DJANGO:
                break
            continue
        if owner == PROJECT and paths.shorten(file).endswith(_STARTERS):
            break
        why = f"calls what {emitter.name or emitter.kind} deprecates"
        return Verdict(owner, why, (file, line))
    if emitter == DJANGO:
        return Verdict(PROJECT, "only Django above: a setting or a template of the project")
    return Verdict(emitter, "nobody else is on the stack", rest[0][0][:2])


def _loads_by_name(file: str, name: str, paths: Paths) -> bool:
    """Whether a frame of Django imports what a setting names: nobody's code does it."""
    return (paths.shorten(file), name) in KNOWN.loaders


def _app_named(
    message: str, rest: Sequence[tuple[Frame, Owner | None]], paths: Paths
) -> str | None:
    """Name the app of a message whose stack does not lead there: loading apps, migrations."""
    if match := _NAMES_APP.search(message):
        return match[1]
    match = _NAMES_MODEL.search(message)
    historic = any(paths.shorten(frame[0]).startswith("django/db/migrations/") for frame, _ in rest)
    return match[1] if match and historic else None


def _of_app(name: str, paths: Paths) -> Verdict:
    if not paths.packages.has(name):
        return Verdict(PROJECT, "the app it names")
    package = paths.packages.of_file(f"{name}/__init__.py")
    owner = DJANGO if package == "django" else Owner("package", package)
    return Verdict(owner, "the app it names")


def _calls_warn(frame: Frame) -> bool:
    """Whether the line itself warns, by Python code, rather than calling what does so in C."""
    file, line, _, source = frame
    if source or (source := linecache.getline(file, line)):
        # A call over several lines has its last line's number up to Python 3.7.
        above = "".join(linecache.getline(file, n) for n in range(max(1, line - 3), line))
        return bool(_WARNS.search(source) or _WARNS_BELOW.search(above))
    return False


def of_failure(exc: Exc, paths: Paths) -> Verdict:
    """Say whose code fails: the first frame outward that is neither Django's, Python's nor harness.

    A service that does not answer is the environment's, and so is a module that nothing provides;
    a failed assertion is the project's; what the strict filter raised goes by `of_warning`.
    """
    if (warning := exc.warning) is not None:
        frames = warning.frames
        if not frames:
            return Verdict(PROJECT, "no traceback was recorded")
        from_python = not warning.type.startswith("django.")
        return _user(frames, paths, warning.message, from_python)
    if outside := _environment(exc, paths):
        return outside
    return _of_traceback(exc, paths)


def _of_traceback(exc: Exc, paths: Paths) -> Verdict:
    chosen = telling(exc, _speakers(paths))
    owners = [paths.owner_of_file(frame[0]) for frame in reversed(chosen.frames)]
    asserted = {"AssertionError", "_pytest.outcomes.Failed"} & set(exc.mro)
    if asserted and PROJECT in owners:
        return Verdict(PROJECT, "a failed assertion")
    for owner in owners:
        if owner is not None and _speaks(owner):
            return Verdict(owner, "the innermost frame outside of Django, Python and the harness")
    if DJANGO in owners:
        return Verdict(PROJECT, "only Django above: a setting or a template of the project")
    return Verdict(PROJECT, "no frame of a package's or of Django's is on the stack")


def _is_harness(owner: Owner | None) -> bool:
    return owner is not None and owner.kind == "package" and owner.name in KNOWN.harness


def _speaks(owner: Owner | None) -> bool:
    """Whether a frame of this owner's has a say in whose failure it is."""
    return owner not in (None, DJANGO, PYTHON) and not _is_harness(owner)


def _speakers(paths: Paths) -> Callable[[Frame], bool]:
    return lambda frame: _speaks(paths.owner_of_file(frame[0]))


def _environment(exc: Exc, paths: Paths) -> Verdict | None:
    for link in exc.chain:
        if "ModuleNotFoundError" in link.mro and (match := _MISSING.search(link.message)):
            top = match[1].partition(".")[0]
            if top not in KNOWN.removed_modules and not paths.provides(top):
                return Verdict(ENVIRONMENT, f"nothing installed provides {top!r}")
        service = "OperationalError" in link.type or "ConnectionError" in link.type
        if _NO_SERVICE_TYPES & set(link.mro) or (
            (service or "ImproperlyConfigured" in link.type or "OSError" in link.mro)
            and _NO_SERVICE.search(link.message)
        ):
            return Verdict(ENVIRONMENT, NO_SERVICE)
        if link.type.endswith(_NO_VARIABLE_TYPES) and NO_VARIABLE.search(link.message):
            return Verdict(ENVIRONMENT, "an environment variable is not set")
        if link.name == "KeyError" and link.frames and link.frames[-1][0].endswith(_OS):
            return Verdict(ENVIRONMENT, f"the environment variable {link.message} is not set")
    return None


def failure(exc: Exc, when: str, paths: Paths) -> Failure:
    """Turn an exception of the log into a `Failure`: owner, place, and frames made short."""
    chosen = telling(exc, _speakers(paths))
    frames = joined(exc, chosen)
    warning = exc.warning
    verdict = of_failure(exc, paths)
    return Failure(
        exception=exc.type,
        message=exc.message,
        owner=verdict.owner,
        why=verdict.why,
        place=place(frames, paths),
        raised_at=_at(chosen.frames[-1], paths) if chosen.frames else "",
        frames=tuple((paths.shorten(f), line, name, src) for f, line, name, src in frames),
        warning=warning.name if warning is not None else "",
        when=when,
        root="" if chosen is exc else chosen.type,
        root_message="" if chosen is exc else chosen.message,
    )


def _at(frame: Frame, paths: Paths) -> str:
    return f"{paths.shorten(frame[0])}:{frame[1]}"
