"""`djhop init`: a matrix file from what the target tells tox, nox or PyPI."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from djhop import console, durable, locate, releases
from djhop.errors import ExitCode, UsageError
from djhop.matrix import config, drafting, matrixfiles
from djhop.matrix import plan as planning
from djhop.matrix.config import Matrix
from djhop.matrix.plan import Plan
from djhop.processes.process import Spawner
from djhop.reports.clean import one_line
from djhop.target import stated_matrix, target


def init(named: str, output: str, *, force: bool) -> int:
    """Write the matrix file, and say what was read, what was not, and what to type next."""
    root = Path(named or ".")
    looked = target.look(root, Matrix(), command="djhop init")
    root = Path(looked.root)
    path = Path(output) if output else root / "djhop.toml"
    _check_free(path, root, force=force)
    known = releases.load()
    told = stated_matrix.read(root, known)
    cells, odd = drafting.runnable(told.cells, known)
    unread = [one_line(note, 200) for note in (*told.unread, *odd)]
    elsewhere = path.absolute().parent != root

    def written(on_path: tuple[tuple[str, str], ...]) -> str:
        return drafting.text(
            cells,
            source=told.source,
            target=os.path.relpath(root, path.absolute().parent) if elsewhere else "",
            unread=unread,
            on_path=on_path,
            known=known,
        )

    every = tuple((p, row.version) for row in known.released() for p in row.runnable_pythons)
    path_cells = tuple((one.python, one.django) for one in _planned(written(every), looked).path)
    text = written(path_cells)
    plan = _planned(text, looked)
    durable.make(path.absolute().parent)
    durable.write(path, text.encode())
    for note in unread:
        console.say(f"not read: {note}", sys.stderr)
    read = f"from {told.source}" if told.source else "nothing of tox, nox or classifiers was there"
    console.say(f"written to {path} ({read}): {len(plan.cells)} cells", sys.stderr)
    given = f" --matrix {path}" if elsewhere or path.name != "djhop.toml" else ""
    console.say(f"next: djhop plan{given}", sys.stderr)
    return ExitCode.OK


def _check_free(path: Path, root: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", hint="--output FILE, or --force to replace it")
    if path != root / "djhop.toml" or path.exists():
        return
    if own := matrixfiles.of_target(root):
        raise UsageError(f"{own[1]} is there, and djhop.toml would hide it", hint="--output FILE")


def _planned(text: str, looked: target.Target) -> Plan:
    """Make the plan that `djhop plan` will make of the file."""
    table = {key: value for key, value in tomllib.loads(text).items() if key != "target"}
    return planning.make(
        config.combine((table, "the matrix that was read")),
        releases.load(),
        current=looked.django,
        target_pythons=looked.pythons,
        requires_python=looked.requires_python,
        available=frozenset(locate.pythons(Spawner())),
    )
