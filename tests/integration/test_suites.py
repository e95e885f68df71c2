"""Suites as their owners run them: djhop beside the suite's own runner, in the same environment.

Real projects of PyPI, each with another way to start Django's runner, are held to plain tools by
test id and outcome. The target `odd` has every way in which a test is not simply passed or failed;
what Django's runner, its parallel workers, runners of the target's own, pytest and its workers say
of it is one table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import djhop_cli
import oracle
import pytest
from djhop_cli import Done

ODD = Path(oracle.__file__).parent / "targets" / "odd"
#: Project → (version, series, tests that plain tools find, its matrix). Python 3.8 for all.
PROJECTS: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "django-filter": (
        "2.2.0",
        "2.2",
        489,
        {
            "test": ["python", "runtests.py"],
            "settings": "tests.settings",
            "packages": [
                *("djangorestframework", "coreapi", "markdown", "django-crispy-forms"),
                *("mock", "pytz", "setuptools<81"),
            ],
        },
    ),
    "easy-thumbnails": (
        "2.8.5",
        "4.2",
        118,
        {
            "test": ["python", "-m", "django", "test", "easy_thumbnails"],
            "settings": "easy_thumbnails.tests.settings",
            "packages": ["testfixtures"],
        },
    ),
    "django-reversion": (
        "3.0.7",
        "3.2",
        138,
        {
            "test": ["manage.py", "test"],
            "settings": "only_sqlite",
            "working-directory": "tests",
            "pythonpath": ["tests"],
            "packages": ["pytz"],
        },
    ),
    "django-taggit": (
        "1.2.0",
        "2.2",
        314,
        {"test": ["python", "-m", "django", "test"], "settings": "tests.settings"},
    ),
}
#: The project's own tests are on three databases, of which this machine has one.
ONLY_SQLITE = """\
from test_project.settings import *

DATABASES = dict.fromkeys(DATABASES, DATABASES["default"])
DATABASES = {
    name: {"ENGINE": "django.db.backends.sqlite3", "NAME": name + ".sqlite3"} for name in DATABASES
}
"""


@pytest.mark.slow
@pytest.mark.needs_python("3.8")
@pytest.mark.parametrize("name", PROJECTS)
def test_a_real_suite_is_what_its_own_runner_says(
    name: str, sdist: Callable[[str, str], Path], shared: Path, tmp_path: Path
) -> None:
    version, series, tests, settings = PROJECTS[name]
    target = oracle.copy(sdist(name, version), tmp_path / name)
    if settings["settings"] == "only_sqlite":
        (target / "tests" / "only_sqlite.py").write_text(ONLY_SQLITE)
    done = _run(target, {"steps": [series], "python": "3.8", **settings}, shared, tmp_path)
    cell = f"py3.8-django{series}"
    plain = _plain_tools(done.python(cell), target, settings, tmp_path, "plain")
    assert len(plain) == tests
    assert _outcomes(done, cell, "plain") == plain
    strict = _plain_tools(done.python(cell), target, settings, tmp_path, "strict")
    # Strict plain tools may die where an import warns; djhop then has strict outcomes all the same.
    assert _outcomes(done, cell, "strict").keys() == plain.keys()
    if strict:
        assert _outcomes(done, cell, "strict") == strict


def _run(target: Path, matrix: Mapping[str, Any], shared: Path, room: Path, *options: str) -> Done:
    file = djhop_cli.matrix_file(room / "matrix.toml", matrix)
    if target == ODD:
        file.write_text('include = [{ django = "5.2", python = "3.12" }]\n' + file.read_text())
    cache, out = shared / "djhop", room / "reports"
    return djhop_cli.run(target, file, cache=cache, out=out, options=options)


def _plain_tools(
    python: Path, target: Path, settings: Mapping[str, Any], room: Path, mode: oracle.Mode
) -> dict[str, str]:
    """What the suite's own runner says in a fresh copy: test id → outcome, breaks as errors."""
    tree = oracle.copy(target, room / "workspace")
    folder = tree / settings.get("working-directory", ".")
    seen = oracle.run(
        python, folder, settings["test"], mode=mode, settings=settings["settings"],
        pythonpath=[str(tree)],
    )  # fmt: skip
    told = seen.outcomes | dict.fromkeys(seen.broken, "error")
    # For Django's runner an unexpected success is a failure: it ends with status 1.
    return {name: "failed" if word == "xpassed" else word for name, word in told.items()}


def _outcomes(done: Done, cell: str, mode: str) -> dict[str, str]:
    """What djhop says of each test in one mode: test id → outcome."""
    return {name: test[mode] for name, test in done.tests(cell).items() if test[mode]}


CELLS = ("py3.8-django3.2", "py3.12-django5.2")
#: Every test of `odd` under unittest: id → outcome. pytest says the same, but for `PYTEST`.
TABLE = {
    "test_odd.Subtests.test_pass": "passed",
    "test_odd.Subtests.test_fail": "failed",
    "test_odd.Subtests.test_fail_and_go_on": "failed",
    "test_odd.Subtests.test_skip_one": "skipped",
    "test_odd.Expected.test_fails": "xfailed",
    "test_odd.Expected.test_fails_in_a_subtest": "xfailed",
    "test_odd.Expected.test_passes": "failed",
    "test_odd.Skips.test_decorated": "skipped",
    "test_odd.Skips.test_inside": "skipped",
    "test_odd.Inherited.test_decorated": "skipped",
    "test_odd.Inherited.test_inside": "skipped",
    "test_odd.SkippedClass.test_one": "skipped",
    "test_odd.SkippedClass.test_two": "skipped",
    "test_odd.SkippedInSetUpClass.test_one": "skipped",
    "test_odd.SkippedInSetUpClass.test_two": "skipped",
    "test_odd.BrokenSetUpClass.test_one": "error",
    "test_odd.BrokenSetUpClass.test_two": "error",
    "test_odd.BrokenTestData.test_one": "error",
    "test_odd.BrokenTearDownClass.test_one": "passed",
    "test_odd.BrokenTearDownClass.test_two": "passed",
    # What fails after the last of its tests stands for itself.
    "test_odd.BrokenTearDownClass": "error",
    "test_odd.TearDowns.test_fail": "failed",
    "test_odd.TearDowns.test_pass": "error",
    "test_odd.Cleanups.test_cleanup": "failed",
    "test_odd.Generated.test_0": "passed",
    "test_odd.Generated.test_1": "failed",
    "test_odd.Generated.test_2": "passed",
    "test_odd.Mixed.test_from_a_mixin": "passed",
    "test_odd.Described.test_with_a_docstring": "passed",
    "test_broken_module.One.test_one": "error",
    "test_broken_module.Two.test_two": "error",
    "test_down_module.One.test_one": "passed",
    "test_down_module": "error",
    "test_skipped_module.One.test_one": "skipped",
}
#: What Django's parallel workers cannot be sent: made by load_tests, or standing for a module.
LOADED = {
    "test_loaded.Plain.test_plain": "passed",
    "test_loaded.Made.test_made": "passed",
    "function": "passed",
    "doubled": "passed",
    "doubled.double": "passed",
    "doubled.wrong": "failed",
    "test_unimportable": "error",
    "unittest.loader.ModuleSkipped.test_skipped_import": "skipped",
}
WHOLE = TABLE | LOADED
#: pytest's own words: a teardown of a class or a module is part of its last test, a tearDown of
#: the call; there is no load_tests, and a module that skips itself has no test.
PYTEST = {
    "test_odd.py::BrokenTearDownClass::test_two": "error",
    "test_odd.py::TearDowns::test_pass": "failed",
    "test_down_module.py::One::test_one": "error",
    "doubled.py::doubled": "passed",
    "doubled.py::doubled.double": "passed",
    "doubled.py::doubled.wrong": "failed",
    "test_unimportable.py": "error",
}
MODULES = ("test_odd", "test_broken_module", "test_down_module", "test_skipped_module")
MANAGE = ("manage.py", "test")
RUNNER = "django.test.runner.DiscoverRunner"

#: Name → (test, TEST_RUNNER, the table it is held to).
WAYS: dict[str, tuple[tuple[str, ...], str, Mapping[str, str]]] = {
    "manage": (MANAGE, RUNNER, WHOLE),
    "django-test": (("python", "-m", "django", "test", "--settings=settings"), RUNNER, WHOLE),
    "script": (("python", "runtests.py"), RUNNER, WHOLE),
    "subclass": (MANAGE, "runners.Loud", WHOLE),
    "no-subclass": (MANAGE, "runners.ByItself", WHOLE),
    "unittest": (("python", "-m", "unittest", *MODULES), RUNNER, TABLE),
    "parallel": ((*MANAGE, "--parallel", "2", *MODULES), RUNNER, TABLE),
    "runner-of-pytest": (MANAGE, "runners.ByPytest", {}),
    "pytest": (("pytest",), RUNNER, {}),
    "xdist": (("pytest", "-n", "2"), RUNNER, {}),
}
SLOW = {"runner-of-pytest", "no-subclass"}


def _of_pytest() -> dict[str, str]:
    """The table in pytest's ids and words."""
    found = {}
    for name, outcome in (TABLE | {"test_loaded.Plain.test_plain": "passed"}).items():
        module, *rest = name.split(".")
        if rest[1:]:
            found["::".join([f"{module}.py", *rest])] = outcome
    return found | PYTEST


@pytest.mark.needs_python("3.8", "3.12")
@pytest.mark.parametrize(
    "way", [pytest.param(w, marks=[pytest.mark.slow] if w in SLOW else []) for w in WAYS]
)
def test_every_odd_test_is_one_outcome_in_every_cell(
    way: str, shared: Path, tmp_path: Path
) -> None:
    test, runner, table = WAYS[way]
    done = _run(ODD, _two_cells(test, {"RUNNER": runner}), shared, tmp_path)
    for cell in CELLS:
        expected = dict(table) or _of_pytest()
        assert _outcomes(done, cell, "plain") == expected
        assert _outcomes(done, cell, "strict") == expected
        passes = [(made["mode"], made["died"]) for made in done.cells[cell]["passes"]]
        assert passes == [("strict", ""), ("plain", "")]
    if way in ("manage", "pytest"):
        for cell in CELLS:
            _agree(done, cell, test, tmp_path)
    if way in ("manage", "parallel"):
        subtests = done.tests(CELLS[1])["test_odd.Subtests.test_fail"]["subtests"]
        assert subtests == ["(number=1)", "(number=3)"]


def _two_cells(test: tuple[str, ...], env: Mapping[str, str]) -> dict[str, Any]:
    """A matrix of one of the two cells; `_run` adds the other, which shares nothing with it."""
    return {
        "steps": ["3.2"],
        "python": "3.8",
        "test": list(test),
        "packages": ["pytest-xdist", "tblib"],
        "set-env": {**env, "DJANGO_SETTINGS_MODULE": "settings"},
    }


def _agree(done: Done, cell: str, test: tuple[str, ...], room: Path) -> None:
    """Every test that plain tools name has the outcome they name, and what breaks is an error."""
    seen = oracle.run(done.python(cell), oracle.copy(ODD, room / "workspace"), test)
    told = {name: "failed" if word == "xpassed" else word for name, word in seen.outcomes.items()}
    found = _outcomes(done, cell, "plain")
    assert {name: found.get(name) for name in told} == told
    assert len(told) >= 28
    for name in seen.broken:
        below = [word for test, word in found.items() if f"{test}.".startswith(f"{name}.")]
        assert "error" in below, name


WARNING_SETTINGS = """\
import warnings

warnings.warn("old settings", DeprecationWarning)
SECRET_KEY = "not a secret"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
"""
WARNING_TESTS = """\
import unittest
import warnings


class T(unittest.TestCase):
    def test_pass(self):
        pass

    def test_warn(self):
        warnings.warn("old thing", DeprecationWarning)
"""


def _small(room: Path, **files: str) -> Path:
    """A small target: Django and what is given."""
    target = room / "small"
    target.mkdir()
    (target / "requirements.txt").write_text("Django>=3.2\n")
    (target / "manage.py").write_text((ODD / "manage.py").read_text())
    for name, text in files.items():
        (target / f"{name}.py").write_text(text)
    return target


@pytest.mark.needs_python("3.12")
@pytest.mark.parametrize("option", [(), ("--strict", "literal")], ids=["suite", "literal"])
def test_literal_is_what_python_w_does(
    option: tuple[str, ...], shared: Path, tmp_path: Path
) -> None:
    target = _small(tmp_path, settings=WARNING_SETTINGS, test_it=WARNING_TESTS)
    matrix = {"steps": ["5.2"], "python": "3.12", "test": ["manage.py", "test"]}
    done = _run(target, matrix, shared, tmp_path, *option)
    cell = done.cells["py3.12-django5.2"]
    expected = {"test_it.T.test_pass": "passed", "test_it.T.test_warn": "error"}
    assert _outcomes(done, cell["id"], "strict") == expected
    passes = [(made["mode"], made["died"]) for made in cell["passes"]]
    noted = any("strict is literal" in note for note in cell["notes"])
    settings = [d for d in cell["deprecations"] if d["message"] == "old settings"]
    assert [d["owner"]["kind"] for d in settings] == ["project"]
    plain_tools = oracle.run(
        done.python(cell["id"]), oracle.copy(target, tmp_path / "w"), matrix["test"], mode="strict"
    )
    assert plain_tools.outcomes == {}
    if option:
        assert passes == [("strict", "import"), ("plain", ""), ("scoped", "")]
        assert noted
    else:
        assert passes == [("strict", ""), ("plain", "")]
        assert not noted


@pytest.mark.needs_python("3.12")
def test_any_command_is_known_by_the_xml_it_writes(shared: Path, tmp_path: Path) -> None:
    target = _small(tmp_path, test_it=WARNING_TESTS)
    (target / "Makefile").write_text(
        "test:\n\tpython -m xmlrunner discover -o out\nquiet:\n\tpython -m unittest discover\n"
    )
    (target / "out").mkdir()
    stale = '<testsuite><testcase classname="a" name="stale"/></testsuite>'
    (target / "out" / "stale.xml").write_text(stale)
    matrix = {
        "steps": ["5.2"],
        "python": "3.12",
        "test": ["make", "test"],
        "junit": "out/*.xml",
        "packages": ["unittest-xml-reporting"],
    }
    done = _run(target, matrix, shared, tmp_path)
    cell = done.cells["py3.12-django5.2"]
    tests = {name: (test["strict"], test["plain"]) for name, test in done.tests(cell["id"]).items()}
    assert tests == {
        "test_it.T.test_pass": (None, "passed"),
        "test_it.T.test_warn": ("error", "passed"),
    }
    assert (cell["status"], done.returncode) == ("deprecated", 0)
    done = _run(target, {**matrix, "test": ["make", "quiet"]}, shared, tmp_path)
    assert done.cells["py3.12-django5.2"]["status"] == "no-tests"
    assert done.returncode != 0


CRASH = """\
import os
import signal
import unittest


class T(unittest.TestCase):
    def test_a(self):
        pass

    def test_b(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def test_c(self):
        pass
"""


@pytest.mark.needs_python("3.12")
def test_a_worker_that_is_killed_is_a_crash_in_its_test(shared: Path, tmp_path: Path) -> None:
    target = _small(tmp_path, test_it=CRASH)
    matrix = {
        "steps": ["5.2"],
        "python": "3.12",
        "test": ["pytest", "-n", "2"],
        "packages": ["pytest-xdist"],
    }
    done = _run(target, matrix, shared, tmp_path)
    cell = done.cells["py3.12-django5.2"]
    assert _outcomes(done, cell["id"], "plain") == {
        "test_it.py::T::test_a": "passed",
        "test_it.py::T::test_b": "crashed",
        "test_it.py::T::test_c": "passed",
    }
    assert cell["status"] == "crashed"
    assert cell["reason"] == "the process died in test_it.py::T::test_b"
