"""`djhop run`, `djhop hop`, and one cell of a matrix."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from djhop import locate, masking, terminal
from djhop.commands import merging
from djhop.commands.reporting import as_text, on_screen, said, write_reports
from djhop.commands.setting_up import Setup, interruptible, set_up
from djhop.errors import DjhopError, ExitCode, NoTestsError, UsageError
from djhop.matrix import shard
from djhop.matrix.config import Matrix
from djhop.processes.process import Spawner
from djhop.reports import clean
from djhop.sandbox import sandbox

if TYPE_CHECKING:
    from djhop.desk.desk import Desk
    from djhop.runner import Session

#: What is not typed for a nox session.
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("start", "goal", "python", "policy", "jobs", "timeout", "strict", "only")),
    **dict.fromkeys(("fresh", "recreate", "offline", "install_only", "fail_fast", "resume"), False),
    **dict.fromkeys(("list_only", "dry_run", "quiet", "verbose", "as_json", "auto"), False),
    "out": "reports",
    "install_python": "auto",
    "peel": None,
}


def run(args: tuple[str, ...], **given: Any) -> int:
    """`djhop run`: the matrix, a live view of it, and the report."""
    from djhop import console
    from djhop.reports import json as json_report

    if given["quiet"] and given["verbose"]:
        raise UsageError("-q and -v contradict each other", hint="leave one of them away")
    given = merging.chosen(given)
    merging.forget(given)
    session = _session(given, args)
    if given["list_only"]:
        ids = [cell.id for cell in session.plan.cells]
        terminal.show(json.dumps(ids) if given["as_json"] else "\n".join(ids))
        return ExitCode.OK
    if given["dry_run"]:
        printed = masking.mask("\n".join(session.commands()), masking.values(os.environ))
        terminal.show(clean.page(printed))
        return ExitCode.OK
    if session.matrix.sandbox:
        sandbox.require(session.spawner)
    sealed = merging.sealed(session, given)
    verbose = given["verbose"]
    quiet = given["quiet"] or (given["as_json"] and not verbose)
    with interruptible(session.spawner), _executor(given.get("executor"), session):
        console.watch(session.events(), stream=sys.stderr, quiet=quiet, verbose=verbose)
        if given["auto"] and not session.spawner.interrupted:
            _auto(session, given["auto_budget"], quiet=quiet)
        if given["peel"] and not session.spawner.interrupted:
            _peel(session, given["peel"], args, quiet=quiet)
    finished = write_reports(session.folder)
    bundled = sealed and given["bundle"] and merging.bundle(session, sealed, given["bundle"])
    if given["as_json"]:
        terminal.show(json_report.render(finished))
    else:
        terminal.show(as_text(finished) if verbose else on_screen(finished, session.folder))
    if not quiet:
        console.say(f"written to {session.folder.path}{os.sep}", sys.stderr)
        if bundled:
            console.say(bundled, sys.stderr)
    # What is done after the cells may be interrupted, too.
    return ExitCode.INTERRUPTED if session.spawner.interrupted else session.exit_code


def hop(before: str, after: str, args: tuple[str, ...], **given: Any) -> int:
    """`djhop hop`: the two cells of one Django hop; what `args` narrow is about tests alone."""
    watched = given["watch"]
    if (args or watched) and not given["only"]:
        given["only"] = "tests"
    given |= {"hop": (before, after), "start": None, "goal": None}
    if not watched:
        return run(args, **given)
    from djhop.commands import watching

    return watching.watch(args, given, _session)


def cell(cell: str, **given: Any) -> int:
    """One cell of a matrix, in the run folder that all its cells share; for nox sessions."""
    from djhop import console

    args = given.pop("args")
    session = _session({**_DEFAULTS, **given, "cells": (cell,)}, args, shared=True)
    if session.matrix.sandbox:
        sandbox.require(session.spawner)
    with interruptible(session.spawner):
        console.watch(session.events(), stream=sys.stderr)
    write_reports(session.folder)
    return session.exit_code


def cells(cells: tuple[str, ...], args: tuple[str, ...], **given: Any) -> int:
    """Some cells of a matrix, as a run of their own; for nox sessions."""
    return run(args, **{**_DEFAULTS, **given, "cells": cells})


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
    if options.shard and setup.target.suite.kind == "command":
        raise UsageError(
            "--shard: which tests the suite's command would take is not known",
            hint="a suite of pytest, or of Django's runner, can be divided",
        )
    if shared:
        name = f"nox-{Path(setup.target.root).name}-{setup.matrix.name or 'run'}"
        options = msgspec.structs.replace(options, shared=name)
    return runner.Session(
        target=setup.target,
        matrix=setup.matrix,
        plan=setup.plan,
        whole=setup.whole,
        found=setup.found,
        options=options,
        spawner=spawner,
        desk=_desk(setup, fresh=given["fresh"])
        if command == "hop" and (args or given["watch"])
        else None,
    )


@contextlib.contextmanager
def _executor(address: str | None, session: Session) -> Iterator[None]:
    """Have a cluster run the cells of a session, as many at a time as it has workers."""
    if not address:
        yield
        return
    from djhop import cluster

    if session.matrix.service:
        raise UsageError(
            "--executor: the services of the matrix run on this machine, and nowhere else",
            hint="djhop run without --executor",
        )
    with cluster.connected(address) as connected:
        jobs = session.matrix.jobs or connected.workers
        session.options = msgspec.structs.replace(session.options, jobs=jobs)
        session.cells.work = connected.run
        yield


def _desk(setup: Setup, *, fresh: bool) -> Desk:
    from djhop.desk.desk import Desk

    hop = setup.plan.hops[0] if setup.plan.hops else None
    return Desk(hop, locate.cache(), fresh=fresh)


def _typed(given: dict[str, Any]) -> tuple[str, ...]:
    """The command that names these cells again: what was typed, without what picks among them."""
    words = ["djhop", *(("hop", *given["hop"]) if given.get("hop") else ("run",))]
    words += [given["target"]] if given["target"] else []
    names = {"matrix": "matrix", "from": "start", "to": "goal"}
    for option, name in {**names, "python": "python", "policy": "policy"}.items():
        words += [f"--{option}", given[name]] if given[name] else []
    # Whoever types it again gives the target no more rights than it had.
    return (*words, "--sandbox") if given.get("sandbox") else tuple(words)


def _options(given: dict[str, Any], args: tuple[str, ...], matrix: Matrix) -> Any:
    from djhop import jobs

    names = ("fresh", "recreate", "offline", "install_only", "fail_fast", "resume")
    return jobs.Options(
        out=given["out"],
        jobs=_cells_at_a_time(matrix),
        args=args,
        command=_typed(given),
        deployed=bool(given.get("hop")),
        install_python=given["install_python"] == "auto",
        shard=shard.parse(given["shard"]) if given.get("shard") else None,
        **{name: given[name] for name in names},
    )


def _cells_at_a_time(matrix: Matrix) -> int:
    """Cells that share their databases and folders would break each other's tests."""
    return matrix.jobs or (os.cpu_count() if matrix.isolate else 0) or 1


def _auto(session: Session, budget: float, *, quiet: bool) -> None:
    """Bisect the causes of a run that has ended, worst first; the run stands whatever comes."""
    from djhop import blaming

    runs = blaming.runs(str(session.folder.path), None, session.folder.path.parent)
    say = said(quiet=quiet)
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
        blaming.carry_out(runs.every(), site, runs.folder, budget=budget)
    except DjhopError as error:
        say(f"the bisects were not finished: {error}")


def _peel(session: Session, budget: float, args: tuple[str, ...], *, quiet: bool) -> None:
    """Look behind what is red in a run that has just ended; what goes wrong there is only said."""
    from djhop import again, peeling

    folder = session.folder
    try:
        chosen = peeling.wanted(folder.load(), every=True)
        if chosen:
            root, offline = session.target.root, session.options.offline
            look = again.look(folder, root, args, session.spawner, offline=offline)
            peeling.peel_all(look, chosen, said(quiet=quiet), budget=budget)
    except DjhopError as error:
        said(quiet=quiet)(f"not peeled: {error}")
