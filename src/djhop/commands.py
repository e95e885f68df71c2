"""What each command does, from parsed arguments to an exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from djhop import durable, locate, releases, terminal
from djhop.errors import DjhopError, ExitCode, NoTestsError, UsageError
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix import config, matrixfiles
from djhop.matrix import plan as planning
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Plan
from djhop.processes.process import Spawner
from djhop.target import target
from djhop.target.target import Target

if TYPE_CHECKING:
    from djhop.runner import Session
    from djhop.store.record import Run
    from djhop.store.store import RunFolder

#: The `target` of the demo preset: the project that ships inside the package.
DEMO = "demo"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """A target, its matrix and its plan: what every command starts from."""

    matrix: Matrix
    target: Target
    #: The cells that were chosen, and the whole they were chosen from.
    plan: Plan
    whole: Plan
    found: dict[str, Interpreter]


def set_up(given: dict[str, Any], spawner: Spawner) -> Setup:
    """Read the configuration, look at the target, find interpreters and make the plan."""
    matrix = _matrix(given)
    looked = target.look(_root(given["target"], matrix), matrix, command=_command(given))
    found = locate.pythons(spawner)
    facts: dict[str, Any] = {
        "target_pythons": looked.pythons,
        "requires_python": looked.requires_python,
        "available": frozenset(found),
    }
    known = releases.load()
    if ends := given.get("hop"):
        made = planning.one_hop(matrix, known, before=ends[0], after=ends[1], **facts)
    else:
        made = planning.make(matrix, known, current=looked.django, **facts)
    chosen = planning.select(made, given["cells"]) if given["cells"] else made
    return Setup(matrix=matrix, target=looked, plan=chosen, whole=made, found=found)


def _command(given: dict[str, Any]) -> str:
    """The command as it was typed, without its target and options."""
    return " ".join(("djhop", given["command"], *given.get("hop", ())))


def _matrix(given: dict[str, Any]) -> Matrix:
    """The target's own configuration, then the matrix that is named, then the command line."""
    keys = {"from": "start", "to": "goal"}
    keys |= {name: name for name in ("python", "policy", "jobs", "timeout", "strict")}
    said = {key: given[name] for key, name in keys.items() if given.get(name) is not None}
    if given.get("only"):
        said["only"] = [word.strip() for word in given["only"].split(",")]
    if given.get("data"):
        said["data"] = str(_data(given["data"]))
    if given.get("before_rev"):
        said["before-rev"] = given["before_rev"]
    named = [matrixfiles.read(given["matrix"])] if given["matrix"] else []
    root = given["target"] or (named[0][0].get("target") if named else "") or "."
    own = config.of_target(Path(_demo_or(root)))
    tables = [own] if own else []
    return config.combine(*tables, *named, (said, "command line"))


def _data(named: str) -> Path:
    path = Path(named).absolute()
    if not path.is_file():
        raise UsageError(f"--data: there is no file {path}", hint="a fixture, or an SQL dump")
    return path


def _root(named: str, matrix: Matrix) -> Path:
    return Path(_demo_or(named or matrix.target or "."))


def _demo_or(root: str) -> str:
    """The path of the bundled project where `root` names it and no folder here is called so."""
    if root == DEMO and not Path(root).is_dir():
        return str(Path(__file__).resolve().parent / "data" / DEMO)
    return root


def plan(**given: Any) -> int:
    """`djhop plan`: the plan in words, or as JSON."""
    from djhop.reports import planned

    setup = set_up({**given, "command": "plan"}, Spawner())
    facts = (setup.target, setup.plan, setup.found, releases.load())
    if given["as_json"]:
        terminal.show(planned.as_json(*facts))
    else:
        terminal.show(planned.text(*facts, width=terminal.width()))
    return ExitCode.OK


def deps(emit: str | None, **given: Any) -> int:
    """`djhop deps`: what has to move on each hop, in words, as JSON or as commands."""
    from djhop import console
    from djhop.deps import answers, keeping, looking
    from djhop.deps import emit as emitting
    from djhop.environments.environments import uv_environ
    from djhop.reports import deps as deps_report

    if emit and given["as_json"]:
        raise UsageError("--emit and --json exclude each other", hint="djhop deps --json")
    quiet = given["quiet"] or given["as_json"]
    spawner = Spawner(registry=locate.cache() / "running")
    setup = set_up({**given, "command": "deps", "cells": ()}, spawner)
    site = keeping.Site(
        spawner=spawner,
        uv=locate.uv(),
        uv_version=locate.uv_version(),
        env=uv_environ(os.environ),
        cache=locate.cache(),
        jobs=setup.matrix.jobs or os.cpu_count() or 1,
        offline=given["offline"],
        fresh=given["fresh"],
        say=lambda line: None if quiet else console.said(line, sys.stderr),
    )
    with _interruptible(spawner):
        answer = looking.look(
            setup.whole,
            target=setup.target,
            matrix=setup.matrix,
            found=setup.found,
            releases=releases.load(),
            site=site,
        )
    if emit:
        terminal.show(emitting.text(answer, msgspec.convert(emit, target.Manager)))
    elif given["as_json"]:
        terminal.show(deps_report.as_json(answer))
    else:
        color, width = terminal.color(), terminal.width()
        terminal.show(deps_report.text(answer, color=color, width=width))
    return answers.exit_code(answer)


def hop(before: str, after: str, **given: Any) -> int:
    """`djhop hop`: the two cells of one Django hop."""
    return run(**given, hop=(before, after), start=None, goal=None)


def run(args: tuple[str, ...], **given: Any) -> int:
    """`djhop run`: the matrix, a live view of it, and the report."""
    from djhop import console
    from djhop.reports import json as json_report

    session = _session(given, args)
    if given["list_only"]:
        ids = [cell.id for cell in session.plan.cells]
        terminal.show(json.dumps(ids) if given["as_json"] else "\n".join(ids))
        return ExitCode.OK
    if given["dry_run"]:
        terminal.show("\n".join(session.commands()))
        return ExitCode.OK
    quiet = given["quiet"] or given["as_json"]
    with _interruptible(session.spawner):
        console.watch(session.events(), stream=sys.stderr, quiet=quiet)
        if given.get("peel") and not session.spawner.interrupted:
            _peel_run(session, given["peel"], args, quiet=quiet)
    finished = _write_reports(session)
    terminal.show(json_report.render(finished) if given["as_json"] else _as_text(finished))
    if not quiet:
        console.say(f"written to {session.folder.path}{os.sep}", sys.stderr)
    return ExitCode.INTERRUPTED if session.spawner.interrupted else session.exit_code


def cell(cell: str, **given: Any) -> int:
    """One cell of a matrix, in the run folder that all its cells share; for nox sessions."""
    from djhop import console

    defaults = dict.fromkeys(
        ("start", "goal", "python", "policy", "jobs", "timeout", "strict", "only")
    )
    flags = dict.fromkeys(("fresh", "recreate", "offline", "install_only", "fail_fast", "resume"))
    given |= {**defaults, **dict.fromkeys(flags, False), "cells": (cell,)}
    given |= {"out": "reports", "install_python": "auto"}
    session = _session(given, given.pop("args"), shared=True)
    with _interruptible(session.spawner):
        console.watch(session.events(), stream=sys.stderr, quiet=False)
    _write_reports(session)
    return session.exit_code


def _session(given: dict[str, Any], args: tuple[str, ...], *, shared: bool = False) -> Session:
    from djhop import runner

    spawner = Spawner(registry=locate.cache() / "running")
    command = "hop" if given.get("hop") else "run"
    setup = set_up({**given, "command": command}, spawner)
    if setup.target.suite is None:
        raise NoTestsError(
            f"no test suite found in {setup.target.root}",
            hint='name it in djhop.toml: test = ["pytest", "tests"]',
        )
    options = _options(given, args, setup.matrix)
    if shared:
        options = msgspec.structs.replace(options, shared=f"nox-{Path(setup.target.root).name}")
    return runner.Session(
        target=setup.target,
        matrix=setup.matrix,
        plan=setup.plan,
        whole=setup.whole,
        found=setup.found,
        options=options,
        spawner=spawner,
    )


def _typed(given: dict[str, Any]) -> tuple[str, ...]:
    """The command that names these cells again: what was typed, without what picks among them."""
    words = ["djhop", *(("hop", *given["hop"]) if given.get("hop") else ("run",))]
    words += [given["target"]] if given["target"] else []
    names = {"matrix": "matrix", "from": "start", "to": "goal"}
    for option, name in {**names, "python": "python", "policy": "policy"}.items():
        words += [f"--{option}", given[name]] if given[name] else []
    return tuple(words)


def _write_reports(session: Session) -> Run:
    """Write the readable reports beside `run.json`; return the run as it stands on disk."""
    return _rewrite_reports(session.folder)


def _rewrite_reports(folder: RunFolder) -> Run:
    from djhop.reports import markdown, text

    finished = folder.load()
    for name, content in (
        ("report.txt", text.render(finished, width=terminal.USUAL)),
        ("report.md", markdown.render(finished)),
    ):
        durable.write(folder.path / name, content.encode(errors="backslashreplace"))
    return finished


def _options(given: dict[str, Any], args: tuple[str, ...], matrix: Matrix) -> Any:
    from djhop import runner

    names = ("fresh", "recreate", "offline", "install_only", "fail_fast", "resume")
    return runner.Options(
        out=given["out"],
        jobs=_cells_at_a_time(matrix),
        args=args,
        command=_typed(given),
        install_python=given["install_python"] == "auto",
        **{name: given[name] for name in names},
    )


def _cells_at_a_time(matrix: Matrix) -> int:
    """Cells that share their databases and folders would break each other's tests."""
    return matrix.jobs or (os.cpu_count() if matrix.isolate else 0) or 1


def report(run: str, out: str, form: str, output: str | None) -> int:
    """`djhop report`: a run's report again, from its folder alone."""
    from djhop.reports import json as json_report
    from djhop.reports import markdown, text
    from djhop.store import store

    found = store.find(run, Path(out)).load()
    render: dict[str, Callable[[Any], str]] = {
        "text": text.render if output else _as_text,
        "markdown": markdown.render,
        "json": json_report.render,
    }
    if output:
        durable.write(Path(output), render[form](found).encode(errors="backslashreplace"))
    else:
        terminal.show(render[form](found))
    return ExitCode.OK


def fix(args: tuple[str, ...], target: str, run: str, out: str, **given: Any) -> int:
    """`djhop fix`: a fixer tried on a run's causes (--try), its patch applied (--write)."""
    from djhop import again, console, fixing
    from djhop.reports import fixes as fixes_report
    from djhop.store import store

    if not (given["trying"] or given["write"]):
        raise UsageError("--try or --write is missing", hint="djhop fix --try")
    chosen = {"cause": given["cause"], "hop": given["hop"]}
    spawner = Spawner(registry=locate.cache() / "running")
    folder = store.find(run, Path(out))
    folder = type(folder)(folder.path.resolve())
    code, quiet = ExitCode.OK, given["quiet"] or given["as_json"]
    with _interruptible(spawner):
        if given["trying"]:
            wanted = fixing.wanted(folder.load(), **chosen)
            made = again.look(folder, target, args, spawner, offline=given["offline"])
            fixes = fixing.try_all(
                made, wanted, lambda line: None if quiet else console.say(line, sys.stderr)
            )
            code = fixing.exit_code(fixes)
            _rewrite_reports(folder)
            if given["as_json"]:
                terminal.show(durable.encode(fixes).decode())
            else:
                terminal.show(fixes_report.text(folder.load(), fixes, folder.path))
        if given["write"]:
            found = folder.load()
            written = fixing.to_write(found, **chosen)
            fixing.write(folder, written, Path(target or found.target.root), spawner)
            console.say(f"applied: {folder.path / 'fixes' / written.patch}", sys.stderr)
    return code


def peel(args: tuple[str, ...], target: str, run: str, out: str, **given: Any) -> int:
    """`djhop peel`: what is behind the first cause of red cells."""
    from djhop import again, console, peeling
    from djhop.reports import peels as peels_report
    from djhop.store import store

    _exclude(given)
    spawner = Spawner(registry=locate.cache() / "running")
    folder = store.find(run, Path(out))
    folder = type(folder)(folder.path.resolve())
    quiet = given["quiet"] or given["as_json"]
    with _interruptible(spawner):
        found = folder.load()
        chosen = peeling.wanted(found, cell=given["cell"], hop=given["hop"], every=given["every"])
        look = again.look(
            folder, target, args, spawner, offline=given["offline"], command="djhop peel"
        )
        peels = peeling.peel_all(
            look,
            chosen,
            lambda line: None if quiet else console.say(line, sys.stderr),
            budget=given["budget"],
        )
        _rewrite_reports(folder)
    if given["as_json"]:
        terminal.show(durable.encode(peels).decode())
    else:
        terminal.show(peels_report.text(found, peels))
    return peeling.exit_code(peels)


def _exclude(given: dict[str, Any]) -> None:
    """Cells can be chosen in one way only."""
    named = [f"--{name}" for name in ("cell", "hop") if given[name]]
    named += ["--all"] if given["every"] else []
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} exclude each other", hint="djhop peel --all")


def _peel_run(session: Session, budget: float, args: tuple[str, ...], *, quiet: bool) -> None:
    """Look behind what is red in a run that has just ended; what goes wrong there is only said."""
    from djhop import again, console, peeling

    def say(line: str) -> None:
        if not quiet:
            console.say(line, sys.stderr)

    folder = session.folder
    try:
        chosen = peeling.wanted(folder.load(), every=True)
        if chosen:
            root, offline = session.target.root, session.options.offline
            look = again.look(folder, root, args, session.spawner, offline=offline)
            peeling.peel_all(look, chosen, say, budget=budget)
    except DjhopError as error:
        console.say(f"not peeled: {error}", sys.stderr)


def _as_text(finished: Run) -> str:
    """The report for standard output: as wide as the terminal, in colour where it has colours."""
    from djhop.reports import text

    return text.render(finished, color=terminal.color(), width=terminal.width())


@contextlib.contextmanager
def _interruptible(spawner: Spawner) -> Iterator[None]:
    """A first signal ends the running cells politely, a second at once; what finished is kept."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: spawner.interrupt()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
