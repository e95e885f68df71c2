"""django-upgrade on some files of a scratch copy → what it made of each, and a patch.

The tool lies in a folder of its own in djhop's cache, and is run by a Python of this machine: it is
no part of the target's environments, nor of djhop's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from djhop.environments import environments
from djhop.environments.installer import CannotInstall
from djhop.errors import InfraError, Interrupted
from djhop.fixes import patches
from djhop.fixes.patches import Changed
from djhop.interpreters.interpreters import Interpreter
from djhop.processes.process import Command, Completed, Spawner

NAME = "django-upgrade"
#: All it needs: the folder is installed without looking at what packages ask for.
REQUIREMENTS = (NAME, "tokenize-rt")
#: The oldest Python with a release that knows the Django of today.
OLDEST = (3, 9)
#: Isolated (-I), so that nothing in the tree is imported in place of a module of the tool.
ENTER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from django_upgrade.main import main; sys.exit(main())"
)
#: Seconds one run of it may take.
TIMEOUT = 600.0
#: Bytes; a longer file is data, and no code that somebody wrote.
LONGEST = 2_000_000


class Fixer(msgspec.Struct, frozen=True, kw_only=True):
    """django-upgrade, ready to run."""

    python: str
    #: The folder it is in.
    folder: str
    version: str


class Rewritten(msgspec.Struct, frozen=True, kw_only=True):
    """What the fixer made of some files."""

    #: Django series that it was told to write for: what it writes runs from there on.
    target_version: str
    #: The fixers of django-upgrade that were asked for; none: all of them.
    only: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    #: A unified diff for `git apply`, relative to the tree; "" where nothing changed.
    patch: str = ""
    #: Files that it could not be given, or failed on, and why; they are as they were.
    skipped: tuple[tuple[str, str], ...] = ()
    #: Why it did nothing at all: it does not know that Django.
    refused: str = ""


def fixer(
    found: Mapping[str, Interpreter], *, cache: Path, spawner: Spawner, offline: bool = False
) -> Fixer:
    """Have django-upgrade installed, the newest for the newest Python of this machine.

    Raises:
        InfraError: it cannot be had.
        Interrupted: djhop was asked to stop.
    """
    usable = {_minor(python): one for python, one in found.items() if _minor(python) >= OLDEST}
    if not usable:
        raise InfraError(f"{NAME} needs a Python of 3.9 or newer", hint="djhop doctor")
    interpreter = usable[max(usable)]
    try:
        folder = environments.tools(
            interpreter, cache=cache, spawner=spawner, requirements=REQUIREMENTS, offline=offline
        )
    except CannotInstall as error:
        raise InfraError(f"{NAME} cannot be installed: {error}", hint=error.log) from error
    version = environments.installed(folder).get(NAME, "")
    return Fixer(python=interpreter.path, folder=str(folder), version=version)


def rewrite(
    tree: Path,
    files: Iterable[str],
    target_version: str,
    *,
    fixer: Fixer,
    spawner: Spawner,
    only: Sequence[str] = (),
) -> Rewritten:
    """Let the fixer rewrite `files` of a scratch copy, for Django `target_version`.

    Only files of the tree itself are given to it: a link may lead out of it, into the target.

    Args:
        tree: the scratch copy; nothing outside of it is written to.
        files: relative to the tree.
        target_version: series; the fixer uses nothing that this series does not have.
        only: names of django-upgrade's fixers; none: all that it has.

    Raises:
        InfraError: the fixer could not be run.
        Interrupted: djhop was asked to stop.
    """
    before: dict[str, str] = {}
    skipped: list[tuple[str, str]] = []
    for name in dict.fromkeys(files):
        text, why = _read(tree, name)
        if why:
            skipped.append((name, why))
        else:
            before[name] = text
    if not before:
        return Rewritten(target_version=target_version, only=tuple(only), skipped=tuple(skipped))
    run = _Run(tree, target_version, tuple(only), fixer, spawner)
    done = run.on(before)
    if done.returncode == 2:  # argparse: an argument is wrong
        refused = _last(done.output)
        return Rewritten(target_version=target_version, only=tuple(only), refused=refused)
    if done.returncode != 0:
        skipped += _one_by_one(run, before)
    pairs = ((name, text, _text(tree / name)) for name, text in before.items())
    made = {name: patches.diff(name, was, now) for name, was, now in pairs}
    return Rewritten(
        target_version=target_version,
        only=tuple(only),
        changed=tuple(patches.changed(name, patch) for name, patch in made.items() if patch),
        patch="".join(made.values()),
        skipped=tuple(skipped),
    )


class _Run(msgspec.Struct, frozen=True):
    """How the fixer is run."""

    tree: Path
    target_version: str
    only: tuple[str, ...]
    fixer: Fixer
    spawner: Spawner

    def on(self, files: Iterable[str]) -> Completed:
        asked = command(self.tree, tuple(files), self.target_version, self.fixer, self.only)
        done = self.spawner.run(asked)
        if done.interrupted:
            raise Interrupted("interrupted while files were rewritten")
        if done.timed_out or done.returncode < 0 or done.returncode > 2:
            raise InfraError(f"{NAME} ended with {done.returncode}: {_last(done.output)}")
        return done


def command(
    tree: Path,
    files: Sequence[str],
    target_version: str,
    fixer: Fixer,
    only: Sequence[str] = (),
) -> Command:
    """Return the process that rewrites `files`."""
    limits = (word for name in only for word in ("--only", name))
    options = ("--exit-zero-even-if-changed", "--target-version", target_version, *limits)
    return Command(
        argv=(fixer.python, "-I", "-B", "-c", ENTER, fixer.folder, *options, "--", *files),
        cwd=str(tree),
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        timeout=TIMEOUT,
    )


def _one_by_one(run: _Run, before: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give it each file alone, from the start; say on which it fails, and leave that as it was."""
    for name, text in before.items():
        _put(run.tree / name, text)
    for name, text in before.items():
        done = run.on([name])
        if done.returncode != 0:
            _put(run.tree / name, text)
            yield name, f"{NAME} fails on it: {_last(done.output)}"


def _read(tree: Path, name: str) -> tuple[str, str]:
    """Return a file's text, or why the fixer cannot have it."""
    path = tree / name
    try:
        if path.resolve(strict=True) != tree.resolve() / name:
            return "", "it is a link, or lies behind one"
        data = path.read_bytes()
    except OSError as error:
        return "", f"it cannot be read: {error.strerror}"
    if len(data) > LONGEST:
        return "", "it is too long to be code"
    if any(char in name for char in '\n\t"\\') or not name.isprintable():
        return "", "no patch can name it"
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return "", "it is not UTF-8"


def _text(path: Path) -> str:
    return path.read_bytes().decode()


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _last(output: str) -> str:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it says nothing"


def _minor(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))
