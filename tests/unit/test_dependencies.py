"""Where a target's requirements are read, and which of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from djhop.errors import UsageError
from djhop.matrix.config import Matrix
from djhop.target import collecting, dependencies, requirement_choice, toxfile
from djhop.target.collecting import Dependencies

Files = dict[str, str]
SETUP = "from setuptools import setup\nsetup(name='mine', install_requires=['Django>=3.2'], "


def write(root: Path, files: Files) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def find(root: Path, files: Files, matrix: Matrix | None = None) -> Dependencies:
    write(root, files)
    project = collecting.read_metadata(root)
    return dependencies.find(root, matrix or Matrix(), project, toxfile.read(root), beside=["back"])


def places(found: Dependencies) -> list[tuple[str, str]]:
    return [(item.text, item.place) for item in found.stated]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"requirements.txt": "Django==4.2\n"}, [("Django==4.2", "requirements.txt:1")], id="one"
        ),
        pytest.param(
            {
                "requirements.txt": "-r requirements/production.txt\n",
                "requirements/base.txt": "Django==4.2\n",
                "requirements/local.txt": "-r base.txt\npytest\n",
                "requirements/production.txt": "-r base.txt\ngunicorn\n",
            },
            [("Django==4.2", "requirements/base.txt:1"), ("pytest", "requirements/local.txt:2")],
            id="cookiecutter-on-heroku",
        ),
        pytest.param(
            {
                "requirements.in": "Django\n",
                "requirements.txt": "django==4.2.1\n",
                "dev.txt": "x\n",
            },
            [("django==4.2.1", "requirements.txt:1")],
            id="compiled",
        ),
        pytest.param(
            {"requirements.in": "Django\n"}, [("Django", "requirements.in:1")], id="only-in"
        ),
        pytest.param(
            {
                "requirements.txt": "a\n",
                "requirements-dev.txt": "b\n",
                "test-requirements.txt": "c\n",
                "requirements_docs.txt": "d\n",
                "requirements-prod.txt": "e\n",
            },
            [("a", "requirements.txt:1"), ("c", "test-requirements.txt:1")],
            id="tests-before-dev",
        ),
        pytest.param(
            {"requirements/production.txt": "a\n"},
            [("a", "requirements/production.txt:1")],
            id="production-alone",
        ),
        pytest.param(
            {"tests/requirements.txt": "a\n"}, [("a", "tests/requirements.txt:1")], id="in-tests"
        ),
        pytest.param(
            {"back/requirements.txt": "a\n", "back/requirements/test.txt": "b\n"},
            [("a", "back/requirements.txt:1"), ("b", "back/requirements/test.txt:1")],
            id="beside-manage.py",
        ),
        pytest.param(
            {
                "setup.py": SETUP
                + "extras_require={'test': ['x'], 'docs': ['y']}, tests_require=['z'])"
            },
            [
                ("Django>=3.2", "setup.py install_requires"),
                ("x", "setup.py extra test"),
                ("z", "setup.py tests_require"),
            ],
            id="setup.py",
        ),
        pytest.param(
            {
                "setup.py": "import x\nsetup(install_requires=x.read('requirements.txt'))",
                "requirements.txt": "a\n",
            },
            [("a", "requirements.txt:1"), ("a", "requirements.txt:1")],
            id="setup.py-reads-requirements",
        ),
        pytest.param(
            {
                "setup.cfg": "[metadata]\nname = mine\n[options]\ninstall_requires =\n"
                "  Django>=3.2\n"
                "  # not this\n  six; python_version < '3'\n[options.extras_require]\n"
                "test = pytest\n",
            },
            [
                ("Django>=3.2", "setup.cfg install_requires"),
                ("six; python_version < '3'", "setup.cfg install_requires"),
                ("pytest", "setup.cfg extra test"),
            ],
            id="setup.cfg",
        ),
        pytest.param(
            {"setup.cfg": "[options]\ninstall_requires = file: base.in\n", "base.in": "Django\n"},
            [("Django", "base.in:1")],
            id="setup.cfg-file",
        ),
        pytest.param(
            {
                "pyproject.toml": "[project]\nname='mine'\ndependencies=['Django>=4.2']\n"
                "[project.optional-dependencies]\nall=['mine[test]']\ntest=['pytest', "
                "'mine[sql]']\n"
                "sql=['psycopg']\n",
            },
            [
                ("Django>=4.2", "pyproject.toml [project] dependencies"),
                ("pytest", "pyproject.toml extra test"),
                ("psycopg", "pyproject.toml extra sql"),
            ],
            id="extras-that-name-extras",
        ),
        pytest.param(
            {
                "pyproject.toml": "[project]\nname='mine'\ndependencies=['Django']\n"
                "[dependency-groups]\nTests=['pytest', {include-group='more'}]\n"
                "more=['x>1']\ndev=['y']\n",
            },
            [
                ("Django", "pyproject.toml [project] dependencies"),
                ("pytest", "pyproject.toml group tests"),
                ("x>1", "pyproject.toml group tests"),
            ],
            id="dependency-groups",
        ),
        pytest.param(
            {
                "pyproject.toml": "[tool.poetry.dependencies]\npython='^3.8'\ndjango='^4.2'\n"
                "pg={version='*', optional=true}\n[tool.poetry.extras]\ntest=['pg']\n"
                "[tool.poetry.group.dev.dependencies]\npytest='*'\n",
            },
            [
                ("django>=4.2,<5", "pyproject.toml [tool.poetry.dependencies]"),
                ("pytest", "pyproject.toml [tool.poetry.group.dev]"),
                ("pg", "pyproject.toml extra test"),
            ],
            id="poetry",
        ),
        pytest.param(
            {
                "pyproject.toml": "[tool.poetry.dependencies]\ndjango='4.2'\n"
                "[tool.poetry.dev-dependencies]\npytest='*'\n"
            },
            [
                ("django==4.2", "pyproject.toml [tool.poetry.dependencies]"),
                ("pytest", "pyproject.toml [tool.poetry.group.dev]"),
            ],
            id="old-poetry",
        ),
        pytest.param(
            {"Pipfile": "[packages]\ndjango='==4.2'\n[dev-packages]\npytest='*'\n"},
            [("django==4.2", "Pipfile [packages]"), ("pytest", "Pipfile [dev-packages]")],
            id="pipenv",
        ),
        pytest.param(
            {
                "pyproject.toml": "[project]\ndynamic=['dependencies']\n[tool.setuptools.dynamic]\n"
                "dependencies={file=['base.txt']}\n",
                "base.txt": "Django\n",
            },
            [("Django", "base.txt:1")],
            id="setuptools-dynamic",
        ),
        pytest.param(
            {
                "pyproject.toml": "[project]\nname='m'\n[tool.pdm.dev-dependencies]\n"
                "test=['pytest']\n"
            },
            [("pytest", "pyproject.toml [tool.pdm.dev-dependencies] test")],
            id="pdm",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.uv]\ndev-dependencies=['pytest']\n"},
            [("pytest", "pyproject.toml [tool.uv] dev-dependencies")],
            id="old-uv",
        ),
        pytest.param(
            {
                "tox.ini": "[testenv]\ndeps =\n  pytest\n  coverage\n"
                "  django42: Django>=4.2,<5\n  a>=2<3\n"
            },
            [("pytest", "tox.ini deps")],
            id="tox-last",
        ),
        pytest.param(
            {"requirements-test.txt": "a\n", "tox.ini": "[testenv]\ndeps =\n  pytest\n"},
            [("a", "requirements-test.txt:1")],
            id="tox-not-needed",
        ),
        pytest.param(
            {
                "requirements-ci.txt": "a\n",
                "requirements-test.txt": "b\n",
                "tox.ini": "[testenv]\ndeps =\n  -r{toxinidir}/requirements-ci.txt\n  c\n",
            },
            [("a", "requirements-ci.txt:1"), ("c", "tox.ini deps")],
            id="tox-names-the-file",
        ),
        pytest.param(
            {
                "tox.ini": "[main]\ndeps =\n  https://x.test/django.tar.gz\n  rest @ https://x.test/r\n"
                "[base]\ndeps =\n  pytest\n  django42: old\n"
                "[testenv]\ndeps =\n  {[base]deps}\n  !latest: rest\n  !django42: new\n"
                "  latest: {[main]deps}\n"
            },
            [("pytest", "tox.ini deps"), ("rest", "tox.ini deps")],
            id="tox-conditional-reference",
        ),
        pytest.param(
            {
                "setup.py": SETUP + "extras_require={'testing': ['x'], 'all': ['y']})",
                "tox.ini": "[testenv]\nextras = all\n",
            },
            [("Django>=3.2", "setup.py install_requires"), ("y", "setup.py extra all")],
            id="tox-names-the-extra",
        ),
        pytest.param(
            {
                "requirements.txt": "-e .[sql]\n",
                "setup.py": SETUP + "extras_require={'sql': ['pg']})",
            },
            [("Django>=3.2", "setup.py install_requires"), ("pg", "setup.py extra sql")],
            id="installs-itself",
        ),
        pytest.param(
            {"requirements.txt": "-e ./lib\n", "lib/setup.py": SETUP + "package_dir={'': 'src'})"},
            [("Django>=3.2", "lib/setup.py install_requires")],
            id="package-of-its-own",
        ),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_find(tmp_path: Path, files: Files, expected: list[tuple[str, str]]) -> None:
    assert places(find(tmp_path, files)) == expected


def test_what_was_chosen_and_left_out_is_said(tmp_path: Path) -> None:
    found = find(tmp_path, {"requirements.txt": "a\n", "requirements-prod.txt": "b\n"})
    assert found.notes == ("requirement files: requirements.txt; left out: requirements-prod.txt.",)
    assert [source.path for source in found.sources] == ["requirements.txt"]


def test_the_matrix_wins(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "a\n",
        "requirements/other.txt": "b\n",
        "pyproject.toml": "[project.optional-dependencies]\ntest=['c']\nslow=['d']\n"
        "[dependency-groups]\ndev=['e']\nci=['f']\n",
    }
    matrix = Matrix(
        requirements=("requirements/other.txt",),
        extras=("Slow",),
        groups=("ci",),
        packages=("g>1",),
    )
    assert [text for text, _ in places(find(tmp_path, files, matrix))] == ["b", "f", "d", "g>1"]


@pytest.mark.parametrize(
    ("matrix", "message", "hint"),
    [
        (
            Matrix(requirements=("requirement.txt",)),
            "no file 'requirement.txt'",
            "requirements.txt",
        ),
        (Matrix(extras=("tests",)), "no extra 'tests'", "'test'"),
        (Matrix(groups=("x",)), "no group 'x'", "there are none"),
        (Matrix(packages=("a b",)), "matrix packages: 'a b' is not a requirement", ""),
    ],
)
def test_what_the_matrix_names_must_be_there(
    tmp_path: Path, matrix: Matrix, message: str, hint: str
) -> None:
    files = {
        "requirements.txt": "Django\n",
        "pyproject.toml": "[project.optional-dependencies]\ntest=['pytest']\n",
    }
    with pytest.raises(UsageError) as caught:
        find(tmp_path, files, matrix)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_pins_that_disagree(tmp_path: Path) -> None:
    files = {"requirements.txt": "six==1.15\n", "requirements-test.txt": "six==1.16\npytest\n"}
    found = find(tmp_path, files)
    assert [source.requirements for source in found.sources] == [("six==1.15",), ("pytest",)]
    assert found.notes[-1] == (
        "requirements.txt:1 has six==1.15, "
        "requirements-test.txt:1 has six==1.16: the first is used."
    )


def test_a_pin_that_gives_way_leaves_its_extras(tmp_path: Path) -> None:
    files = {"requirements.txt": "celery==5.2\n", "requirements-test.txt": "Celery[redis]==5.3\n"}
    found = find(tmp_path, files)
    assert [source.requirements for source in found.sources] == [
        ("celery==5.2",),
        ("Celery[redis]",),
    ]


def test_constraints_and_indexes(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-c pins.txt\n--extra-index-url https://e.org\n"
        "--index-url https://me:secret@e.org\nsix\n",
        "pins.txt": "six==1\n",
    }
    (source,) = find(tmp_path, files).sources
    assert source.constraints == ("six==1",)
    assert source.options == ("--extra-index-url https://e.org",)
    assert "secret" not in repr(find(tmp_path, files))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pyproject.toml": "[project\n"}, "pyproject.toml:1: not valid TOML"),
        ({"pyproject.toml": "project = 3\n"}, "pyproject.toml: [project] should be a table"),
        ({"pyproject.toml": "[project]\ndependencies = 'x'\n"}, "should be a list of strings"),
        ({"pyproject.toml": "[project]\ndependencies = ['a b']\n"}, "'a b' is not a requirement"),
        ({"pyproject.toml": "[dependency-groups]\ntest=[{include-group='x'}]\n"}, "'x' not found"),
        (
            {"pyproject.toml": "[dependency-groups]\ntest=[{include-group='test'}]\n"},
            "[dependency-groups] test: ",
        ),
        ({"pyproject.toml": "[dependency-groups]\ntest=3\n"}, "[dependency-groups] test: "),
        ({"pyproject.toml": "[tool.poetry.dependencies]\na=3\n"}, "a: 3 is neither"),
        ({"setup.cfg": "x = 1\n"}, "setup.cfg:1: cannot be understood"),
        ({"setup.cfg": "[options]\n  indented\n"}, ""),
        ({"tox.ini": "[testenv\n"}, "tox.ini:1: cannot be understood"),
        ({"Pipfile": "[packages]\na = 'x y z'\n"}, ""),
        ({"Pipfile": "packages = 1\n"}, "Pipfile [packages] should be a table"),
        ({"requirements.txt": "-r x.txt\n"}, "requirements.txt:1: there is no file x.txt"),
    ],
)
def test_broken_files(tmp_path: Path, files: Files, message: str) -> None:
    if message:
        with pytest.raises(UsageError) as caught:
            find(tmp_path, files)
        assert message in str(caught.value)
    else:
        try:
            find(tmp_path, files)
        except UsageError as error:
            assert str(error).startswith(tuple(files))


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("requirements.txt", "base"),
        ("requirements/base.txt", "base"),
        ("requirements/requirements.txt", "base"),
        ("requirements-test.txt", "test"),
        ("test_requirements.txt", "test"),
        ("requirements/test-ci.txt", "test"),
        ("requirements/dev-test.txt", "test"),
        ("dev-requirements.txt", "dev"),
        ("requirements/local.txt", "dev"),
        ("requirements/prod.txt", "prod"),
        ("requirements/base-prod.txt", "prod"),
        ("requirements/py38-django30.txt", "other"),
        ("requirements/docs.txt", "other"),
        ("requirements/test-django32.txt", "other"),
        ("tests/requirements.txt", "test"),
    ],
)
def test_role(name: str, role: str) -> None:
    assert requirement_choice.role(name) == role
