"""Where a target says how its tests are run: the owners' commands, then what files suggest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from djhop.target import pytest_config, suite_commands, tree
from djhop.target.suite_commands import Call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from djhop.target.toxfile import Tox
    from djhop.target.tree import Tree

_SCRIPTS = (
    "Makefile",
    "makefile",
    "justfile",
    ".travis.yml",
    ".gitlab-ci.yml",
    "bitbucket-pipelines.yml",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    "runtests.sh",
    "run_tests.sh",
    "test.sh",
    "scripts/test",
    "script/test",
    "bin/test",
)
_RUNNERS = (
    "runtests.py",
    "run_tests.py",
    "runtest.py",
    "quicktest.py",
    "tests/runtests.py",
    "tests/run_tests.py",
    "test/runtests.py",
)
_SETTINGS_FILES = re.compile(
    r"(?:^|/)(?:tests?(?:_?project|_?app)?/(?:test_?)?settings(?:_test)?|test_?settings|settings_?tests?)\.py$"
)
_NOT_THE_PROJECT = re.compile(
    r"(?:^|/)(?:examples?|demo|docs?|sandbox|\w*template\w*|tutorial)(?:_\w+)?/"
)


def is_example(name: str) -> bool:
    """Whether a file belongs to an example or a template, not to the project itself."""
    return _NOT_THE_PROJECT.search(name) is not None


def manage_files(files: Tree) -> tuple[str, ...]:
    """The `manage.py` files that are Django's, at most two directories down, likeliest first."""
    found = [
        name
        for name in files.named("manage.py")
        if name.count("/") <= 2 and "django" in tree.read(files.root / name, name)
    ]
    return tuple(sorted(found, key=lambda n: (is_example(n), n.count("/"))))


def written(root: Path, tox: Tox) -> Iterator[tuple[Call, str]]:
    """Commands that the owners wrote down, and where: tox, scripts, continuous integration."""
    for _, words in tox.commands:
        if call := suite_commands.parse(words):
            yield msgspec.structs.replace(call, directory=tox.directory), tox.path
    for name in (*_SCRIPTS, *_workflows(root)):
        for call in suite_commands.in_text(tree.read_if_there(root, name)):
            yield call, name


def _workflows(root: Path) -> list[str]:
    folder = root / ".github/workflows"
    names = sorted(path.name for path in folder.glob("*.y*ml")) if folder.is_dir() else []
    names.sort(key=lambda name: "test" not in name and "ci" not in name)
    return [f".github/workflows/{name}" for name in names]


def likely(files: Tree, packages: frozenset[str]) -> Iterator[tuple[Call, str]]:
    """What the files themselves suggest, where nobody wrote down a command."""
    manage = manage_files(files)
    folders = [name.rpartition("/")[0] for name in manage]
    for folder in dict.fromkeys(["", *folders]):
        if config := pytest_config.read(files.root, folder).path:
            yield Call(kind="pytest", argv=(), directory=folder), config
    conftests = files.named("conftest.py")
    named = packages & {"pytest", "pytest-django"}
    if "pytest-django" in named or (named and (conftests or not manage)):
        yield Call(kind="pytest", argv=(), directory="".join(folders[:1])), "the requirements"
    for name in _RUNNERS:
        yield Call(kind="script", argv=(name,)), name
    for name, folder in zip(manage, folders, strict=True):
        yield Call(kind="django", argv=("manage.py", "test"), directory=folder), name
    for name in files.files:
        if _SETTINGS_FILES.search(name) and not is_example(name):
            module = name.removeprefix("src/").removesuffix(".py").replace("/", ".")
            argv = ("-m", "django", "test", f"--settings={module}")
            yield Call(kind="django", argv=argv), name
    if conftests:
        yield Call(kind="pytest", argv=()), conftests[0]
