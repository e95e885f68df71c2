"""Projects as they are found, and what djhop makes of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from djhop import releases
from djhop.errors import UsageError
from djhop.matrix.config import Matrix
from djhop.target import current, target
from djhop.target.target import Target

Files = dict[str, str]

MANAGE = """\
#!/usr/bin/env python
import os, sys
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
TESTS = {"app/tests.py": "", "app/test_views.py": ""}
DJANGO = {"requirements.txt": "Django==4.2.11\n"}


def look(root: Path, files: Files, **matrix: Any) -> Target:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return target.look(root, Matrix(**matrix))


@pytest.mark.parametrize(
    ("files", "series", "source"),
    [
        (DJANGO, "4.2", "requirements.txt:1 pins Django==4.2.11"),
        ({"requirements.txt": "django===3.2\n"}, "3.2", "requirements.txt:1 pins django===3.2"),
        ({"requirements.txt": "Django==4.2.*\n"}, "4.2", "requirements.txt:1 pins Django==4.2.*"),
        ({"requirements.txt": "Django~=4.2.3\n"}, "4.2", "requirements.txt:1 pins Django~=4.2.3"),
        (
            {"requirements.txt": "Django==2028.1\n"},
            "2028",
            "requirements.txt:1 pins Django==2028.1",
        ),
        (
            {"requirements.txt": "Django[argon2]<5\n"},
            "4.2",
            "the highest series that Django[argon2]<5 allows",
        ),
        (
            {"requirements.txt": "Django~=3.1\n"},
            "3.2",
            "the highest series that Django~=3.1 allows",
        ),
        ({"requirements.txt": "Django>=3.2,<4.2.5\n"}, "4.2", "<4.2.5 allows"),
        ({"requirements.txt": "Django>=3.2,<=4.0\n"}, "4.0", "<=4.0 allows"),
        (
            {"requirements.txt": "Django>=3.2,<5\nx\n", "requirements-dev.txt": "Django<4\n"},
            "3.2",
            "requirements-dev.txt:1",
        ),
        (
            {"requirements.txt": "Django\n-c c.txt\n", "c.txt": "django==3.2.1\n"},
            "3.2",
            "c.txt:1 pins",
        ),
        (
            {"requirements.txt": "x\n", "requirements-prod.txt": "Django==4.1\n"},
            "4.1",
            "requirements-prod.txt:1 pins",
        ),
        (
            {
                "pyproject.toml": "[project]\nname='m'\ndependencies=['django>=4,<6']\n",
                "uv.lock": "[[package]]\nname='django'\nversion='5.1.2'\n",
            },
            "5.1",
            "uv.lock has Django 5.1.2",
        ),
        (
            {
                "pyproject.toml": "[tool.poetry.dependencies]\ndjango='^4'\n",
                "poetry.lock": "[[package]]\nname='Django'\nversion='4.0.1'\n",
            },
            "4.0",
            "poetry.lock has Django 4.0.1",
        ),
        (
            {
                "Pipfile": "[packages]\ndjango='*'\n",
                "Pipfile.lock": '{"default": {"django": {"version": "==3.1.2"}}}',
            },
            "3.1",
            "Pipfile.lock has Django 3.1.2",
        ),
        (
            {
                "setup.py": "setup(classifiers=['Framework :: Django', "
                "'Framework :: Django :: 3.2',"
                "'Framework :: Django :: 4.0'], install_requires=['Django>=2'])"
            },
            "4.0",
            "setup.py: the highest series in its classifiers",
        ),
        (
            {
                "setup.cfg": "[metadata]\nclassifiers =\n  Framework :: Django :: 3.2\n"
                "  Framework :: Django :: 4.2\n"
            },
            "4.2",
            "setup.cfg: the highest series in its classifiers",
        ),
        (
            {
                "tox.ini": "[tox]\nenvlist = py{38,39}-django{22,32}, py310-dj41\n",
                "requirements.txt": "django\n",
            },
            "4.1",
            "tox.ini: the highest series in its envlist",
        ),
        (
            {
                "tox.ini": "[tox]\nenvlist = py39-django4.2,py39-django111\n",
                "requirements.txt": "django\n",
            },
            "4.2",
            "tox.ini: the highest series in its envlist",
        ),
        (
            {
                "requirements.txt": "django\n",
                "site/settings.py": "# by 'django-admin startproject' using Django 3.0.1.\n",
            },
            "3.0",
            "site/settings.py: the Django the project was started with",
        ),
        ({"requirements.txt": "django>=2\n"}, "", ""),
        ({"manage.py": MANAGE}, "", ""),
    ],
)
def test_current_django(tmp_path: Path, files: Files, series: str, source: str) -> None:
    found = look(tmp_path, files)
    assert found.django == series
    assert source in found.django_source


def test_a_cap_beyond_every_release_says_little(tmp_path: Path) -> None:
    newest = releases.load().newest().version
    found = look(
        tmp_path,
        {
            "setup.py": "setup(install_requires=['Django>=4.2,<9000'],"
            "classifiers=['Framework :: Django :: 4.2'])"
        },
    )
    assert found.django == "4.2"
    (tmp_path / "setup.py").write_text("setup(install_requires=['Django>=4.2,<9000'])")
    assert look(tmp_path, {}).django == newest


@pytest.mark.parametrize(
    ("files", "matrix", "kind", "argv", "expected"),
    [
        pytest.param(
            {"manage.py": MANAGE},
            {},
            "django",
            ["manage.py", "test"],
            {"settings": "site.settings", "source": "manage.py"},
            id="manage.py",
        ),
        pytest.param(
            {"backend/manage.py": MANAGE},
            {},
            "django",
            ["manage.py", "test"],
            {"working_directory": "backend", "source": "backend/manage.py"},
            id="nested",
        ),
        pytest.param(
            {"example/manage.py": MANAGE, "src/manage.py": MANAGE},
            {},
            "django",
            ["manage.py", "test"],
            {"working_directory": "src"},
            id="not-the-example",
        ),
        pytest.param(
            {"manage.py": MANAGE, "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = a.b\n"},
            {},
            "pytest",
            [],
            {"settings": "a.b", "source": "pytest.ini", "pytest_django": True},
            id="pytest.ini",
        ),
        pytest.param(
            {"setup.cfg": "[tool:pytest]\naddopts = --ds=a.b --cov -n 4\n"},
            {},
            "pytest",
            [],
            {"settings": "a.b", "pytest_django": True, "plugins": ("pytest-cov", "pytest-xdist")},
            id="setup.cfg",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.pytest.ini_options]\naddopts=['--reuse-db']\n"},
            {},
            "pytest",
            [],
            {"settings": "", "pytest_django": True},
            id="pyproject",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.pytest]\nDJANGO_SETTINGS_MODULE='a.b'\n"},
            {},
            "pytest",
            [],
            {"settings": "a.b"},
            id="pytest-9",
        ),
        pytest.param(
            {"tox.ini": "[pytest]\nasyncio_mode = auto\n"},
            {},
            "pytest",
            [],
            {"pytest_django": False, "plugins": ("pytest-asyncio",)},
            id="tox.ini-section",
        ),
        pytest.param(
            {"backend/manage.py": MANAGE, "backend/pytest.ini": "[pytest]\n"},
            {},
            "pytest",
            [],
            {"working_directory": "backend"},
            id="nested-pytest",
        ),
        pytest.param(
            {"requirements-test.txt": "pytest-django\n", "manage.py": MANAGE},
            {},
            "pytest",
            [],
            {"settings": "site.settings", "pytest_django": True, "source": "the requirements"},
            id="pytest-django-required",
        ),
        pytest.param(
            {"requirements-test.txt": "pytest\n", "manage.py": MANAGE},
            {},
            "django",
            ["manage.py", "test"],
            {},
            id="pytest-required-but-no-sign-of-use",
        ),
        pytest.param(
            {"requirements-test.txt": "pytest\n", "app/conftest.py": "import os"},
            {},
            "pytest",
            [],
            {"settings": "", "pytest_django": False},
            id="conftest",
        ),
        pytest.param(
            {
                "conftest.py": "settings.configure()",
                "manage.py": MANAGE,
                "requirements-test.txt": "pytest-django\n",
            },
            {},
            "pytest",
            [],
            {"settings": "", "pytest_django": True},
            id="settings-in-conftest",
        ),
        pytest.param(
            {
                "pytest.ini": "[pytest]\n",
                "app/test_views.py": "@pytest.mark.django_db\ndef test(): 1\n",
            },
            {},
            "pytest",
            [],
            {"pytest_django": True},
            id="marks",
        ),
        pytest.param(
            {"pytest.ini": "[pytest]\n", "app/test_views.py": "def test_it(db, rf): 1\n"},
            {},
            "pytest",
            [],
            {"pytest_django": True},
            id="fixtures",
        ),
        pytest.param(
            {
                "pytest.ini": "[pytest]\naddopts=-p no:django\n",
                "requirements-test.txt": "pytest-django\n",
            },
            {},
            "pytest",
            [],
            {"pytest_django": False},
            id="no-django",
        ),
        pytest.param(
            {"runtests.py": "from django.test.utils import get_runner\n"},
            {},
            "django",
            ["runtests.py"],
            {"source": "runtests.py"},
            id="runtests",
        ),
        pytest.param(
            {"runtests.py": "import pytest\nsys.exit(pytest.main())\n"},
            {},
            "pytest",
            [],
            {"source": "runtests.py"},
            id="runtests-is-pytest",
        ),
        pytest.param(
            {"tests/settings.py": "", "tests/test_a.py": ""},
            {},
            "django",
            ["-m", "django", "test", "--settings=tests.settings"],
            {"settings": "tests.settings"},
            id="settings-of-tests",
        ),
        pytest.param(
            {
                "tox.ini": "[testenv]\nsetenv =\n  DJANGO_SETTINGS_MODULE = tests.s\n  A = b\n"
                "  PYTHONPATH = {toxinidir}/lib\n  B = {env:C}\n"
                "commands =\n  flake8\n  coverage run -m django test {posargs:tests}\n"
                "  coverage report\n",
                "tests/s.py": "",
                "lib/x.py": "",
            },
            {},
            "django",
            ["-m", "django", "test", "tests"],
            {
                "settings": "tests.s",
                "source": "tox.ini",
                "environment": (("DJANGO_SETTINGS_MODULE", "tests.s"), ("A", "b")),
            },
            id="tox",
        ),
        pytest.param(
            {
                "tox.ini": "[testenv]\nchangedir = tests\ncommands = python manage.py test\n",
                "tests/manage.py": MANAGE,
            },
            {},
            "django",
            ["manage.py", "test"],
            {"working_directory": "tests", "source": "tox.ini"},
            id="changedir",
        ),
        pytest.param(
            {"tox.ini": "[base]\ncmd = pytest app gone --cov\n[testenv]\ncommands = {[base]cmd}\n"},
            {},
            "pytest",
            ["app"],
            {"source": "tox.ini"},
            id="tox-reference",
        ),
        pytest.param(
            {
                "app/t.py": "",
                "tox.ini": "[odd]\ncmd =\n  pytest odd\n  pytest app -k odd\n"
                "[testenv]\ncommands =\n  django42: {[odd]cmd}\n  pytest app\n",
            },
            {},
            "pytest",
            ["app"],
            {"source": "tox.ini"},
            id="tox-conditional-reference",
        ),
        pytest.param(
            {
                "tox.ini": "[testenv]\ncommands = python -m django test --settings=gone.settings\n",
                "manage.py": MANAGE,
            },
            {},
            "django",
            ["manage.py", "test"],
            {"source": "manage.py"},
            id="tox-names-what-is-gone",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.tox.env_run_base]\ncommands=[['pytest', 'app']]\n"},
            {},
            "pytest",
            ["app"],
            {"source": "pyproject.toml"},
            id="tox-toml",
        ),
        pytest.param(
            {
                "Makefile": "test:\n\tcd backend && python manage.py test\n",
                "backend/manage.py": MANAGE,
            },
            {},
            "django",
            ["manage.py", "test"],
            {"working_directory": "backend", "source": "Makefile"},
            id="makefile",
        ),
        pytest.param(
            {
                ".github/workflows/ci.yml": "steps:\n  - run: python manage.py test app\n",
                "manage.py": MANAGE,
            },
            {},
            "django",
            ["manage.py", "test", "app"],
            {"source": ".github/workflows/ci.yml"},
            id="workflow",
        ),
        pytest.param(
            {"manage.py": MANAGE},
            {"test": ("pytest", "app", "-x")},
            "pytest",
            ["app", "-x"],
            {"source": "matrix"},
            id="matrix-pytest",
        ),
        pytest.param(
            {"manage.py": MANAGE},
            {"test": ("python", "manage.py", "test", "--parallel", "2", "-v3")},
            "django",
            ["manage.py", "test", "--parallel", "2", "-v3"],
            {"source": "matrix"},
            id="matrix-is-taken-as-it-is",
        ),
        pytest.param(
            {"run_suite.py": "import unittest\nunittest.TextTestRunner().run(x)\n"},
            {"test": ("python", "run_suite.py")},
            "django",
            ["run_suite.py"],
            {"source": "matrix"},
            id="script-of-unittest",
        ),
        pytest.param(
            {"manage.py": MANAGE, "tox.ini": "[testenv]\nsetenv =\n    A = 1\n"},
            {"test": ("make", "test", "-j2"), "junit": "out/**/*.xml", "working_directory": "sub"},
            "command",
            ["make", "test", "-j2"],
            {
                "junit": "out/**/*.xml",
                "environment": (("A", "1"),),
                "working_directory": "sub",
                "pytest_django": False,
            },
            id="any-command",
        ),
        pytest.param(
            {},
            {
                "test": ("python", "-m", "django", "test"),
                "settings": "x.y",
                "working_directory": "app",
            },
            "django",
            ["-m", "django", "test"],
            {"settings": "x.y", "working_directory": "app"},
            id="matrix-django",
        ),
        pytest.param(
            {"tests/settings.py": "", "tests/test_a.py": ""},
            {"settings": "x.y"},
            "django",
            ["-m", "django", "test", "--settings=x.y"],
            {"settings": "x.y"},
            id="matrix-settings",
        ),
    ],
)
def test_suite(
    tmp_path: Path,
    files: Files,
    matrix: dict[str, Any],
    kind: str,
    argv: list[str],
    expected: dict[str, Any],
) -> None:
    suite = look(tmp_path, DJANGO | TESTS | files, **matrix).suite
    assert suite is not None
    assert (suite.kind, list(suite.argv)) == (kind, argv)
    assert {name: getattr(suite, name) for name in expected} == expected


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pytest.ini": "[pytest]\n", "app/models.py": ""},
        {"manage.py": MANAGE, "tests/settings.py": "", "tests/test_settings.py": ""},
        {"manage.py": "print('of some other program')"},
        {"tox.ini": "[testenv]\ncommands = flake8\n"},
        {"runtests.py": "print('nothing')"},
    ],
)
def test_no_suite(tmp_path: Path, files: Files) -> None:
    assert look(tmp_path, DJANGO | files).suite is None


def test_where_no_test_is_wanted_none_need_be_there(tmp_path: Path) -> None:
    files = DJANGO | {"back/manage.py": MANAGE, "back/x/settings.py": ""}
    assert look(tmp_path / "a", files).suite is None
    suite = look(tmp_path / "b", files, only=("checks",)).suite
    assert suite is not None
    assert (suite.argv, suite.working_directory) == (("manage.py", "test"), "back")
    # Nothing but the matrix says how Django is entered.
    suite = look(tmp_path / "c", DJANGO, only=("checks",), settings="x.y").suite
    assert suite is not None
    assert (suite.settings, suite.source) == ("x.y", "matrix")


def test_a_script_that_sets_several_settings_keeps_its_choice(tmp_path: Path) -> None:
    manage = MANAGE + "    os.environ['DJANGO_SETTINGS_MODULE'] = 'other'\n"
    suite = look(tmp_path, DJANGO | TESTS | {"manage.py": manage}).suite
    assert suite is not None
    assert suite.settings == ""


def test_a_path_that_no_report_can_name(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"caf\xe9")
    root.mkdir()
    with pytest.raises(UsageError, match="is not UTF-8") as caught:
        target.look(root, Matrix())
    assert "rename" in caught.value.hint


def test_a_matrix_that_runs_no_suite(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^test: \['flake8'\] is not a suite") as caught:
        look(tmp_path, DJANGO, test=("flake8",))
    assert "pytest" in caught.value.hint
    assert 'junit = "reports/*.xml"' in caught.value.hint


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ({"junit": "a.xml"}, "junit: 'a.xml' is given, and no `test` that writes it"),
        ({"junit": "/a.xml", "test": ("make",)}, "junit: '/a.xml' leads out of the project"),
        ({"junit": "a/../../b.xml", "test": ("make",)}, "junit: 'a/../../b.xml' leads out"),
        ({"junit": "a/**.xml", "test": ("make",)}, "junit: 'a/**.xml' is no glob of files"),
    ],
)
def test_files_of_a_command_that_cannot_be_its(
    tmp_path: Path, matrix: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        look(tmp_path, DJANGO, **matrix)
    assert str(caught.value).startswith(said)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("files", "pythons", "requires"),
    [
        ({".python-version": "3.11.4\n3.10\n"}, ("3.11", "3.10"), ""),
        ({"runtime.txt": "python-3.9.7\n"}, ("3.9",), ""),
        ({".tool-versions": "nodejs 20.1\npython 3.8.18 3.9.1\n"}, ("3.8", "3.9"), ""),
        (
            {"Pipfile": "[packages]\ndjango='*'\n[requires]\npython_version = \"3.7\"\n"},
            ("3.7",),
            "",
        ),
        ({"Dockerfile": "ARG X\nFROM docker.io/library/python:3.12-slim AS base\n"}, ("3.12",), ""),
        ({"compose/local/django/Dockerfile": "from python:3.10\n"}, ("3.10",), ""),
        (
            {
                "setup.py": "setup(python_requires='>=3.8', classifiers=["
                "'Programming Language :: Python :: 3', 'Programming Language :: Python :: 3.7',"
                "'Programming Language :: Python :: 3.9', "
                "'Programming Language :: Python :: 3.10'])"
            },
            ("3.10", "3.9"),
            ">=3.8",
        ),
        ({".python-version": "3.9\n", "Dockerfile": "FROM python:3.12\n"}, ("3.9", "3.12"), ""),
        ({".python-version": "my-venv\npypy3.9\n"}, (), ""),
        ({"pyproject.toml": "[tool.poetry.dependencies]\npython='^3.8'\n"}, (), ">=3.8,<4"),
        ({"setup.cfg": "[options]\npython_requires = >=3.6\n"}, (), ">=3.6"),
    ],
)
def test_pythons(tmp_path: Path, files: Files, pythons: tuple[str, ...], requires: str) -> None:
    found = look(tmp_path, DJANGO | files)
    assert (found.pythons, found.requires_python) == (pythons, requires)


@pytest.mark.parametrize(
    ("files", "roots", "packaged"),
    [
        ({}, (".",), False),
        ({"setup.py": "setup(package_dir={'': 'lib'})"}, ("lib", "."), True),
        ({"setup.cfg": "[options]\npackage_dir =\n  =src\n", "setup.py": ""}, ("src", "."), True),
        ({"src/app/__init__.py": "", "pyproject.toml": "[build-system]\n"}, ("src", "."), True),
        ({"src/__init__.py": ""}, (".",), False),
        (
            {"requirements.txt": "Django\n-e .\n", "pyproject.toml": "[project]\nname='m'\n"},
            (".",),
            True,
        ),
        (
            {"requirements.txt": "Django\n-e ./lib\n", "lib/setup.py": "setup()"},
            ("lib", "."),
            False,
        ),
        ({"pyproject.toml": "[build-system]\n[tool.poetry]\npackage-mode=false\n"}, (".",), False),
    ],
)
def test_import_roots(tmp_path: Path, files: Files, roots: tuple[str, ...], packaged: bool) -> None:
    found = look(tmp_path, DJANGO | files)
    assert (found.import_roots, found.packaged) == (roots, packaged)


def test_name_requirement_and_notes(tmp_path: Path) -> None:
    files = {"setup.py": "setup(name='mine', install_requires=['django>=3.2,<4', 'six'])"}
    found = look(tmp_path, DJANGO | TESTS | {"manage.py": MANAGE} | files)
    assert found.name == "mine"
    assert found.root == str(tmp_path)
    assert found.django_requirement == "django>=3.2,<4"
    assert found.django_requirement_place == "setup.py install_requires"
    assert found.requirements == ("django>=3.2,<4", "six", "Django==4.2.11")
    assert "suite: python manage.py test, from manage.py." in found.notes
    assert "settings: site.settings." in found.notes


def test_a_setup_py_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    found = look(tmp_path, DJANGO | {"setup.py": "print 'x'\nsetup()"})
    assert found.packaged
    assert any(note.startswith("setup.py is not read: it is not Python 3") for note in found.notes)


def test_nothing_of_the_target_is_run(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    names = (
        "setup.py",
        "manage.py",
        "runtests.py",
        "conftest.py",
        "tests/settings.py",
        "noxfile.py",
    )
    look(tmp_path, DJANGO | TESTS | dict.fromkeys(names, trap + MANAGE))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "files", [{}, {"app.py": "import flask\n"}, {"requirements.txt": "flask\n"}]
)
def test_no_sign_of_django(tmp_path: Path, files: Files) -> None:
    with pytest.raises(UsageError, match="no sign of Django"):
        look(tmp_path, files)


@pytest.mark.parametrize(
    "files",
    [
        {"app.py": "from django.db import models\n"},
        {"requirements.txt": "djangorestframework\n"},
        {"setup.py": "setup(classifiers=['Framework :: Django'])"},
    ],
)
def test_a_sign_of_django(tmp_path: Path, files: Files) -> None:
    assert look(tmp_path, files).django == ""


def test_not_a_directory(tmp_path: Path) -> None:
    for name in ("gone", "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="is not a directory"):
            target.look(tmp_path / name, Matrix())


def test_what_is_not_the_targets_own_is_not_looked_at(tmp_path: Path) -> None:
    files = {
        "venv/pyvenv.cfg": "",
        "venv/lib/django/tests.py": "import django",
        "node_modules/x/manage.py": MANAGE,
        ".tox/x/test_x.py": "import django",
    }
    with pytest.raises(UsageError, match="no sign of Django"):
        look(tmp_path, files)


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("py{36,37}-django{22,30}", "3.0"),
        ("django111", "1.11"),
        ("dj20", "2.0"),
        ("django50", "5.0"),
        ("django2028", "2028"),
        ("djangomain", ""),
        ("py39-dj42", "4.2"),
        ("{py38}-django-4.1", "4.1"),
        ("", ""),
    ],
)
def test_envlists(text: str, series: str) -> None:
    assert current.in_envlist(text) == series


NAMES = (
    "requirements.txt",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "tox.ini",
    "pytest.ini",
    "Pipfile",
    "Pipfile.lock",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "noxfile.py",
    "requirements.in",
    ".python-version",
    "Dockerfile",
    "Makefile",
    "manage.py",
    "tox.toml",
)
PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "[project]",
            "dependencies=['Django==4.2']",
            "dependencies = 3",
            "[tool.tox]",
            "env_list = 3",
            "[testenv]",
            "deps =\n  x\n",
            "commands = pytest {posargs:",
            "[tool:pytest]",
            "[options]",
            "[tool]\npytest=3",
            "addopts = '",
            "setup(install_requires=['x', 3, None])",
            "Django==4.2",
            "setup(extras_require={3: 4}, package_dir=3, name=3, classifiers=3)",
            "[[package]]",
            "[[package]]\nname = 'a'\nversion = 3\nsource = 3\nmarkers = 3",
            "[metadata]\nlock-version = 3",
            "lock-version = '1.0'\ncreated-by = 'x'\npackages = 3",
            "# autogenerated by\n#  pip-compile requirements.in",
            "# via a",
            "@session\ndef test(s):\n    s.install(*3, '-r')",
            "[tool.uv]\nsources=3",
            "[metadata]\nclassifiers = Framework :: Django :: 4.2",
            '{"default": {"django": 3}}',
            '{"default": []}',
            "[tool.poetry.dependencies]\npython = [3]",
            "[tool.pytest.ini_options]\naddopts = 3",
            "envlist = dj9999999",
            "test:\n\tpython manage.py test",
            "[tool.setuptools]\npackages = 3",
            "[tool.poetry]\nextras = 3",
        ]
    ),
)


@settings(max_examples=250, deadline=None)
@given(
    files=st.dictionaries(
        st.sampled_from(NAMES), st.lists(PIECES, max_size=4).map("\n".join), max_size=4
    )
)
@example(files={"requirements.txt": "", "tox.toml": "env_list = 0"})
def test_any_project_gives_a_target_or_a_usage_error(
    files: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("any")
    for name, text in files.items():
        (root / name).write_bytes(text.encode("utf-8", errors="surrogatepass"))
    (root / "app.py").write_text("import django\n")
    try:
        found = target.look(root, Matrix())
    except UsageError as error:
        assert str(error).startswith(NAMES)
    else:
        assert isinstance(found, Target)
