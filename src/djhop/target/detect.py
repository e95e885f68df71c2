"""How a target's tests are run: the owners' own commands first, then what its files suggest."""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

import msgspec

from djhop.errors import UsageError
from djhop.target import evidence, pytest_config, settings_modules, suite_commands, suites, tree
from djhop.target.settings_modules import VARIABLE
from djhop.target.suite_commands import Call, option
from djhop.target.suites import Suite, SuiteKind

if TYPE_CHECKING:
    from pathlib import Path

    from djhop.matrix.config import Matrix
    from djhop.target.pytest_config import PytestConfig
    from djhop.target.toxfile import Tox
    from djhop.target.tree import Tree


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The suite, None where there is none, and what was assumed."""

    suite: Suite | None
    notes: tuple[str, ...] = ()
    #: Import roots that the owners' PYTHONPATH names.
    import_roots: tuple[str, ...] = ()


#: What each framework takes for tests when it is told nothing else.
_TEST_FILES = {
    "pytest": re.compile(r"(?:^|/)(?:test_(?!settings\.|urls\.)\w+|\w+_test)\.py$"),
    "django": re.compile(r"(?:^|/)test(?!_?settings\.|_?urls\.|_?cases\.|_?utils\.)\w*\.py$"),
}
_PYTEST_DJANGO = re.compile(
    r"pytest\.mark\.django_db|^\s*(?:from|import)\s+pytest_django|"
    r"def \w+\([^)]*\b(?:db|transactional_db|django_user_model|django_assert_num_queries|"
    r"admin_client|live_server|rf|mailoutbox)\b",
    re.MULTILINE,
)
_DJANGO_RUNNER = re.compile(
    r"execute_from_command_line|get_runner|DiscoverRunner|run_tests\(|call_command|"
    r"unittest\.main\(|TextTestRunner"
)
_UNWANTED = re.compile(r"^(PYTHON|COVERAGE|PIP_|TOX|UV_|PATH$|HOME$|VIRTUAL_ENV$)")
_MOST_READ = 1000


def find(files: Tree, matrix: Matrix, tox: Tox, packages: frozenset[str]) -> Found:
    """Find the suite; `packages` are the names of what the target requires.

    Raises:
        UsageError: the matrix's `test` is no command that runs a suite djhop knows.
    """
    finder = _Finder(files, matrix, tox, packages)
    suite = finder.suite()
    return Found(
        suite=suite, notes=tuple(dict.fromkeys(finder.notes)), import_roots=finder.import_roots()
    )


class _Finder:
    def __init__(self, files: Tree, matrix: Matrix, tox: Tox, packages: frozenset[str]) -> None:
        self.files = files
        self.root = files.root
        self.matrix = matrix
        self.tox = tox
        self.packages = packages
        self.notes: list[str] = []
        self.configs: dict[str, PytestConfig] = {}

    def config(self, folder: str) -> PytestConfig:
        if folder not in self.configs:
            self.configs[folder] = pytest_config.read(self.root, folder)
        return self.configs[folder]

    def suite(self) -> Suite | None:
        if self.matrix.junit:
            found = suites.any_command(self.matrix, self.environment())
            self.notes += _sentences(found)
            return found
        if self.matrix.test:
            call = suite_commands.parse(self.matrix.test)
            kind = self.kind(call) if call else None
            if call is None or kind is None:
                raise UsageError(
                    f"test: {list(self.matrix.test)} is not a suite that djhop can run",
                    hint='write it as ["pytest", "tests"], ["manage.py", "test"], '
                    '["python", "runtests.py"] or ["python", "-m", "django", "test"]; for any '
                    'other command, name the JUnit XML that it writes: junit = "reports/*.xml"',
                )
            return self.made(kind, call, "the matrix")
        likely = evidence.likely(self.files, self.packages)
        for call, source in itertools.chain(evidence.written(self.root, self.tox), likely):
            kind = self.kind(call)
            if kind is not None and self.runnable(kind, call):
                return self.made(kind, call, source)
        if not self.matrix.does("tests"):
            return self.steps_only()
        self.notes.append(
            "no suite is found: no command in tox.ini, a Makefile or a workflow, no configuration "
            "of pytest, no runtests.py, manage.py or settings for tests that could run one."
        )
        return None

    def steps_only(self) -> Suite:
        """What stands for a suite where none is wanted: how Django's own steps are entered."""
        folder, settings = self.matrix.working_directory, self.matrix.settings
        return Suite(
            kind="django",
            argv=("-m", "django", "test"),
            settings=settings,
            source="matrix" if settings else "no suite found",
            working_directory="" if folder == "." else folder,
            environment=self.environment(),
        )

    def kind(self, call: Call) -> SuiteKind | None:
        """pytest or Django's runner; what a script runs is read in its text."""
        if call.kind != "script":
            return call.kind
        path = self.root / call.directory / call.argv[0]
        text = tree.read(path, call.argv[0]) if tree.is_file(path) else ""
        if re.search(r"pytest\.main|^\s*import pytest|-m.{1,4}pytest", text, re.MULTILINE):
            return "pytest"
        return "django" if _DJANGO_RUNNER.search(text) else None

    def runnable(self, kind: SuiteKind, call: Call) -> bool:
        """Whether what a command names is there, and has tests to run, where they are wanted."""
        folder = self.root / call.directory
        if kind == "django" and call.argv[0] != "-m" and not tree.is_file(folder / call.argv[0]):
            return False
        if call.settings and not settings_modules.file_of(self.root, call.settings, call.directory):
            return False
        if not self.matrix.does("tests") or call.kind == "script":
            return True
        named = (kind == "pytest" and self.config(call.directory).own_names) or (
            kind == "django" and option(call.argv, "-p", "--pattern")
        )
        if named:
            return True
        if any(_TEST_FILES[kind].search(file) for file in self.files.files):
            return True
        expected = "test_*.py or *_test.py" if kind == "pytest" else "test*.py"
        self.notes.append(f"no file is named as tests are ({expected}).")
        return False

    def made(self, kind: SuiteKind, call: Call, source: str) -> Suite:
        argv = self.arguments(kind, call)
        folder = self.matrix.working_directory or call.directory
        settings = self.matrix.settings or self.settings(kind, call)
        if self.matrix.settings:
            argv = tuple(
                f"--settings={settings}" if word.startswith("--settings=") else word
                for word in argv
            )
        suite = Suite(
            kind=kind,
            argv=argv,
            settings=settings,
            pytest_django=kind == "pytest" and self.uses_pytest_django(call, folder),
            source="matrix" if self.matrix.test else source,
            working_directory="" if folder == "." else folder,
            environment=self.environment(call),
            plugins=self.plugins(folder) if kind == "pytest" else (),
        )
        self.notes += _sentences(suite)
        return suite

    def arguments(self, kind: SuiteKind, call: Call) -> tuple[str, ...]:
        """The arguments to keep: of pytest's paths, those that are there; all of a matrix's."""
        if self.matrix.test:
            return call.whole[kind == "pytest" and call.kind == "script" :]
        if kind == "django" or "--pyargs" in call.argv:
            return call.argv
        if call.kind == "script":
            return ()
        folder = self.root / call.directory
        before = ("", *call.argv)
        return tuple(
            word
            for word, previous in zip(call.argv, before, strict=False)
            if word.startswith("-")
            or (previous.startswith("-") and "=" not in previous)
            or _is_there(folder, word.partition("::")[0])
        )

    def settings(self, kind: SuiteKind, call: Call) -> str:
        told = dict(self.tox.environment) | dict(call.environment)
        configured = self.config(call.directory).settings
        if found := call.settings or told.get(VARIABLE, ""):
            return found
        if kind == "django" and call.argv[0] != "-m":
            script = f"{call.directory}/{call.argv[0]}".lstrip("/")
            return settings_modules.set_by(self.root, script)
        if configured or kind == "django" or settings_modules.set_by_conftest(self.files):
            return configured
        if not self.uses_pytest_django(call, call.directory):
            return ""
        manage = evidence.manage_files(self.files)[:1]
        return "".join(settings_modules.set_by(self.root, name) for name in manage)

    def uses_pytest_django(self, call: Call, folder: str) -> bool:
        config = self.config(folder)
        words = (*config.addopts, *call.argv)
        if "no:django" in words or "no:pytest_django" in words or "-pno:django" in words:
            return False
        if "pytest-django" in self.packages or config.django or call.settings:
            return True
        if name := self.takes_pytest_django:
            self.notes.append(f"pytest-django is used: {name} takes its marks or fixtures.")
        return bool(name)

    @functools.cached_property
    def takes_pytest_django(self) -> str:
        """The first test file that takes a mark or a fixture of pytest-django, or ""."""
        tests = [f for f in self.files.files if "test" in f and f.endswith(".py")]
        return next(
            (
                name
                for name in tests[:_MOST_READ]
                if _PYTEST_DJANGO.search(tree.read(self.root / name, name))
            ),
            "",
        )

    def plugins(self, folder: str) -> tuple[str, ...]:
        return tuple(p for p in self.config(folder).plugins if p not in self.packages)

    def environment(self, call: Call | None = None) -> tuple[tuple[str, str], ...]:
        told = dict(self.tox.environment) | dict(call.environment if call else ())
        return tuple((k, v) for k, v in told.items() if not _UNWANTED.match(k))

    def import_roots(self) -> tuple[str, ...]:
        value = dict(self.tox.environment).get("PYTHONPATH", "")
        paths = [path.removeprefix("./").rstrip("/") or "." for path in value.split(":") if path]
        inside = [p for p in paths if not p.startswith(("/", "..")) and "$" not in p]
        return tuple(p for p in inside if tree.is_dir(self.root / p))


def _is_there(folder: Path, path: str) -> bool:
    return path not in (".", "./") and (tree.is_file(folder / path) or tree.is_dir(folder / path))


def _sentences(suite: Suite) -> list[str]:
    where = f", run in {suite.working_directory}" if suite.working_directory else ""
    said = [f"suite: {' '.join(suite.words)}{where}, from {suite.source}."]
    if suite.junit:
        said.append(f"what came of it is read from {suite.junit}, and nowhere else.")
    if suite.settings:
        said.append(f"settings: {suite.settings}.")
    if suite.plugins:
        said.append(f"pytest plugins its configuration needs: {', '.join(suite.plugins)}.")
    return said
