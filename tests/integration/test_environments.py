"""Environments, bytecode, tools and overlays with real uv, real Pythons and real packages."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djhop_cli
import msgspec
import pytest
from uv import find_uv_bin

from djhop.environments import environments
from djhop.environments.environments import CannotInstall
from djhop.errors import InfraError
from djhop.interpreters import interpreters
from djhop.interpreters.interpreters import Interpreter
from djhop.processes.process import Spawner
from djhop.workspace import visible, workspace

pytestmark = pytest.mark.integration

#: Exact pins that install on each Python.
PINS = {
    "3.6": ("django==3.2.25", "asgiref==3.4.1", "pytz==2021.3", "sqlparse==0.4.4",
            "typing-extensions==4.1.1"),
    "3.8": ("django==4.2.16", "asgiref==3.8.1", "sqlparse==0.5.1", "typing-extensions==4.12.2",
            "backports-zoneinfo==0.2.1"),
    "3.12": ("django==5.2.1", "asgiref==3.8.1", "sqlparse==0.5.1"),
    "3.13": ("django==5.2.1", "asgiref==3.8.1", "sqlparse==0.5.1"),
}  # fmt: skip
CLEAN = {"PATH": os.environ["PATH"]}
ENVIRON = {k: v for k, v in os.environ.items() if k != "UV_OFFLINE"}


class Lock(msgspec.Struct, frozen=True):
    pins: tuple[str, ...]


def said(*argv: str | Path, **options: object) -> str:
    done = subprocess.run(
        [str(word) for word in argv], env=CLEAN, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interpreter]:
    def ask(path: str) -> str:
        argv = interpreters.question(path)
        try:
            return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        except OSError:
            return ""

    folder = tmp_path_factory.mktemp("interpreters")
    return interpreters.find(environ=os.environ, cache=folder, query=ask)


@pytest.fixture
def python(found: dict[str, Interpreter]) -> Callable[[str], Interpreter]:
    def python(minor: str) -> Interpreter:
        if minor not in found:
            pytest.skip(f"no Python {minor} here")
        return found[minor]

    return python


Python = Callable[[str], Interpreter]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def spawner() -> Spawner:
    return Spawner()


@pytest.mark.parametrize("minor", PINS)
def test_an_environment_and_its_bytecode(
    minor: str, python: Python, cache: Path, spawner: Spawner
) -> None:
    lock, interpreter = Lock(PINS[minor]), python(minor)

    def ensure(**options: bool) -> environments.Environment:
        return environments.ensure(
            lock, interpreter, cache=cache, spawner=spawner, environ=ENVIRON, **options
        )

    made = ensure()
    release = dict(pin.split("==") for pin in lock.pins)
    assert made.packages == release
    importing = (made.python, "-v", "-c", "import django.forms, django.db.models")
    assert said(*importing).count("# created") > 100
    # Console scripts survive the rename.
    assert said(made.path / "bin" / "django-admin", "--version").strip() == release["django"]
    assert environments.harvest(made, interpreter, cache) > 100
    assert environments.harvest(made, interpreter, cache) == 0
    again = ensure(recreate=True)
    assert again.created
    text = said(again.python, *importing[1:])
    assert text.count(" matches ") > 100
    compiled = [line for line in text.splitlines() if line.startswith("# created")]
    # uv writes _virtualenv.py into each environment for old Pythons; it belongs to no package.
    assert [line for line in compiled if "_virtualenv." not in line] == []
    assert ensure() == msgspec.structs.replace(again, created=False)


def test_a_package_that_is_a_folder_here_is_as_it_is_now(
    python: Python, cache: Path, spawner: Spawner, tmp_path: Path
) -> None:
    folder = tmp_path / "money"
    (folder / "money").mkdir(parents=True)
    (folder / "setup.py").write_text(
        "import setuptools; setuptools.setup(name='money', version='1', packages=['money'])"
    )
    lock = Lock((f"money @ {folder.as_uri()}",))
    made = list[environments.Environment]()
    for rate in "122":
        (folder / "money" / "__init__.py").write_text(f"print({rate})")
        one = environments.ensure(
            lock, python("3.12"), cache=cache, spawner=spawner, environ=ENVIRON
        )
        assert said(one.python, "-c", "import money").strip() == rate
        made.append(one)
    assert [one.created for one in made] == [True, True, False]


@pytest.mark.parametrize("minor", PINS)
def test_tools_hold_coverage_compiled(
    minor: str, python: Python, cache: Path, spawner: Spawner
) -> None:
    path = environments.tools(python(minor), cache=cache, spawner=spawner, environ=ENVIRON)
    code = f"import sys; sys.path.append({str(path)!r}); import coverage; print(coverage.__file__)"
    text = said(python(minor).path, "-I", "-v", "-c", code)
    assert str(path) in text
    assert not [line for line in text.splitlines() if "# created" in line and str(path) in line]


def test_an_index_that_does_not_answer_is_no_verdict(
    python: Python, cache: Path, spawner: Spawner, tmp_path: Path
) -> None:
    environ = {
        **ENVIRON,
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_HTTP_RETRIES": "0",
    }
    lock = Lock(("six==1.16.0",))
    with pytest.raises(InfraError, match="could not be fetched"):
        environments.ensure(lock, python("3.12"), cache=cache, spawner=spawner, environ=environ)


def test_offline_says_what_is_missing(
    python: Python, cache: Path, spawner: Spawner, tmp_path: Path
) -> None:
    environ = {**ENVIRON, "UV_CACHE_DIR": str(tmp_path / "uv")}
    lock = Lock(("six==1.16.0",))
    with pytest.raises(InfraError, match=r"(?s)not in uv's cache.*six"):
        environments.ensure(
            lock, python("3.12"), cache=cache, spawner=spawner, environ=environ, offline=True
        )


def project(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__dot__", ".").replace("__in__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_build_that_fails_names_the_package_and_the_reason(
    python: Python, cache: Path, spawner: Spawner, tmp_path: Path
) -> None:
    broken = project(tmp_path / "broken", setup__dot__py="raise SystemExit('no compiler: wanted')")
    lock = Lock((f"broken @ {broken.as_uri()}",))
    with pytest.raises(CannotInstall) as caught:
        environments.ensure(lock, python("3.12"), cache=cache, spawner=spawner, environ=ENVIRON)
    assert caught.value.package == "broken"
    assert caught.value.tail.endswith("no compiler: wanted")
    assert "no compiler: wanted" in Path(caught.value.log).read_text()


def test_no_release_for_this_python(python: Python, cache: Path, spawner: Spawner) -> None:
    lock = Lock(("django==5.2.1", "asgiref==3.8.1", "sqlparse==0.5.1"))
    with pytest.raises(CannotInstall) as caught:
        environments.ensure(lock, python("3.8"), cache=cache, spawner=spawner, environ=ENVIRON)
    assert caught.value.package == "django==5.2.1"


PYPROJECT = """
[build-system]
requires = ["{requires}"]
build-backend = "{backend}"
[project]
name = "example-project"
{version}
[project.entry-points.example]
one = "example_project:one"
"""
POETRY = """
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "example-project"
version = "1.5"
description = ""
authors = []
packages = [{include = "example_project", from = "src"}]
[tool.poetry.plugins.example]
one = "example_project:one"
"""
SETUP_CFG = """
[metadata]
name = example-project
version = attr: example_project.__version__
[options]
packages = find:
package_dir =
    = src
[options.packages.find]
where = src
[options.entry_points]
example =
    one = example_project:one
"""
STATIC = 'version = "1.5"'
HATCH_VCS = """dynamic = ["version"]
[tool.hatch.version]
source = "vcs"
[tool.hatch.build.hooks.vcs]
version-file = "src/example_project/_version.py"
"""
FLIT = 'version = "1.5"\ndescription = "x"'
SETUP_PY = "from setuptools import setup\nsetup()\n"


def pyproject(requires: str, backend: str, version: str) -> dict[str, str]:
    text = PYPROJECT.format(requires=requires, backend=backend, version=version)
    return {"pyproject__dot__toml": text}


PROJECTS = {
    "setuptools": pyproject("setuptools", "setuptools.build_meta", STATIC),
    "hatchling": pyproject("hatchling", "hatchling.build", STATIC),
    "hatch-vcs": pyproject('hatchling", "hatch-vcs', "hatchling.build", HATCH_VCS),
    "flit": pyproject("flit_core>=3.4", "flit_core.buildapi", FLIT),
    "poetry": {"pyproject__dot__toml": POETRY},
    "setup.cfg": {"setup__dot__cfg": SETUP_CFG, "setup__dot__py": SETUP_PY},
}
LOOK = """
import os, site, sys
site.addsitedir(sys.argv[1])
try:
    from importlib import metadata
except ImportError:  # Python 3.6, 3.7
    print([n for n in os.listdir(sys.argv[1]) if n.endswith("info")][0][:-10].split("-")[1])
else:
    dist = metadata.distribution("example-project")
    print(dist.version, [e.load() for e in dist.entry_points])
import example_project
print(example_project.__file__)
"""


@pytest.mark.parametrize("minor", ["3.6", "3.8", "3.12"])
@pytest.mark.parametrize("kind", PROJECTS)
def test_overlays(
    kind: str, minor: str, python: Python, cache: Path, spawner: Spawner, tmp_path: Path
) -> None:
    if minor == "3.6" and kind != "setup.cfg":
        pytest.skip("its backend needs a newer Python")
    tree = project(
        tmp_path / "room" / "tree",
        src__in__example_project__in____init____dot__py="__version__ = '1.5'\none = 1\n",
        **PROJECTS[kind],
    )
    before = sorted(tree.rglob("*"))
    dirs, notes = environments.overlay(
        tree, python(minor), cache=cache, spawner=spawner, environ=ENVIRON
    )
    assert len(dirs) == 1, notes
    version, file = said(python(minor).path, "-B", "-c", LOOK, dirs[0]).splitlines()
    assert file == str(tree / "src/example_project/__init__.py")
    expected = "0.0.0" if kind == "hatch-vcs" else "1.5"
    assert version == (expected if minor == "3.6" else f"{expected} [1]")
    new = {path.name for path in set(tree.rglob("*")) - set(before)}
    assert new == ({"_version.py"} if kind == "hatch-vcs" else set())
    assert ("repository" in notes[0]) == (kind == "hatch-vcs")
    assert ("no editable" in notes[0]) == (minor == "3.6")
    assert environments.overlay(
        tree, python(minor), cache=cache, spawner=spawner, environ=ENVIRON
    ) == (dirs, notes)


def test_a_version_from_the_repository(
    python: Python, cache: Path, spawner: Spawner, tmp_path: Path
) -> None:
    target = project(
        tmp_path / "target",
        src__in__example_project__in____init____dot__py="one = 1\n",
        **PROJECTS["hatch-vcs"],
    )
    who = ("-c", "user.name=x", "-c", "user.email=x@y")

    def seen() -> str:
        files = visible.files(target, spawner)
        with workspace.open(target, tmp_path / "rooms/cell", files=files) as room:
            laid = environments.overlay(
                room.tree, python("3.12"), cache=cache, spawner=spawner, environ=ENVIRON
            )
            assert "0.0.0" not in laid.notes[0]
            return said(python("3.12").path, "-B", "-c", LOOK, laid.dirs[0]).split()[0]

    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "x"), ("tag", "2.5")):
        subprocess.run(["git", *words], cwd=target, check=True)
    assert seen() == "2.5"
    for words in ((*who, "commit", "-qm", "y", "--allow-empty"), ("tag", "2.6")):
        subprocess.run(["git", *words], cwd=target, check=True)
    assert seen() == "2.6", "an overlay of another version was used"


@pytest.mark.parametrize("busy", [False, True])
def test_what_was_written_through_a_hard_link_is_installed_as_it_was(
    python: Python, tmp_path: Path, spawner: Spawner, busy: bool
) -> None:
    """uv links its cache into environments: the next one would have it as well.

    uv cannot forget it while `uv run` holds the cache (`busy`), for as long as its command runs.
    """
    environ = {**ENVIRON, "UV_CACHE_DIR": str(tmp_path / "uv")}
    lock, cache = Lock(("sqlparse==0.5.1",)), tmp_path / "cache"
    cache.mkdir()

    def ensure(**options: bool) -> environments.Environment:
        return environments.ensure(
            lock, python("3.12"), cache=cache, spawner=spawner, environ=environ, **options
        )

    module = ensure().site_packages / "sqlparse" / "__init__.py"
    if module.stat().st_nlink == 1:
        pytest.skip("uv copies on this file system")
    content = module.read_text()
    module.write_text("raise ImportError('poisoned')\n")
    with contextlib.ExitStack() as stack:
        if busy:
            argv = (find_uv_bin(), "run", "--no-project", "--python", python("3.12").path)
            holder = stack.enter_context(
                subprocess.Popen(
                    [*argv, "sh", "-c", "echo; read _"],
                    env=environ,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"\n"
            started = time.monotonic()
        made = ensure()
        if busy:
            assert time.monotonic() - started < 30
    assert made.created
    assert made.damaged == (("sqlparse",) if busy else ())
    assert [(c.path, c.shared) for c in made.changes] == [("sqlparse/__init__.py", True)]
    assert module.read_text() == content
    assert said(made.python, "-c", "import sqlparse") == ""
    assert ensure(recreate=True).damaged == ()
    assert module.read_text() == content


CHANGING = """
import pathlib, warnings
import django
from django.test import SimpleTestCase

LEFT = pathlib.Path(django.__file__).parent / "left_by_a_test.py"

class Kind(SimpleTestCase):
    def test_a_is_the_first_here(self):
        self.assertFalse(LEFT.exists())

    def test_b_writes_where_the_packages_are(self):
        LEFT.write_text("x = 1")
        warnings.warn("old", DeprecationWarning)
"""


def test_tests_that_change_the_environment_are_named_and_meet_nobody(
    python: Python, tmp_path: Path
) -> None:
    python("3.12")
    target = project(
        tmp_path / "target",
        test_kind__dot__py=CHANGING,
        settings__dot__py="SECRET_KEY = 'x'\n",
        pytest__dot__ini="[pytest]\nDJANGO_SETTINGS_MODULE = settings\n",
        requirements__dot__txt="Django==5.2.1\npytest==8.4.2\npytest-django==4.11.1\n",
    )
    matrix = djhop_cli.matrix_file(tmp_path / "m.toml", {"steps": ["5.2"], "python": "3.12"})

    def run() -> dict[str, Any]:
        done = djhop_cli.run(target, matrix, cache=tmp_path / "djhop", out=tmp_path / "reports")
        return done.cells["py3.12-django5.2"]

    change = "(django/left_by_a_test.py added)"
    strictly = f"the strict run changed the environment {change}: it is made anew before the next"
    for before in (False, True):
        cell = run()
        assert [test["plain"] for test in cell["tests"]] == ["passed", "passed"]
        assert [test["strict"] for test in cell["tests"]] == ["passed", "failed"]
        notes = "\n".join(cell["notes"])
        assert strictly in notes
        earlier = "made anew: tests of an earlier run, or somebody else, had changed it"
        assert (f"{earlier} {change}" in notes) == before
