"""`djhop fix`: a fixer on a scratch copy, and both cells of the hop run with what it made."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec

from djhop import durable, landing, locate
from djhop.again import Again
from djhop.cells.job import room_of
from djhop.compare.causes import label
from djhop.compare.flaky import Evidence
from djhop.errors import DjhopError, ExitCode, Interrupted
from djhop.fixable import Wanted
from djhop.fixes import applying, proof, sources
from djhop.fixes.proof import Fix, Sides
from djhop.fixes.rewrite import NAME, Fixer, Rewritten, fixer, rewrite
from djhop.matrix.plan import Cell
from djhop.processes.process import Spawner
from djhop.results.results import CellResult
from djhop.services.services import Services
from djhop.store.store import RunFolder
from djhop.workspace import workspace

#: Says one line of what is going on.
Say = Callable[[str], None]


def attempt(again: Again, chosen: Wanted, tool: Fixer, say: Say) -> Fix:
    """Try to repair a hop, and keep what came of it in the run's folder.

    The fixer writes for the series before the hop: what it writes must run there, too. Where that
    repairs nothing, it writes for the one after, and the cell before says whether that is sound. At
    first it changes no more than what is known to be behind the causes; where something is left,
    all that it knows. The better of both is kept.
    """
    hops = {one.id: one for one in again.run.plan.hops}
    sides = Sides(
        hop=hops[chosen.hop.id],
        judged=chosen.hop,
        before=again.folder.read_cell(chosen.hop.before),
        after=again.folder.read_cell(chosen.hop.after),
        evidence=Evidence(
            reruns=again.folder.reruns().get(chosen.hop.id), known=again.run.known_in_force
        ),
    )
    trying = _Trying(again, chosen, sides, tool, say)
    best: tuple[Fix, Rewritten] | None = None
    patches: set[str] = set()
    for series, only in trying.ways():
        repairs = best is not None and any(one.repaired for one in best[0].causes)
        if repairs and series != sides.before.django:
            continue
        found = trying.once(series, only, patches)
        patches |= {found[1].patch} if found else set()
        if found and (best is None or found[0].worth > best[0].worth):
            best = found
        if best and (best[0].whole or best[0].incomplete):
            break
    assert best is not None
    keep(again.folder, *best)
    return best[0]


class _Trying(msgspec.Struct, frozen=True):
    """One hop, and the fixer on it."""

    again: Again
    chosen: Wanted
    sides: Sides
    tool: Fixer
    say: Say

    @property
    def folder(self) -> Path:
        return self.again.folder.path / "fixes" / self.chosen.id

    def ways(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The Django to write for, and the fixers to ask for, in the order of trying."""
        causes = (one.known for one in self.again.run.causes if one.id in self.chosen.causes)
        known = tuple(sorted({one.fixer for one in causes if one and one.fixer}))
        for only in dict.fromkeys((known, ())):
            for series in dict.fromkeys((self.sides.before.django, self.sides.after.django)):
                yield series, only

    def once(
        self, target_version: str, only: tuple[str, ...], tried: Collection[str]
    ) -> tuple[Fix, Rewritten] | None:
        """Rewrite in one way and prove it; None where it comes to a patch that was tried."""
        begun = proof.begun(
            self.chosen.id, self.sides, self.chosen.causes, f"{NAME} {self.tool.version}"
        )
        with self._scratch() as tree:
            made = rewrite(
                tree,
                self._files(tree),
                target_version,
                fixer=self.tool,
                spawner=self.again.spawner,
                only=only,
            )
            if tried and made.patch in {"", *tried}:
                return None
            fix = proof.rewritten(begun, made)
            if not made.patch:
                return fix, made
            count = len(made.changed)
            files = "1 file" if count == 1 else f"{count} files"
            named = f" ({', '.join(only)})" if only else ""
            self.say(f"{fix.fixer} --target-version {target_version}{named} rewrites {files}")
            return self._proven(fix, tree), made

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A copy of the target that nobody else uses, and that no cell writes to."""
        root = Path(self.again.target.root)
        base = room_of(locate.cache(), root) / "fix"
        with workspace.open(root, base, files=self.again.files) as room:
            yield room.tree

    def _files(self, tree: Path) -> tuple[str, ...]:
        sightings = self.sides.sightings(self.chosen.causes)
        return sources.of(
            (one.failure for one in sightings),
            (one.module for one in sightings if one.module),
            root=tree,
            files=self.again.files,
        )

    def _proven(self, fix: Fix, tree: Path) -> Fix:
        """Run the cell after the hop, and, where that repairs something, the one before."""
        shutil.rmtree(self.folder, ignore_errors=True)
        durable.make(self.folder)
        services = self.again.services(self.folder / "services")
        try:
            fix = self._after(fix, tree, services)
            if any(one.repaired for one in fix.causes):
                fix = self._before(fix, tree, services)
        except Interrupted:
            raise
        except DjhopError as error:
            fix = msgspec.structs.replace(fix, reason=str(error), incomplete=True)
        finally:
            services.stop()
        return fix

    def _after(self, fix: Fix, tree: Path, services: Services) -> Fix:
        def run() -> Fix:
            return proof.repaired(fix, self.sides, self._run(self.sides.hop.after, tree, services))

        first = run()
        return proof.steady(first, run()) if first.broke_after else first

    def _before(self, fix: Fix, tree: Path, services: Services) -> Fix:
        def run() -> Fix:
            return proof.kept(fix, self.sides, self._run(self.sides.hop.before, tree, services))

        first = run()
        return proof.steady(first, run()) if first.broke_before else first

    def _run(self, cell: Cell, tree: Path, services: Services) -> CellResult:
        folder = self.folder / cell.id
        job = self.again.job(cell, tree, folder)

        def report(stage: str, tests: object = None, command: str = "") -> None:
            if tests is None and not command:
                self.say(f"{cell.id} with the fix: {stage}")

        result = label(self.again.cell(job, report, services))
        durable.write(folder / "cell.json", durable.encode(result))
        return result


def keep(folder: RunFolder, fix: Fix, made: Rewritten) -> None:
    """Write a fix and its patch into the run's folder, and its result into `run.json`."""
    fixes = folder.path / "fixes"
    durable.make(fixes)
    (fixes / f"{fix.id}.patch").unlink(missing_ok=True)
    if fix.patch:
        durable.write(fixes / fix.patch, made.patch.encode())
    durable.write(fixes / f"{fix.id}.json", msgspec.json.format(durable.encode(fix)) + b"\n")
    with landing.alone(folder):
        run = folder.read_run()
        others = tuple(one for one in run.fixes if one.id != fix.id)
        folder.write_run(msgspec.structs.replace(run, fixes=(*others, fix)))


def try_all(again: Again, chosen: tuple[Wanted, ...], say: Say) -> tuple[Fix, ...]:
    """Try to repair each hop in turn.

    Raises:
        InfraError: the fixer cannot be had.
        Interrupted: djhop was asked to stop; what was finished is kept.
    """
    if not chosen:
        return ()
    tool = fixer(again.found, cache=locate.cache(), spawner=again.spawner, offline=again.offline)
    return tuple(attempt(again, one, tool, say) for one in chosen)


def write(folder: RunFolder, fix: Fix, root: Path, spawner: Spawner) -> None:
    """Apply a fix to the target itself; raises what `applying.write` raises."""
    files = [one.path for one in fix.changed]
    applying.write(root, folder.path / "fixes" / fix.patch, files, spawner)


def exit_code(fixes: tuple[Fix, ...]) -> ExitCode:
    """OK where every hop that was tried breaks nothing any more, and the cells before are kept."""
    if any(one.incomplete for one in fixes):
        return ExitCode.INCOMPLETE
    return ExitCode.OK if all(one.whole for one in fixes) else ExitCode.BREAKS
