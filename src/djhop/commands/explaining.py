"""More about the breaks of a run: `djhop bisect`, `djhop fix`, `djhop peel`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from djhop import locate, terminal
from djhop.commands.reporting import said, write_reports
from djhop.commands.setting_up import interruptible
from djhop.errors import ExitCode, UsageError
from djhop.processes.process import Spawner
from djhop.reports.json import flat
from djhop.target import target


def bisect(run: str, out: str, args: tuple[str, ...], **given: Any) -> int:
    """`djhop bisect`: what brought a failure of a run in."""
    from djhop import again, blaming
    from djhop.reports import blame as blame_report

    runs = blaming.runs(run, given["since"], Path(out))
    chosen = tuple(runs.choose(blaming.wanted(given)))
    spawner = Spawner(registry=locate.cache() / "running")
    root = Path(runs.run.target.root)
    matrix = again.matrix_of(runs.run, root, str(runs.folder.run))
    quiet = given["quiet"] or given["as_json"]
    site = blaming.site(
        runs,
        target=target.look(root, matrix, command="djhop bisect"),
        matrix=matrix,
        found=locate.pythons(spawner),
        spawner=spawner,
        args=args,
        say=said(quiet=quiet),
        **{name: given[name] for name in ("offline", "fresh", "repeat")},
    )
    with interruptible(spawner):
        found = blaming.carry_out(chosen, site, runs.folder, budget=given["budget"])
    write_reports(runs.folder)
    if given["as_json"]:
        terminal.show(blame_report.as_json(found))
    else:
        terminal.show(blame_report.text(found, width=terminal.width()))
    return blaming.exit_code(found)


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
    code, quiet = ExitCode.OK, given["quiet"] or given["as_json"]
    with interruptible(spawner):
        if given["trying"]:
            wanted = fixable.wanted(folder.load(), **chosen)
            made = again.look(folder, target, args, spawner, offline=given["offline"])
            fixes = fixing.try_all(made, wanted, said(quiet=quiet))
            code = fixing.exit_code(fixes)
            write_reports(folder)
            if given["as_json"]:
                terminal.show(flat(fixes))
            else:
                terminal.show(fixes_report.text(folder.load(), fixes, folder.path))
        if given["write"]:
            found = folder.load()
            written = fixable.to_write(found, **chosen)
            fixing.write(folder, written, Path(target or found.target.root), spawner)
            console.say(f"applied: {folder.path / 'fixes' / written.patch}", sys.stderr)
    return code


def peel(args: tuple[str, ...], target: str, run: str, out: str, **given: Any) -> int:
    """`djhop peel`: what is behind the first cause of red cells."""
    from djhop import again, peeling
    from djhop.reports import peels as peels_report
    from djhop.store import store

    _exclude(given)
    spawner = Spawner(registry=locate.cache() / "running")
    folder = store.find(run, Path(out))
    quiet = given["quiet"] or given["as_json"]
    with interruptible(spawner):
        found = folder.load()
        chosen = peeling.wanted(found, cell=given["cell"], hop=given["hop"], every=given["every"])
        look = again.look(
            folder, target, args, spawner, offline=given["offline"], command="djhop peel"
        )
        peels = peeling.peel_all(
            look,
            chosen,
            said(quiet=quiet),
            budget=given["budget"],
        )
        write_reports(folder)
    if given["as_json"]:
        terminal.show(flat(peels))
    else:
        terminal.show(peels_report.text(found, peels))
    return peeling.exit_code(peels)


def _exclude(given: dict[str, Any]) -> None:
    """Cells can be chosen in one way only."""
    named = [f"--{name}" for name in ("cell", "hop") if given[name]]
    named += ["--all"] if given["every"] else []
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} exclude each other", hint="djhop peel --all")
