"""A patch → the target, where git could take it back: a clean tree, and files that it tracks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from djhop.errors import Interrupted, UsageError
from djhop.processes.process import Command, Completed, Spawner
from djhop.workspace.revision import GIT
from djhop.workspace.visible import GIT_ENVIRON

OPTIONS = ("--no-optional-locks", "--literal-pathspecs")
#: The user's own apply.whitespace could change what is written.
APPLY = ("apply", "--whitespace=nowarn")
AGAIN = "djhop run, then djhop fix --try"


def write(root: Path, patch: Path, files: Sequence[str], spawner: Spawner) -> None:
    """Apply a patch to the project at `root`; all of it, or nothing.

    Args:
        patch: what `patches.diff` made, relative to `root`.
        files: the files that it changes.

    Raises:
        UsageError: `root` is in no git repository, its tree is not clean, git does not track one of
            the files, or the patch does not apply to them as they are. Nothing was changed.
        Interrupted: djhop was asked to stop.
    """
    if not patch.is_file():
        raise UsageError(f"there is no patch {patch}", hint=AGAIN)
    place = _git(root, spawner, "rev-parse", "--show-toplevel", "--show-prefix")
    if place.returncode != 0:
        raise UsageError(
            f"{root} is in no git repository: what a patch does could not be taken back",
            hint=f"by hand, if that is no matter: patch -p1 -d {root} < {patch}",
        )
    status = _git(root, spawner, "status", "--porcelain", "--untracked-files=no")
    if status.returncode != 0 or status.output.strip():
        first = _first(status.output)
        raise UsageError(
            f"{root} is not clean ({first}): nothing was changed",
            hint="git commit, or git stash; then the same again",
        )
    tracked = _git(root, spawner, "ls-files", "--error-unmatch", "--", *files)
    if tracked.returncode != 0:
        raise UsageError(
            f"git does not track all that the patch changes ({_first(tracked.output)}): "
            "nothing was changed",
            hint="git add and commit it, or leave it to git apply",
        )
    top, below, *_ = [*place.output.split("\n"), ""]
    # git passes over, without a word, what a patch changes outside of the folder it is run in.
    where = (f"--directory={below}",) if below else ()
    for words in ((*APPLY, "--check"), APPLY):
        done = _git(Path(top), spawner, *words, *where, str(patch.absolute()))
        if done.returncode != 0:
            raise UsageError(
                f"{patch} does not apply to {root} as it is now ({_first(done.output)}): "
                "nothing was changed",
                hint=f"the files have changed since: {AGAIN}",
            )


def _git(root: Path, spawner: Spawner, *words: str) -> Completed:
    passed = {name: os.environ[name] for name in GIT_ENVIRON if name in os.environ}
    command = Command(
        argv=(*GIT, *OPTIONS, *words),
        cwd=str(root),
        env={**passed, "LC_ALL": "C"},
        timeout=120,
        decode="surrogateescape",
    )
    done = spawner.run(command)
    if done.interrupted:
        raise Interrupted("interrupted")
    return done


def _first(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[0].removeprefix("error: ") if lines else "git says nothing"
