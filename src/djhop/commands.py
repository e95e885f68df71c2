"""What each command does, from parsed arguments to an exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
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
        if given["auto"] and not session.spawner.interrupted:
            _auto(session, given["auto_budget"], quiet=quiet)
    finished = _write_reports(session.folder)
    terminal.show(json_report.render(finished) if given["as_json"] else _as_text(finished))
    if not quiet:
        console.say(f"written to {session.folder.path}{os.sep}", sys.stderr)
    return session.exit_code


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
    _write_reports(session.folder)
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


def _write_reports(folder: RunFolder) -> Run:
    """Write the reports that each run has beside `run.json`; return the run as it is on disk."""
    from djhop.reports import junit, markdown, pairs, text

    finished = folder.load()
    for name, content in (
        ("report.txt", text.render(finished, width=terminal.USUAL)),
        ("report.md", markdown.render(finished)),
    ):
        durable.write(folder.path / name, content.encode(errors="backslashreplace"))
    cells = pairs.of(finished, folder.results())
    suites = junit.lines(finished, cells, reruns=folder.reruns())
    durable.write_all(folder.path / "junit.xml", (suite.encode() for suite in suites))
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


def report(run: str, other: str, out: str, output: str | None, **given: Any) -> int:
    """`djhop report`: a run's report again, or what changed from one run to another."""
    from djhop.store import store

    found = store.find(run, Path(out))
    if other:
        pieces: Iterable[str] = (_versus(found, store.find(other, Path(out)), given),)
    else:
        pieces = _pieces(found, **given, to_file=bool(output))
    if output:
        encoded = (piece.encode(errors="backslashreplace") for piece in pieces)
        durable.write_all(Path(output), encoded)
    elif given["form"] in ("text", "markdown"):
        terminal.show("".join(pieces))
    else:
        terminal.pour(pieces)
    return ExitCode.OK


def fix(args: tuple[str, ...], target: str, run: str, out: str, **given: Any) -> int:
    """`djhop fix`: a fixer tried on a run's causes (--try), its patch applied (--write)."""
    from djhop import again, console, fixable, fixing
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
            wanted = fixable.wanted(folder.load(), **chosen)
            made = again.look(folder, target, args, spawner, offline=given["offline"])
            fixes = fixing.try_all(
                made, wanted, lambda line: None if quiet else console.say(line, sys.stderr)
            )
            code = fixing.exit_code(fixes)
            _write_reports(folder)
            if given["as_json"]:
                terminal.show(durable.encode(fixes).decode())
            else:
                terminal.show(fixes_report.text(folder.load(), fixes, folder.path))
        if given["write"]:
            found = folder.load()
            written = fixable.to_write(found, **chosen)
            fixing.write(folder, written, Path(target or found.target.root), spawner)
            console.say(f"applied: {folder.path / 'fixes' / written.patch}", sys.stderr)
    return code


def bisect(run: str, out: str, args: tuple[str, ...], **given: Any) -> int:
    """`djhop bisect`: what brought a failure of a run in."""
    from djhop import blaming
    from djhop.reports import blame as blame_report

    budget = blaming.seconds(given["budget"]) if given["budget"] else None
    runs = blaming.runs(run, given["since"], Path(out))
    chosen = tuple(runs.choose(blaming.wanted(given)))
    spawner = Spawner(registry=locate.cache() / "running")
    matrix = blaming.matrix_of(runs.run) or _matrix(blaming.typed(runs.run))
    quiet = given["quiet"] or given["as_json"]
    site = blaming.site(
        runs,
        target=target.look(Path(runs.run.target.root), matrix, command="djhop bisect"),
        matrix=matrix,
        found=locate.pythons(spawner),
        spawner=spawner,
        args=args,
        say=_said(quiet=quiet),
        **{name: given[name] for name in ("offline", "fresh", "repeat")},
    )
    with _interruptible(spawner):
        found = blaming.carry_out(chosen, site, runs.folder, budget=budget)
    _write_reports(runs.folder)
    if given["as_json"]:
        terminal.show(blame_report.as_json(found))
    else:
        terminal.show(blame_report.text(found, width=terminal.width()))
    return blaming.exit_code(found)


def _auto(session: Session, budget: str, *, quiet: bool) -> None:
    """Bisect the causes of a run that has ended, worst first; the run stands whatever comes."""
    from djhop import blaming

    runs = blaming.runs(str(session.folder.path), None, session.folder.path.parent)
    say = _said(quiet=quiet)
    site = blaming.site(
        runs,
        target=session.target,
        matrix=session.matrix,
        found=session.found,
        spawner=session.spawner,
        args=session.options.args,
        say=say,
        offline=session.options.offline,
        fresh=False,
        repeat=blaming.TIMES,
    )
    try:
        blaming.carry_out(runs.every(), site, runs.folder, budget=blaming.seconds(budget))
    except DjhopError as error:
        say(f"the bisects were not finished: {error}")


def _said(*, quiet: bool) -> Callable[[str], None]:
    """What tells a person who waits what is being done."""
    from djhop import console

    return lambda line: None if quiet else console.said(line, sys.stderr)


def deprecations(
    run: str, out: str, form: str, owner: tuple[str, ...], removed_in: tuple[str, ...]
) -> int:
    """`djhop deprecations`: the deprecated uses of a run, from its folder alone."""
    from djhop import console
    from djhop.reports import uses
    from djhop.store import store

    found = store.find(run, Path(out)).load()
    chosen = uses.choose(found, owners=owner, removed_in=removed_in)
    if form == "lines":
        if listed := uses.lines(chosen, lambda line: console.say(line, sys.stderr)):
            terminal.show(listed)
    elif form == "json":
        terminal.show(uses.as_json(chosen))
    else:
        terminal.show(uses.text(chosen, width=terminal.width()))
    return ExitCode.OK


def _pieces(
    folder: RunFolder, *, form: str, cell: str, source: str, to_file: bool
) -> Iterable[str]:
    """The report of a run in the form that was asked for."""
    from djhop.reports import outputs

    found = folder.load()
    if form in outputs.COVERAGE:
        return (_coverage(folder, found, form, cell, source),)
    if cell or source:
        raise UsageError("--cell and --source are for coverage: --format cobertura or lcov")
    if form == "text" and not to_file:
        return (_as_text(found),)
    return outputs.pieces(form, found, folder.results(), folder.reruns())


def _coverage(folder: RunFolder, found: Run, form: str, cell: str, source: str) -> str:
    """The coverage of a cell, or of all, as it was measured; what is left out is said."""
    from djhop import console
    from djhop.reports import covered

    data = (folder.cell(cell).path if cell else folder.path) / "coverage"
    here = Path(source or found.target.root).absolute()
    kind = msgspec.convert(form, covered.Form)
    text, left_out = covered.render(data, root=found.target.root, source=here, form=kind)
    if left_out:
        console.say(f"{left_out:,} files are left out: no source that can be read", sys.stderr)
    return text


def _versus(before: RunFolder, after: RunFolder, given: dict[str, Any]) -> str:
    """What changed from one run to another."""
    from djhop.reports import versus, versus_text

    runs = before.load(), after.load()
    changed = versus.compare(*runs, before.results(), after.results())
    match given["form"]:
        case "text":
            return versus_text.text(changed, runs[1])
        case "markdown":
            return versus_text.markdown(changed, runs[1])
        case "json":
            return versus_text.as_json(changed)
    raise UsageError(
        f"two runs cannot be compared as {given['form']}", hint="--format text, markdown or json"
    )


def _as_text(finished: Run) -> str:
    """The report for standard output: as wide as the terminal, in colour where it has colours."""
    from djhop.reports import text

    return text.render(finished, color=terminal.color(), width=terminal.width())


@contextlib.contextmanager
def _interruptible(spawner: Spawner) -> Iterator[None]:
    """A first signal ends the running cells politely, a second at once; what finished is kept.

    Ctrl-Z stops the cells as well, until djhop goes on.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: spawner.interrupt()) for number in signals}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, lambda *_: spawner.suspend())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
