"""A run on disk → a night of the history; what that says of it goes into `run.json`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from djhop import landing
from djhop.compare.changes import dead_modules, plainly
from djhop.compare.compare import HopResult
from djhop.compare.verdicts import cut_short, life
from djhop.errors import DjhopError
from djhop.estimate import Expected
from djhop.history import database, memory, states
from djhop.history.nights import Crossed, Night, Told
from djhop.history.since import Since
from djhop.matrix.config import Matrix
from djhop.matrix.history import History
from djhop.results.results import CellResult
from djhop.store.record import Run
from djhop.store.store import RunFolder

#: Settings that change no outcome, or what they change is seen in the packages.
ASIDE = (
    *("name", "description", "matrix", "target", "jobs", "exclude-newer", "exclude", "include"),
    *("timeout", "test-timeout", "silence-timeout", "step-timeout", "from", "to", "steps"),
    *("pythons", "allow-failure", "python", "goal-python", "history", "cache-keep", "ready"),
)
#: Verdicts of which it is known how many tests a hop breaks.
JUDGED = ("clean", "deprecated", "breaks")


def place(matrix: Matrix, folder: RunFolder) -> Path:
    """Where the history of a run is: beside it, or where its matrix says."""
    return at(matrix.history, folder.read_run().target.root, folder.path.parent)


def at(history: History, root: str, out: Path) -> Path:
    """Where the history is of runs that land in `out`, of the target at `root`."""
    return Path(root, history.path) if history.path else out / database.NAME


def remember(folder: RunFolder, path: Path) -> list[str]:
    """Add a run that has ended to the history at `path`, and keep in `run.json` what that says.

    Returns what a person should know. Whatever happens to the history, the run stands.
    """
    said: list[str] = []
    run = folder.read_run()
    if not (_settings(run).keep and worth(run)):
        return said
    try:
        try:
            since = _write(folder, run, path, said)
        except memory.DamagedError as error:
            memory.renew(path, error, said.append)
            since = _write(folder, run, path, said)
        with landing.alone(folder):
            if since is not None:
                run = folder.read_run()
                folder.write_run(msgspec.structs.replace(run, since=since))
    except DjhopError as error:
        hint = f" ({error.hint})" if error.hint else ""
        said.append(f"the run is not in the history: {error}{hint}")
    return said


def _write(folder: RunFolder, run: Run, path: Path, said: list[str]) -> Since | None:
    window = _settings(run).nights
    with memory.opened(path, said.append) as open_:
        return open_.remember(night(run), told(folder, run), window=window)


def expected(run: Run, path: Path) -> dict[str, Expected]:
    """Return what each cell took on its last night, where the runs themselves are gone."""
    if not (path.is_file() and run.whole and _settings(run).keep):
        return {}
    try:
        with memory.opened(path, None) as open_:
            found = open_.expected(line(run))
    except DjhopError:
        return {}
    return {cell: Expected(seconds=took, tests=tests) for cell, (took, tests) in found.items()}


def worth(run: Run) -> bool:
    """Whether a run tells of a whole suite, as it is now, in every cell it was to run."""
    tests = run.matrix.settings.get("only") or ["tests"]
    return run.complete and run.whole and "tests" in tests and not run.deployed


def night(run: Run) -> Night:
    """Return what the history keeps of a run beside its cells."""
    uses = [use for use in run.deprecations if use.hop]
    labels = {cause.id: _label(cause.exception, cause.message) for cause in run.causes}
    labels |= {use.id: _label(use.category, use.message) for use in uses}
    return Night(
        run=run.name,
        started=run.started,
        line=line(run),
        revision=run.target.revision,
        tree=run.target.tree,
        settings=_digest(run),
        seconds=run.seconds,
        cells=tuple(cell.id for cell in run.plan.cells),
        hops=tuple(_crossed(hop, run) for hop in run.hops),
        labels=labels,
    )


def line(run: Run) -> str:
    """Return the name of the runs that a run goes together with."""
    parts = [run.target.name or "target", run.matrix.name or "run"]
    policy = run.matrix.settings.get("policy", "minimal")
    parts += [policy] if policy != "minimal" else []
    if "hop" in run.command[:2]:
        parts.append(" ".join(run.command[1:4]))
    return ", ".join(parts)


def told(folder: RunFolder, run: Run) -> Iterator[Told]:
    """Yield what the history keeps of each cell, read one after the other."""
    results = folder.results()
    doubtful = {hop.after: {*hop.flaky_red, *hop.known_flaky} for hop in run.hops}
    for cell in run.plan.cells:
        if (result := results.get(cell.id)) is not None:
            yield told_of(result, doubtful.get(cell.id, set()), run.djhop)


def told_of(result: CellResult, doubtful: set[str], djhop: str) -> Told:
    """Return what the history keeps of a cell; `doubtful` tests fail, and nobody knows why."""
    tests = {
        test.id: (
            states.state(plainly(test), test.strict, flaky=test.flaky or test.id in doubtful),
            test.cause if test.failure is not None else "",
        )
        for test in result.tests
    }
    kept = {test: found for test, found in tests.items() if found[0]}
    ran = life(result) == "ran"
    packages = {**result.packages, "Python": result.python_release, "djhop": djhop}
    return Told(
        id=result.id,
        status=result.status,
        ran=ran,
        hidden=cut_short(result) or bool(dead_modules(result)) or _ended_early(result),
        tests=kept,
        # Of a suite that did not run, nothing is compared.
        paces={t.id: t.seconds for t in result.tests if ran and t.seconds and t.id in kept},
        suite=result.seconds.get("plain") or result.seconds.get("strict", 0.0),
        seconds=sum(result.seconds.values()),
        coverage=result.coverage,
        packages=packages if result.packages else {},
    )


def _crossed(hop: HopResult, run: Run) -> Crossed:
    judged = hop.verdict in JUDGED
    return Crossed(
        id=hop.id,
        verdict=hop.verdict,
        breaks=len(hop.breaking) + len(hop.new_dead_modules) if judged else None,
        causes={group.cause: group.tests for group in hop.groups} if judged else {},
        uses={use.id: use.tests for use in run.deprecations if use.hop == hop.id},
    )


def _ended_early(result: CellResult) -> bool:
    """Whether the pass that decides ended before its suite."""
    plain = [one for one in result.passes if one.mode == "plain"]
    decisive = plain[-1:] or result.passes[:1]
    return any(one.died for one in decisive)


def _digest(run: Run) -> str:
    kept = {key: value for key, value in run.matrix.settings.items() if key not in ASIDE}
    return hashlib.sha256(msgspec.json.encode(kept, order="sorted")).hexdigest()[:20]


def _settings(run: Run) -> History:
    return msgspec.convert(run.matrix.settings.get("history", {}), History)


def _label(kind: str, message: str) -> str:
    text = " ".join(message.split())
    return f"{kind.rpartition('.')[2]}: {text}"[:300]
