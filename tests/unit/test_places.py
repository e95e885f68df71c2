"""Where a target's requirements are written, and the tool that it is kept with."""

from __future__ import annotations

from pathlib import Path

import pytest

from djhop.errors import UsageError
from djhop.matrix.config import Matrix
from djhop.target import target
from djhop.target.target import Place, Section, Target

Files = dict[str, str]

PROJECT = """\
[project]
name = "shop"
dependencies = ["django>=4.2", "celery"]
[project.optional-dependencies]
Fast_Test = ["redis"]
[dependency-groups]
dev = ["pytest", "celery"]
"""
POETRY = """\
[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
django = "^4.2"
redis = {version = "*", optional = true}
[tool.poetry.extras]
test = ["redis"]
"""


def look(root: Path, files: Files, **matrix: list[str]) -> Target:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return target.look(root, Matrix(**matrix))  # type: ignore[arg-type]


def section(keeper: str, **named: str) -> Section:
    return Section(keeper=keeper, **named)  # type: ignore[arg-type]


CASES = [
    pytest.param(
        {"requirements.txt": "-r reqs/base.in\npytest\n", "reqs/base.in": "django\n"},
        {"django": [Place(path="reqs/base.in")], "pytest": [Place(path="requirements.txt")]},
        id="an included file",
    ),
    pytest.param(
        {"setup.cfg": "[options]\ninstall_requires = django\n", "setup.py": ""},
        {"django": [Place(path="setup.cfg", part="install_requires")]},
        id="setup.cfg",
    ),
    pytest.param(
        {
            "pyproject.toml": "[project]\nname='x'\ndynamic=['dependencies']\n"
            "[tool.setuptools.dynamic]\ndependencies = {file = ['base.in']}\n",
            "base.in": "django\n",
        },
        {"django": [Place(path="base.in")]},
        id="a file that the metadata name",
    ),
    pytest.param(
        {"Pipfile": "[packages]\ndjango = '*'\n[dev-packages]\npytest = '*'\n"},
        {
            "django": [Place(path="Pipfile", part="[packages]", section=section("pipenv"))],
            "pytest": [
                Place(path="Pipfile", part="[dev-packages]", section=section("pipenv", group="dev"))
            ],
        },
        id="Pipfile",
    ),
]


@pytest.mark.parametrize(("files", "places"), CASES)
def test_where_a_package_is_written(
    tmp_path: Path, files: Files, places: dict[str, list[Place]]
) -> None:
    found = look(tmp_path, files).places
    assert {name: list(found[name]) for name in places} == places


def sections(found: Target) -> dict[str, list[Section]]:
    return {name: [place.section for place in places] for name, places in found.places.items()}


def test_a_package_of_several_lists_has_several_places(tmp_path: Path) -> None:
    found = look(tmp_path, {"pyproject.toml": PROJECT}, extras=["fast-test"], groups=["dev"])
    assert sections(found) == {
        "django": [section("project")],
        "celery": [section("project"), section("project", group="dev")],
        "pytest": [section("project", group="dev")],
        "redis": [section("project", extra="Fast_Test")],
    }


@pytest.mark.parametrize(
    ("more", "group"),
    [
        ("[tool.poetry.group.test.dependencies]\npytest = '*'\n", section("poetry", group="test")),
        ("[tool.poetry.group.dev.dependencies]\npytest = '*'\n", section("poetry", group="dev")),
        # `poetry add` leaves the old table as it is.
        ("[tool.poetry.dev-dependencies]\npytest = '*'\n", Section()),
        ("[tool.pdm.dev-dependencies]\ntest = ['pytest']\n", section("pdm", group="test")),
        ("[tool.uv]\ndev-dependencies = ['pytest']\n", section("uv", group="dev")),
    ],
)
def test_each_tool_has_tables_of_its_own(tmp_path: Path, more: str, group: Section) -> None:
    found = sections(look(tmp_path, {"pyproject.toml": POETRY + more}))
    assert found["django"] == [section("poetry")]
    assert found["redis"] == [section("poetry", extra="test")]
    assert found["pytest"] == [group]


def test_nothing_at_the_root_writes_into_a_package_inside(tmp_path: Path) -> None:
    files = {"requirements.txt": "django\n./lib\n", "lib/pyproject.toml": PROJECT}
    found = look(tmp_path, files).places["celery"]
    assert found == (Place(path="lib/pyproject.toml", part="[project] dependencies"),)


UV_LOCK = 'version = 1\n[[package]]\nname = "django"\nversion = "4.2.1"\n'
POETRY_LOCK = '[[package]]\nname = "django"\nversion = "4.2.1"\n[metadata]\nlock-version = "2.0"\n'


@pytest.mark.parametrize(
    ("files", "manager"),
    [
        ({"requirements.txt": "django\n"}, "pip"),
        ({"pyproject.toml": PROJECT}, "pip"),
        ({"pyproject.toml": PROJECT + "[tool.uv]\npackage = false\n"}, "uv"),
        ({"pyproject.toml": PROJECT + "[tool.pdm]\n"}, "pdm"),
        ({"pyproject.toml": POETRY}, "poetry"),
        ({"pyproject.toml": PROJECT, "uv.lock": UV_LOCK}, "uv"),
        ({"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK, "uv.lock": UV_LOCK}, "poetry"),
        ({"Pipfile": "[packages]\ndjango = '*'\n"}, "pipenv"),
        ({"Pipfile": "[packages]\ndjango = '*'\n", "pyproject.toml": "[tool.uv]\n"}, "pipenv"),
    ],
)
def test_the_tool_that_a_project_is_kept_with(tmp_path: Path, files: Files, manager: str) -> None:
    assert look(tmp_path, files).manager == manager


def test_a_folder_without_django_tells_to_type_the_same_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sign of Django") as caught:
        target.look(tmp_path, Matrix(), command="djhop deps")
    assert "`djhop deps PATH`" in caught.value.hint
