"""The command of one pass: a target's suite as its owners run it, strict or plain; pure."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

import msgspec

from djhop import masking
from djhop.matrix.shard import Shard
from djhop.processes.process import Command
from djhop.suites import addopts
from djhop.suites.cellenv import INHERITED, Room, cell_environ
from djhop.suites.taken import Taken
from djhop.target.target import Suite, SuiteKind

__all__ = [
    "INHERITED",
    "CoverageConfig",
    "PassFiles",
    "ProbeConfig",
    "Room",
    "Stand",
    "cell_environ",
    "chosen",
    "neutralised",
    "packages",
    "pass_command",
]

Mode = Literal["strict", "plain", "scoped"]

STRICT = "error::DeprecationWarning"
#: At which the probe dumps every thread's stack: one that neither pytest nor a suite is known to
#: use. macOS has no real-time signals.
DUMP = int(signal.SIGRTMIN) + 9 if hasattr(signal, "SIGRTMIN") else int(signal.SIGUSR2)
#: Options of Django's runner that would falsify a matrix, and why.
_DJANGO_DROPPED = {
    "--failfast": "it ends the suite at its first failure",
    "--pdb": "nobody is there to answer",
    "--keepdb": "each cell makes its own database",
}


class CoverageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the probe measures."""

    data_file: str
    source: tuple[str, ...]
    omit: tuple[str, ...] = ()
    branch: bool = False


class ProbeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the probe reads, as JSON, from the file that DJHOP_PROBE names."""

    events: str
    mode: Mode
    framework: SuiteKind
    argv: tuple[str, ...]
    root: str
    expect_django: str
    #: Directories added as site directories, at the end of sys.path.
    overlay: tuple[str, ...] = ()
    #: Directories at the very end of sys.path.
    tools: tuple[str, ...] = ()
    coverage: CoverageConfig | None = None
    cell: str = ""
    #: Whether the filter of a strict run is in force from the start of the process on.
    literal: bool = False
    #: Whether test databases, and folders outside of the workspace, are this cell's own.
    isolate: bool = True
    #: Where in the environment something stands that must not be written: see `masking.spans`.
    secrets: dict[str, tuple[tuple[int, int], ...]] = {}
    #: Where stacks are dumped, of a crash and at the signal `dump`: each process adds its pid.
    stacks: str = ""
    dump: int | None = None
    #: Tests that are not to be run again: those that ended in an earlier process of the pass.
    done: tuple[str, ...] = ()
    #: [number, of how many]: the part of the suite that is run; None for all of it.
    shard: tuple[int, int] | None = None
    #: What is taken away to see what is behind it.
    taken: Taken | None = None


class PassFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pass leaves what it sees."""

    config: str
    events: str
    junit: str
    coverage: str
    log: str
    stacks: str = ""

    @classmethod
    def in_folder(cls, folder: str, name: str, start: int = 1) -> PassFiles:
        """Name the files of the pass `name` ("strict", "plain-whole") in a cell's folder.

        `start`: which of its processes; they share the log and the events.
        """
        at, own = PurePath(folder), name if start == 1 else f"{name}-{start}"
        return cls(
            config=str(at / f"probe-{own}.json"),
            events=str(at / f"events-{name}.jsonl"),
            junit=str(at / f"junit-{own}.xml"),
            coverage=str(at / f"coverage-{own}"),
            log=str(at / f"log-{name}.txt"),
            stacks=str(at / f"stacks-{own}.txt"),
        )


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """What all passes of a cell share."""

    room: Room
    #: Series: "5.2".
    django: str
    #: The interpreter of the cell's environment.
    interpreter: str
    env: dict[str, str]
    #: Where the suite runs, relative to the workspace.
    working_directory: str = "."
    #: Canonical names of the cell's packages: whose options may be used.
    packages: frozenset[str] = frozenset()
    #: The target's own pytest options: `pytest_config.read(...).addopts`.
    addopts: tuple[str, ...] = ()
    #: Lines of the target's own `filterwarnings` that ignore something.
    ignores: int = 0
    overlay: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    #: What coverage measures; None for no measuring.
    source: tuple[str, ...] | None = None
    omit: tuple[str, ...] = ()
    branch: bool = False
    #: As in `ProbeConfig`.
    literal: bool = False
    isolate: bool = True
    taken: Taken | None = None
    #: The part of the suite that is run; None for all of it.
    shard: Shard | None = None
    timeout: float | None = None
    #: Seconds a test may take, and seconds without output or event; 0: no such limit.
    test_timeout: float = 0.0
    silence_timeout: float = 0.0


def pass_command(
    suite: Suite,
    stand: Stand,
    *,
    mode: Mode,
    files: PassFiles,
    args: Sequence[str] = (),
    done: tuple[str, ...] = (),
) -> tuple[Command, ProbeConfig]:
    """Return the process of one pass, and what is to be written to `files.config` before it.

    Args:
        args: what the user gave after `--`: options or tests of the suite's own runner.
        done: ids of tests that an earlier process of this pass has run.
    """
    make = _pytest_argv if suite.kind == "pytest" else _django_argv
    measured = None
    if stand.source is not None:
        measured = CoverageConfig(
            data_file=files.coverage, source=stand.source, omit=stand.omit, branch=stand.branch
        )
    config = ProbeConfig(
        events=files.events,
        mode=mode,
        framework=suite.kind,
        argv=make(suite, stand, mode, files, args),
        root=stand.room.workspace,
        expect_django=stand.django,
        overlay=stand.overlay,
        tools=stand.tools,
        coverage=measured,
        cell=stand.room.cell,
        literal=stand.literal and mode == "strict",
        isolate=stand.isolate,
        secrets=masking.spans(stand.env),
        stacks=files.stacks,
        dump=DUMP,
        done=done,
        shard=(stand.shard.number, stand.shard.of) if stand.shard else None,
        taken=stand.taken,
    )
    command = Command(
        argv=(
            stand.interpreter,
            *(("-W", STRICT) if config.literal else ()),
            *("-m", "djhop_probe"),
        ),
        cwd=str(PurePath(stand.room.workspace, stand.working_directory)),
        env={**stand.env, "DJHOP_PROBE": files.config},
        timeout=stand.timeout,
        log=files.log,
        dump=DUMP,
    )
    return command, config


def _pytest_argv(
    suite: Suite, stand: Stand, mode: Mode, files: PassFiles, args: Sequence[str]
) -> tuple[str, ...]:
    """Return pytest's arguments: the target's, the user's, and djhop's, which win.

    The cache is emptied (--cache-clear), not switched off: an unknown --lf or --ff would be an
    error. junit_family stays the target's: xunit2 makes fixtures of xunit1 warn.
    """
    own, _ = addopts.cleaned((*chosen(suite.argv, args), *args))
    defaults, dropped = addopts.cleaned(stand.addopts)
    blocked = addopts.blocked((*defaults, *own))
    argv = [*own]
    if dropped:
        argv += ["-o", f"addopts={shlex.join(defaults)}"]
    if mode == "strict":
        # Wins over the target's own filterwarnings; without the plugin it would do nothing.
        argv += ["-p", "warnings", "-W", STRICT]
    argv += ["--continue-on-collection-errors", "--maxfail=0", "--color=no"]
    if "cacheprovider" not in blocked:
        argv += ["--cache-clear"]
    argv += [f"--junitxml={files.junit}", "-o", "junit_logging=no"]
    if "pytest-cov" in stand.packages and not {"pytest_cov", "cov"} & blocked:
        argv += ["--no-cov"]
    if "--reuse-db" in (*defaults, *own):
        # pytest-django's: the tables of the cell before would do for this one.
        argv += ["--create-db"]
    if "pytest-randomly" in stand.packages and not {"randomly", "pytest_randomly"} & blocked:
        # Any order would do, but it must be the same in each cell.
        argv += ["--randomly-seed=1"]
    return tuple(argv)


def _django_argv(
    suite: Suite, _stand: Stand, _mode: Mode, _files: PassFiles, args: Sequence[str]
) -> tuple[str, ...]:
    """Return what follows `python`. A script of the target's own may know no option of Django's."""
    words = (*chosen(suite.argv, args), *args)
    argv = [word for word in words if word not in _DJANGO_DROPPED]
    if "test" not in argv[: len(suite.argv)]:
        return tuple(argv)
    argv = ["--shuffle=1" if word == "--shuffle" else word for word in argv]
    if not {"--noinput", "--no-input"} & set(argv):
        # An old database of that name is destroyed without asking.
        argv.insert(argv.index("test") + 1, "--noinput")
    return tuple(argv)


def chosen(argv: Sequence[str], args: Sequence[str]) -> tuple[str, ...]:
    """Leave out the tests that `argv` names where `args` names others: they would be added up."""
    named = [word for word in args if not word.startswith("-")]
    if not any("::" in word or "/" in word or "." in word for word in named):
        return tuple(argv)
    head = 1 + argv.index("test") if "test" in argv else 0
    tail = argv[head:]
    before = ("", *tail)
    kept = [w for w, last in zip(tail, before, strict=False) if not _names_tests(w, last)]
    return (*argv[:head], *kept)


def _names_tests(word: str, last: str) -> bool:
    """Whether a word names tests: it is no option, and no value of the option before it."""
    if word.startswith("-") or (last.startswith("-") and "=" not in last):
        return False
    return "=" not in word and not word.endswith(("manage.py", "runtests.py"))


def neutralised(suite: Suite, stand: Stand, args: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what of the target's and the user's options djhop overrules, one sentence each."""
    words = (*suite.argv, *args)
    told = (f"strict is literal: python -W {STRICT}, for the whole process",) * stand.literal
    if suite.kind == "command":
        return (
            f"of the command `{shlex.join(suite.argv)}` only {suite.junit} is read: coverage, and "
            f"deprecations that fail no test, are not seen; strict is PYTHONWARNINGS={STRICT}",
        )
    if suite.kind == "django":
        notes = [*told]
        notes += [f"{w} is left out: {_DJANGO_DROPPED[w]}" for w in words if w in _DJANGO_DROPPED]
        if "--shuffle" in words and "test" in suite.argv:
            notes.append("--shuffle has the seed 1: the order must be the same in each cell")
        return tuple(dict.fromkeys(notes))
    defaults, dropped = addopts.cleaned(stand.addopts)
    own, dropped_own = addopts.cleaned(words)
    notes = [*told, *(f"addopts: {note}" for note in dropped), *dropped_own]
    blocked = addopts.blocked((*defaults, *own))
    if stand.ignores:
        notes.append(
            f"filterwarnings ignores warnings, or all but the first, in {stand.ignores} of its "
            "lines: they are errors in the strict run, and not all recorded in the plain one or "
            "where pending"
        )
    if "--reuse-db" in (*defaults, *own):
        notes.append("--create-db is added to --reuse-db: each cell makes its own database")
    coverage = [word for word in (*defaults, *own) if word.startswith("--cov")]
    if coverage and "pytest-cov" in stand.packages and not {"pytest_cov", "cov"} & blocked:
        notes.append("--no-cov is added: djhop measures coverage itself")
    if "pytest-randomly" in stand.packages and not {"randomly", "pytest_randomly"} & blocked:
        notes.append("--randomly-seed=1 is added: the order must be the same in each cell")
    return tuple(dict.fromkeys(notes))


def packages(suite: Suite) -> tuple[str, ...]:
    """Return what the suite needs whether or not the project says so.

    pytest-django only where it is used: it changes suites that do without it.
    """
    if suite.kind != "pytest":
        return ()
    return ("pytest", "pytest-django") if suite.pytest_django else ("pytest",)
