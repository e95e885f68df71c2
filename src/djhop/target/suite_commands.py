"""Commands that run a Django test suite, as people write them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A command reduced to what it runs."""

    kind: Literal["pytest", "django", "script"]
    #: pytest: its arguments. django and script: what follows `python`.
    argv: tuple[str, ...]
    #: The same as it was written: `argv` keeps which tests and settings, not how fast or how loud.
    whole: tuple[str, ...] = ()
    #: Where it is run, relative to the target: "cd backend && …".
    directory: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def settings(self) -> str:
        """The settings module that the arguments name, or ""."""
        return option(self.argv, "--settings", "--ds")


#: Programs that only start another one, and their options that take a value.
_WRAPPERS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("uv", "run"): ("--with", "--extra", "--group", "--python", "-p", "--directory", "--env-file"),
    ("poetry", "run"): (),
    ("pipenv", "run"): (),
    ("pdm", "run"): (),
    ("rye", "run"): (),
    ("hatch", "run"): (),
    ("xvfb-run",): ("-s", "--server-args"),
    ("time",): (),
    ("exec",): (),
    ("sudo",): (),
    ("coverage", "run"): (
        "--source",
        "--omit",
        "--include",
        "--rcfile",
        "--concurrency",
        "--data-file",
        "--context",
    ),
}
_PYTHON = re.compile(r"^(?:.*/)?(?:python|python3|python3?\.\d+|python2|pypy3?|py)$")
_PYTHON_VALUES = ("-W", "-X")
_SET = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.DOTALL)
#: pytest's options worth keeping: which settings, which tests; those in the first take a value.
_PYTEST_VALUES = (
    "--ds",
    "--dc",
    "-c",
    "-k",
    "-m",
    "-p",
    "-o",
    "--rootdir",
    "--import-mode",
    "--ignore",
    "--ignore-glob",
    "--deselect",
    "--django-settings",
)
_PYTEST_FLAGS = ("--pyargs", "--nomigrations", "--no-migrations", "--migrations")
_PYTEST_DROPPED_VALUES = (
    "-n",
    "--numprocesses",
    "--dist",
    "--maxfail",
    "--durations",
    "--tb",
    "--color",
    "--timeout",
    "-r",
    "--junitxml",
    "--junit-xml",
    "--cov-config",
    "--cov-report",
    "--log-level",
    "--reruns",
    "--html",
    "--basetemp",
    "-W",
)
_DJANGO_DROPPED = (
    "-v",
    "--verbosity",
    "--parallel",
    "--failfast",
    "--keepdb",
    "--no-color",
    "--force-color",
    "--traceback",
    "--timing",
    "--buffer",
    "-b",
    "--shuffle",
    "-r",
    "--reverse",
    "--debug-sql",
    "--debug-mode",
    "--coverage",
    "--with-coverage",
)
_DJANGO_DROPPED_VALUES = ("-v", "--verbosity", "--parallel")


def parse(words: Sequence[str]) -> Call | None:
    """Read a command, wrappers such as `coverage run` taken off; None where it runs no tests."""
    environment: list[tuple[str, str]] = []
    rest = list(words)
    module = False
    while rest:
        if rest[0] == "env" or _SET.match(rest[0]):
            if match := _SET.match(rest.pop(0)):
                environment.append((match[1], match[2]))
        elif wrapper := _wrapper(rest):
            rest, module = _after_wrapper(rest[len(wrapper) :], _WRAPPERS[wrapper])
            if module:
                rest = ["python", "-m", *rest]
            elif wrapper[0].endswith("coverage") and rest and rest[0].endswith(".py"):
                rest = ["python", *rest]
        elif _PYTHON.match(rest[0]):
            rest, module = _after_wrapper(rest[1:], _PYTHON_VALUES)
            if module and _wrapper(rest):
                continue
            return _python_call(rest, module, tuple(environment))
        else:
            return _program_call(rest, tuple(environment))
    return None


def _wrapper(words: Sequence[str]) -> tuple[str, ...] | None:
    first = words[0].rpartition("/")[2] if words else ""
    for wrapper in _WRAPPERS:
        if (first, *words[1 : len(wrapper)]) == wrapper:
            return wrapper
    return None


def _after_wrapper(words: list[str], values: tuple[str, ...]) -> tuple[list[str], bool]:
    """Take off a wrapper's own options; whether `-m` was the last of them."""
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word in ("-m", "--module") and "-m" not in values:
            return rest, True
        if word == "--":
            break
        if word in values and rest:
            rest.pop(0)
    return rest, False


def _python_call(
    rest: list[str], module: bool, environment: tuple[tuple[str, str], ...]
) -> Call | None:
    if module:
        match rest:
            case ["pytest" | "py.test", *arguments]:
                return _pytest(arguments, environment)
            case ["django" as name, "test", *arguments] | ["unittest" as name, *arguments]:
                words = ("test",) if name == "django" else ()
                return _django(("-m", name, *words), arguments, environment)
        return None
    if not rest:
        return None
    if rest[0].rpartition("/")[2] in ("pytest", "py.test"):
        return _pytest(rest[1:], environment)
    return _program_call(rest, environment)


def _program_call(rest: list[str], environment: tuple[tuple[str, str], ...]) -> Call | None:
    program, arguments = rest[0], rest[1:]
    name = program.rpartition("/")[2]
    if name in ("pytest", "py.test"):
        return _pytest(arguments, environment)
    if name in ("django-admin", "django-admin.py") and arguments[:1] == ["test"]:
        return _django(("-m", "django", "test"), arguments[1:], environment)
    if name == "manage.py":
        if "test" not in arguments[:1]:
            return None
        return _django((_relative(program), "test"), arguments[1:], environment)
    if name.endswith(".py") and name != "setup.py" and re.search(r"test|run", name):
        call = _django((_relative(program),), arguments, environment)
        return msgspec.structs.replace(call, kind="script")
    return None


def _relative(program: str) -> str:
    return program.removeprefix("./")


def _django(
    head: tuple[str, ...], arguments: Sequence[str], environment: tuple[tuple[str, str], ...]
) -> Call:
    return Call(
        kind="django",
        argv=(*head, *_django_arguments(arguments)),
        whole=(*head, *arguments),
        environment=environment,
    )


def _pytest(arguments: list[str], environment: tuple[tuple[str, str], ...]) -> Call:
    kept: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name = word.partition("=")[0]
        if not word.startswith("-"):
            kept.append(word)
        elif word in _PYTEST_VALUES and rest:
            kept += [word, rest.pop(0)]
        elif (
            (name in _PYTEST_VALUES and "=" in word)
            or word in _PYTEST_FLAGS
            or re.match(r"-[pkmco]\S", word)
        ):
            kept.append(word)
        elif word in _PYTEST_DROPPED_VALUES and rest:
            rest.pop(0)
    return Call(kind="pytest", argv=tuple(kept), whole=tuple(arguments), environment=environment)


def _django_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """Keep which settings and which tests; drop how much is printed and how fast it goes."""
    kept: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word.partition("=")[0] not in _DJANGO_DROPPED and not re.match(r"-v\d", word):
            kept.append(word)
        elif word in _DJANGO_DROPPED_VALUES and rest and re.match(r"\d|auto$", rest[0]):
            rest.pop(0)
    return tuple(kept)


def option(argv: Sequence[str], *names: str) -> str:
    """The value of the last option of these names: `--ds=x` or `--ds x`; "" without one."""
    found = ""
    for position, word in enumerate(argv):
        name, sign, value = word.partition("=")
        if name in names and sign:
            found = value
        elif word in names and position + 1 < len(argv):
            found = argv[position + 1]
    return found


def in_text(text: str) -> Iterator[Call]:
    """Find the commands in a Makefile, a script or a CI configuration, line by line."""
    for whole in text.replace("\\\n", " ").splitlines():
        if not re.search(r"pytest|py\.test|manage\.py|django|runtests|run_tests", whole):
            continue
        directory = ""
        line = re.sub(r"\$\{\{.*?\}\}", "", whole)
        stripped = re.sub(
            r"^\s*(?:-\s+)?(?:(?:run|script|command|test)\s*:\s*)?[@\-+]*\s*", "", line
        )
        for piece in re.split(r"&&|\|\||;|\|", stripped.strip("\"'")):
            try:
                words = [w for w in shlex.split(piece, comments=True) if not re.search(r"[${}]", w)]
            except ValueError:
                continue
            if words[:1] == ["cd"] and len(words) == 2:
                directory = words[1].strip("/")
            elif words and (call := parse(words)):
                yield msgspec.structs.replace(call, directory=directory)
