"""What belongs to a target: what git would see of it, or what looks like source without git."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from djhop.errors import Interrupted, UsageError
from djhop.processes.process import Command, Spawner

#: Never source, wherever they lie.
SKIPPED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "node_modules",
        "__pycache__",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    }
)
#: Tracked, and untracked but not ignored. fsmonitor would start a daemon, or a hook of the
#: target's; safe.directory: in a container the checkout often belongs to another user.
GIT = (
    "git",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "safe.directory=*",
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
)
#: What git may know of the world; GIT_DIR and its like (set inside a git hook) would mislead it.
GIT_ENVIRON = ("PATH", "HOME", "XDG_CONFIG_HOME")


def files(
    root: Path,
    spawner: Spawner,
    *,
    copy: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """List what belongs to the target at `root`: relative paths, sorted; empty folders end in "/".

    With git: what is tracked, and what is untracked and not ignored, in `root` and below, in
    submodules too. Without: everything but environments, caches and version control. `copy`
    adds what these globs match, ignored or not. Folders of earlier djhop runs are left out, and
    the folders named in `exclude` (relative to `root`).

    Raises:
        Interrupted: the spawner was asked to stop.
        UsageError: a glob that leaves the target.
    """
    found = _git_files(root, "", spawner, environ) or _walk(root, "", SKIPPED_FOLDERS)
    listed = dict.fromkeys(found)
    for pattern in copy:
        listed.update(dict.fromkeys(_matching(root, pattern)))
    left_out = run_folders(root, listed) + tuple(f"{folder}/" for folder in exclude)
    return tuple(sorted(p for p in listed if not p.startswith(left_out)))


def _git_files(
    root: Path, below: str, spawner: Spawner, environ: Mapping[str, str]
) -> list[str] | None:
    env = {name: environ[name] for name in GIT_ENVIRON if name in environ}
    done = spawner.run(
        Command(
            argv=GIT,
            cwd=str(root / below),
            env={**env, "LC_ALL": "C"},
            timeout=120,
            limit=1 << 30,
            decode="surrogateescape",
        )
    )
    if done.interrupted:
        raise Interrupted("interrupted while listing the target's files")
    if done.returncode != 0:
        return None  # no git, or no repository
    found = []
    for name in done.output.split("\0"):
        path = below + name
        mode = _mode(f"{root}/{path}") if name else 0
        if stat.S_ISDIR(mode):  # a submodule, a repository inside the repository, or once a file
            nested = path.rstrip("/") + "/"
            if (root / nested / ".git").exists():
                found += _git_files(root, nested, spawner, environ) or []
            else:
                found += list(_walk(root, nested, SKIPPED_FOLDERS)) or [nested]
        elif mode:
            found.append(path)
    return found


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:  # tracked, but deleted
        return 0


def _walk(root: Path, below: str, skipped: frozenset[str]) -> Iterator[str]:
    """Yield the files below a folder; links are never followed, so loops end nowhere."""
    folders = [below]
    while folders:
        folder = folders.pop()
        empty = True
        try:
            entries = list(os.scandir(f"{root}/{folder}"))
        except OSError:  # it may not be read
            continue
        if skipped and any(e.name == "pyvenv.cfg" for e in entries) and folder != below:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in skipped:
                    folders.append(f"{folder}{entry.name}/")
                empty = False
            elif not entry.name.endswith(".pyc") and entry.name != ".git":
                yield folder + entry.name
                empty = False
        if empty and folder != below:
            yield folder


def _matching(root: Path, pattern: str) -> Iterator[str]:
    parts = Path(pattern).parts
    if not parts or Path(pattern).is_absolute() or ".." in parts:
        raise UsageError(
            f"copy: {pattern!r} leaves the target", hint="give a glob relative to the target"
        )
    if any("**" in part and part != "**" for part in parts):
        raise UsageError(
            f"copy: {pattern!r} is no glob",
            hint='"**" stands for folders, alone: "assets/**/*.json"',
        )
    for match in root.glob(pattern):
        path = match.relative_to(root).as_posix()
        if match.is_dir() and not match.is_symlink():
            yield from _walk(root, f"{path}/", frozenset({".git"}))
        else:
            yield path


def run_folders(root: Path, listed: dict[str, None]) -> tuple[str, ...]:
    """Folders that an earlier run of djhop wrote: they hold `run.json` and `cells/`."""
    names = [path for path in listed if path.endswith("/run.json")]
    return tuple(n[: -len("run.json")] for n in names if (root / n).with_name("cells").is_dir())
