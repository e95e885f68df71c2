"""Another git revision of a target, in a folder of djhop's own; the target is not touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from djhop.errors import InfraError, Interrupted, UsageError
from djhop.processes.process import Command, Spawner
from djhop.workspace.removal import remove
from djhop.workspace.visible import GIT_ENVIRON

#: No hook and no daemon of the target's runs, and large files stay the pointers that they are.
GIT = (
    *("git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"),
    *("-c", "core.hooksPath=/dev/null", "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process="),
    *("-c", "filter.lfs.required=false"),
)


#: Checkouts that are kept of a target, and seconds after which a further one is in nobody's use.
KEPT, IN_USE = 4, 24 * 3600.0


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A revision as somebody named it, and the commit that this is now."""

    named: str
    commit: str
    #: Where the project is in its repository: "" or "backend/".
    below: str = ""

    @property
    def said(self) -> str:
        """Its name for a report: "v1.2 (0a1b2c3d4e5f)"."""
        short = self.commit[:12]
        return short if self.commit.startswith(self.named) else f"{self.named} ({short})"


def find(root: Path, named: str, spawner: Spawner) -> Revision:
    """Look a revision up in the repository that `root` is in.

    Raises:
        UsageError: there is no repository, or no such commit in it.
        Interrupted: djhop was asked to stop.
    """
    below = _git(root, spawner, "rev-parse", "--show-prefix")
    if below is None:
        raise UsageError(f"--before-rev: {root} is in no git repository")
    wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}")
    commit = _git(root, spawner, *wanted)
    if not commit:
        raise UsageError(
            f"--before-rev: git knows no commit {named!r} in {root}",
            hint="a tag, a branch or a commit; in a shallow clone: git fetch --unshallow",
        )
    return Revision(named=named, commit=commit, below=below)


def head(root: Path, spawner: Spawner) -> str:
    """Return the commit that `root` is at; "" where there is none, or no git."""
    with contextlib.suppress(InfraError):
        return _git(root, spawner, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") or ""
    return ""


def checkout(root: Path, revision: Revision, into: Path, spawner: Spawner) -> Path:
    """Write the files of a revision below `into`, once; return the project's folder there.

    The index is a file of ours, so that neither the target's index nor its files change.

    Raises:
        UsageError: the project was not there in that revision.
        InfraError: git fails.
    """
    path = into / revision.commit[:12]
    found = path / revision.below
    sweep(into)
    if not path.is_dir():
        aside = into / f".{revision.commit[:12]}.{os.getpid()}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        index = {"GIT_INDEX_FILE": str(aside.with_name(f"{aside.name}.index"))}
        prefix = f"--prefix={aside}{os.sep}"
        for words in (
            ("read-tree", revision.commit),
            ("checkout-index", "--all", "--force", "--quiet", prefix),
        ):
            if _git(root, spawner, *words, env=index) is None:
                raise InfraError(f"git {words[0]} fails for {revision.said}")
        Path(index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
        try:
            aside.rename(path)
        except OSError:  # another djhop was faster
            shutil.rmtree(aside, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.utime(path)  # when it was used last
    if not found.is_dir():
        raise UsageError(f"--before-rev: {revision.below} is not there in {revision.said}")
    return found


def sweep(into: Path) -> None:
    """Remove the checkouts that nobody has used for a day, but for the latest few."""
    used: list[tuple[float, Path]] = []
    for path in into.glob("*") if into.is_dir() else ():
        with contextlib.suppress(OSError):  # another djhop was faster
            used.append((path.stat().st_mtime, path))
    whole = [(when, path) for when, path in used if not path.name.startswith(".")]
    kept = {path for _, path in sorted(whole, reverse=True)[:KEPT]}
    for when, path in used:
        if path not in kept and time.time() - when > IN_USE:
            remove(path, into / ".trash")


def files(root: Path) -> tuple[str, ...]:
    """List what a checkout holds, as `visible.files` lists a target."""
    found = (path for path in root.rglob("*") if path.is_symlink() or path.is_file())
    return tuple(sorted(str(path.relative_to(root)) for path in found))


def _git(
    root: Path, spawner: Spawner, *words: str, env: Mapping[str, str] | None = None
) -> str | None:
    """Return what git says; None where it fails."""
    passed = {name: os.environ[name] for name in GIT_ENVIRON if name in os.environ}
    command = Command(
        argv=(*GIT, *words),
        cwd=str(root),
        env={**passed, "LC_ALL": "C", **(env or {})},
        timeout=300,
        decode="surrogateescape",
    )
    done = spawner.run(command)
    if done.interrupted:
        raise Interrupted("interrupted")
    return done.output.strip() if done.returncode == 0 else None
