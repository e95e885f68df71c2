"""Layout of a run on disk: atomic writes, and reading back with errors that name the file."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from djhop.compare.causes import label
from djhop.compare.compare import compare
from djhop.durable import damaged, encode, make, read, write
from djhop.errors import InfraError, UsageError, did_you_mean
from djhop.results import results
from djhop.results.reruns import Reruns
from djhop.results.results import CellResult
from djhop.results.steps import Crossing
from djhop.store import record
from djhop.store.record import Run

CELL_ID = re.compile(r"py\d+\.\d+-django\d+(\.\d+)?")
LATEST = "latest"
CROSSING = "crossing.json"
RERUNS = "reruns.json"


class CellFolder:
    """Where everything about one cell of a run is: `<run>/cells/<cell>/`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.result = path / "cell.json"


class RunFolder:
    """One run on disk: `run.json`, the reports, and a folder for each cell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.run = path / "run.json"
        self.cells = path / "cells"

    def cell(self, cell: str) -> CellFolder:
        """The folder of the cell with this id; it need not be there yet.

        Raises:
            UsageError: no cell can be called that (and no path leaves the run's folder).
        """
        if not CELL_ID.fullmatch(cell):
            raise UsageError(f"{cell!r} is not a cell", hint="a cell is called py3.12-django5.2")
        return CellFolder(self.cells / cell)

    def hop(self, hop: str) -> Path:
        """The folder of the hop with this id; it need not be there yet."""
        before, _, after = hop.partition("..")
        for cell in (before, after):
            self.cell(cell)  # no path leaves the run's folder
        return self.path / "hops" / hop

    def write_crossing(self, crossing: Crossing) -> None:
        """Write what became of a database on a hop into the hop's folder."""
        make(self.hop(crossing.id))
        write(self.hop(crossing.id) / CROSSING, encode(crossing))

    def crossings(self) -> dict[str, Crossing]:
        """What became of a database on each hop that is on disk, by the hop's id."""
        paths = sorted((self.path / "hops").glob(f"*/{CROSSING}"))
        found = (read(path, Crossing, 1) for path in paths)
        return {one.id: one for one in found}

    def write_reruns(self, reruns: Reruns) -> None:
        """Write what was run again for a hop into the hop's folder."""
        make(self.hop(reruns.id))
        write(self.hop(reruns.id) / RERUNS, encode(reruns))

    def reruns(self) -> dict[str, Reruns]:
        """What was run again for each hop that is on disk, by the hop's id."""
        paths = sorted((self.path / "hops").glob(f"*/{RERUNS}"))
        found = (read(path, Reruns, 1) for path in paths)
        return {one.id: one for one in found}

    def forget_hops(self, cell: str) -> None:
        """Remove what is known of the hops of a cell that is about to be done again."""
        known = (*self.path.glob(f"hops/*/{CROSSING}"), *self.path.glob(f"hops/*/{RERUNS}"))
        for path in known:
            if cell in path.parent.name.split(".."):
                path.unlink(missing_ok=True)

    def write_run(self, run: Run) -> None:
        """Write `run.json`, aside and renamed, indented for people."""
        write(self.run, msgspec.json.format(encode(run), indent=2) + b"\n")

    def read_run(self) -> Run:
        """Read `run.json` as it stands; `load` also looks at the cells of an unfinished run."""
        run = read(self.run, Run, record.FORMAT)
        if wrong := record.inconsistent(run):
            raise damaged(self.run, wrong)
        return run

    def write_cell(self, result: CellResult) -> None:
        """Write a cell's result, with its causes named, into its folder; make that if need be."""
        folder = self.cell(result.id)
        make(folder.path)
        write(folder.result, encode(label(result)))

    def read_cell(self, cell: str) -> CellResult:
        """Read a cell's result back."""
        found = read(self.cell(cell).result, CellResult, results.FORMAT)
        if found.id != cell:
            raise damaged(self.cell(cell).result, f"it is of {found.id!r} - at `$.id`")
        return found

    def results(self) -> Cells:
        """Every result on disk by cell id, each read when it is asked for."""
        return Cells(self)

    def load(self) -> Run:
        """Read the run; one that was cut short is judged by the cells that finished.

        Raises:
            UsageError: a file is missing, damaged, or of a newer djhop; the message names it.
        """
        run = self.read_run()
        if run.complete:
            return run
        cells = self.results()
        compared = compare(
            run.plan,
            cells,
            reproduce=run.reproduce,
            crossings=self.crossings(),
            reruns=self.reruns(),
            known=run.known_in_force,
        )
        return record.finish(run, cells, compared, complete=False)

    def load_whole(self) -> Run:
        """Read the run, for what looks at its tests one by one.

        Raises:
            UsageError: as `load`; also where the tests of a cell that ran are not there.
        """
        run = self.load()
        for cell in run.cells:
            if cell.ran and not (result := self.cell(cell.id).result).exists():
                raise UsageError(
                    f"{self.path} is not whole: there is no {result}",
                    hint="copy the whole folder of the run",
                )
        return run


class Cells(Mapping[str, CellResult]):
    """The results of a run's folder; the last two that were read stay in memory, no more."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._kept: dict[str, CellResult] = {}

    def __getitem__(self, cell: str) -> CellResult:
        if cell not in self._kept:
            if not self._folder.cell(cell).result.is_file():
                raise KeyError(cell)
            # Room first: three results would be in memory while the third is read.
            while len(self._kept) > 1:
                del self._kept[next(iter(self._kept))]
            self._kept[cell] = self._folder.read_cell(cell)
        return self._kept[cell]

    def __iter__(self) -> Iterator[str]:
        found = sorted(self._folder.cells.glob("*/cell.json"))
        yield from (path.parent.name for path in found if CELL_ID.fullmatch(path.parent.name))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def create(out: Path, name: str, *, now: datetime.datetime) -> RunFolder:
    """Make the folder of a new run, `<out>/<UTC time>-<name>`, and return it.

    Raises:
        InfraError: it cannot be made.
    """
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-").lower()[:40]
    stem = "-".join(filter(None, (now.astimezone(datetime.UTC).strftime("%Y%m%d-%H%M%S"), slug)))
    make(out)
    for number in range(1, 1000):
        path = out / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise InfraError(f"cannot make {path}: {error.strerror}") from error
        return RunFolder(path)
    raise InfraError(f"cannot make a folder for the run: {out / stem} and a thousand more exist")


def mark_latest(folder: RunFolder) -> None:
    """Point `latest` beside the run at it: a link, or a file with its name where links fail."""
    latest = folder.path.parent / LATEST
    if latest.is_dir() and not latest.is_symlink():
        why = "it is a folder: what copies runs may have put one in the place of the link"
        raise InfraError(f"cannot point {latest} at the run: {why}", hint=f"move {latest} away")
    aside = latest.with_name(f".{LATEST}.{os.getpid()}")
    try:
        aside.unlink(missing_ok=True)
        aside.symlink_to(folder.name, target_is_directory=True)
        aside.replace(latest)
    except (OSError, NotImplementedError):
        aside.unlink(missing_ok=True)
        write(latest, f"{folder.name}\n".encode())


def runs(out: Path) -> tuple[RunFolder, ...]:
    """Return the runs in `out`, oldest first."""
    found = sorted(path.parent for path in out.glob("*/run.json"))
    return tuple(RunFolder(path) for path in found if path.name != LATEST)


def latest(out: Path) -> RunFolder:
    """Return the newest run in `out`: what `latest` points at, else the last by name.

    Raises:
        UsageError: there is none.
    """
    try:
        pointed = out / _pointed(out / LATEST)
        if (pointed / "run.json").is_file():
            return RunFolder(pointed)
    except (OSError, ValueError):
        pass  # damaged: no name of a run
    if known := runs(out):
        return known[-1]
    raise UsageError(f"no run in {out}", hint="djhop run makes one; --out says where")


def _pointed(mark: Path) -> Path | str:
    if mark.is_symlink():
        return mark.readlink()
    return mark.read_text("utf-8").strip() if mark.is_file() else LATEST


def find(wanted: str, out: Path) -> RunFolder:
    """Return the run a person means: a folder, its run.json, a name or its start, or "latest".

    A folder that holds runs stands for the latest of them. The path of what is returned is
    absolute, because processes that work elsewhere are told of files in it.

    Raises:
        UsageError: there is no such run, or several begin like that.
    """
    return RunFolder(_found(wanted, out).path.resolve())


def _found(wanted: str, out: Path) -> RunFolder:
    path = Path(wanted)
    if path.name == "run.json" and path.is_file():
        return RunFolder(path.parent)
    if (path / "run.json").is_file():
        return RunFolder(path)
    if wanted in ("", LATEST):
        return latest(out)
    known = {folder.name: folder for folder in runs(out)}
    if wanted in known:
        return known[wanted]
    if runs(path):
        return latest(path.absolute())
    match [name for name in known if name.startswith(wanted)]:
        case [name]:
            return known[name]
        case []:
            close = did_you_mean(wanted, known)
            raise UsageError(f"no run {wanted!r} in {out}", hint=close or _newest(known))
        case several:
            raise UsageError(f"{wanted!r} may be {len(several)} runs", hint=", ".join(several[:5]))


def _newest(known: Mapping[str, RunFolder]) -> str:
    return f"the newest: {', '.join(list(known)[-3:])}" if known else "djhop run makes one"
