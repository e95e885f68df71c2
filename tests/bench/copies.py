"""A cell's copy of a project of 2,000 files in a git repository, against cp and `git status`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDERS, FILES = 40, 50


def make_target(target: Path) -> None:
    """Lay out the project, and commit it."""
    for folder in range(FOLDERS):
        for file in range(FILES):
            path = target / f"app{folder}" / f"module{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"number = {file}\n" * 100)
    who = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "all")):
        subprocess.run(["git", *words], cwd=target, check=True)


def bench_copies(
    target: Path,
    home: Path,
    rounds: int,
    alternate: Callable[..., dict[str, list[float]]],
    show: Callable[..., None],
) -> None:
    """Print the times of the first copy, and of one where nothing has changed."""
    from djhop.processes.process import Spawner
    from djhop.workspace import visible, workspace

    room, plain = home / "rooms" / "cell", home / "plain"

    def copy() -> Any:
        files = visible.files(target, Spawner())
        with workspace.open(target, room, files=files) as made:
            return made

    def first() -> None:
        shutil.rmtree(room.parent, ignore_errors=True)
        assert copy().changed == FOLDERS * FILES

    def again() -> None:
        assert copy().changed == 0

    def cp() -> None:
        shutil.rmtree(plain, ignore_errors=True)
        subprocess.run(["cp", "-a", str(target), str(plain)], check=True)

    def status() -> None:
        subprocess.run(["git", "status", "--porcelain"], cwd=target, check=True)

    show("2,000 files, first", alternate({"cp -a": cp, "djhop": first}, rounds), "cp -a")
    taken = alternate({"git status": status, "djhop": again}, rounds)
    show("2,000 files, nothing changed", taken, "git status")
