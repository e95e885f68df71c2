"""Lock files: what they pin, what cannot be read of them, and which of them counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from djhop.errors import UsageError
from djhop.target import lockfiles
from djhop.target.lockfiles import Locked

UV = """version = 1
revision = 3
[[package]]
name = "django"
version = "4.2.11"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "numpy"
version = "1.24.4"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.9'"]
[[package]]
name = "numpy"
version = "2.0.2"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version >= '3.10'", "python_full_version == '3.9.*'"]
[[package]]
name = "lib"
version = "1.0"
source = { git = "https://e.org/lib?rev=main#abc123" }
[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
[[package]]
name = "inner"
version = "1"
source = { editable = "packages/inner" }
"""
POETRY = """[[package]]
name = "Django"
version = "4.2.11"
python-versions = ">=3.8"
[[package]]
name = "numpy"
version = "2.0.2"
python-versions = ">=3.9"
markers = "python_version >= '3.10'"
[[package]]
name = "six"
version = "1.16.0"
python-versions = "!=3.0.*,>=2.7"
markers = {main = "sys_platform == 'win32'", dev = "python_version < '3.9'"}
[[package]]
name = "private"
version = "2"
python-versions = "*"
[package.source]
type = "legacy"
url = "https://e.org/simple"
[[package]]
name = "lib"
version = "1"
python-versions = "*"
[package.source]
type = "git"
resolved_reference = "abc123"
[[package]]
name = "inner"
version = "1"
python-versions = "*"
[package.source]
type = "directory"
[metadata]
lock-version = "2.1"
"""
PDM = """[metadata]
lock_version = "4.5.0"
[[package]]
name = "django"
version = "4.2.11"
requires_python = ">=3.8"
[[package]]
name = "tomli"
version = "2.0.1"
marker = "python_version < '3.11'"
[[package]]
name = "lib"
version = "1"
git = "https://e.org/lib"
revision = "abc123"
[[package]]
name = "inner"
version = "1"
path = "./inner"
"""
PIPENV = json.dumps(
    {
        "_meta": {"pipfile-spec": 6},
        "default": {
            "django": {"version": "==4.2.11", "markers": "python_version >= '3.8'"},
            "lib": {"git": "https://e.org/lib", "ref": "abc123"},
            "inner": {"path": "./inner", "editable": True},
        },
        "develop": {"pytest": {"version": "==8.0.0"}},
    }
)
PYLOCK = """lock-version = "1.0"
created-by = "test"
[[packages]]
name = "django"
version = "4.2.11"
[[packages.wheels]]
url = "https://e.org/django-4.2.11-py3-none-any.whl"
hashes = {sha256 = "aa"}
[[packages]]
name = "tomli"
version = "2.0.1"
marker = "python_version < '3.11'"
[[packages.wheels]]
url = "https://e.org/tomli-2.0.1-py3-none-any.whl"
hashes = {sha256 = "aa"}
[[packages]]
name = "lib"
[packages.vcs]
type = "git"
url = "https://e.org/lib"
commit-id = "abc123"
[[packages]]
name = "inner"
[packages.directory]
path = "inner"
"""


def read(root: Path, name: str, text: str) -> Locked:
    (root / name).write_text(text)
    return lockfiles.read(root, name)


@pytest.mark.parametrize(
    ("name", "text", "pins"),
    [
        (
            "uv.lock",
            UV,
            [
                "django==4.2.11",
                'numpy==1.24.4; python_full_version < "3.9"',
                'numpy==2.0.2; python_full_version >= "3.10" or python_full_version == "3.9.*"',
            ],
        ),
        (
            "poetry.lock",
            POETRY,
            [
                'Django==4.2.11; python_version >= "3.8"',
                'numpy==2.0.2; python_version >= "3.10"',
                'six==1.16.0; sys_platform == "win32" or python_version < "3.9"',
                "private==2",
            ],
        ),
        (
            "pdm.lock",
            PDM,
            [
                'django==4.2.11; python_version >= "3.8"',
                'tomli==2.0.1; python_version < "3.11"',
            ],
        ),
        (
            "Pipfile.lock",
            PIPENV,
            ['django==4.2.11; python_version >= "3.8"', "pytest==8.0.0"],
        ),
        ("pylock.toml", PYLOCK, ["django==4.2.11", 'tomli==2.0.1; python_version < "3.11"']),
        ("pylock.dev.toml", PYLOCK, ["django==4.2.11", 'tomli==2.0.1; python_version < "3.11"']),
    ],
)
def test_pins_and_commits(tmp_path: Path, name: str, text: str, pins: list[str]) -> None:
    found = read(tmp_path, name, text)
    assert [item.text for item in found.pins] == pins
    assert {item.place for item in found.pins} == {name}
    assert found.commits == {"lib": "abc123"}


def test_older_poetry_tells_versions_apart_by_python_alone(tmp_path: Path) -> None:
    text = (
        '[[package]]\nname = "a"\nversion = "1"\npython-versions = ">=2.7,<3.8"\n'
        '[[package]]\nname = "a"\nversion = "2"\npython-versions = ">=3.8.1"\n'
        '[metadata]\nlock-version = "1.1"\n'
    )
    assert [item.text for item in read(tmp_path, "poetry.lock", text).pins] == [
        'a==1; python_version >= "2.7" and python_version < "3.8"',
        'a==2; python_full_version >= "3.8.1"',
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("uv.lock", 'version = 1\n[[package]\nname = "x"\n', "uv.lock:2: not valid TOML"),
        ("uv.lock", "<<<<<<< HEAD\nversion = 1\n", "uv.lock:1: not valid TOML"),
        ("uv.lock", "version = 9\n", "uv.lock: its format is '9'; djhop reads 1"),
        (
            "poetry.lock",
            '[metadata]\nlock-version = "3.0"\n',
            "poetry.lock: its format is '3.0'; djhop reads 1 and 2",
        ),
        ("poetry.lock", "package = 3\n", "poetry.lock: [[package]] should be a list of tables"),
        ("pdm.lock", '[metadata]\nlock_version = "9"\n', "pdm.lock: its format is '9'"),
        ("Pipfile.lock", '{\n "default": {,\n', "Pipfile.lock:2: not valid JSON"),
        ("Pipfile.lock", "1" * 5000, "Pipfile.lock: not valid JSON: "),
        ("uv.lock", "version = " + "1" * 5000, "uv.lock: not valid TOML: "),
        ("Pipfile.lock", "[]", "Pipfile.lock: it should be a table"),
        ("Pipfile.lock", '{"_meta": {"pipfile-spec": 7}}', "Pipfile.lock: its format is '7'"),
        ("pylock.toml", 'lock-version = "2.0"\n', "pylock.toml: not a lock file of PEP 751: "),
        ("pylock.toml", 'lock-version = "1.0"\n', "pylock.toml: not a lock file of PEP 751: "),
    ],
)
def test_broken_lock_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, name, text)
    assert str(caught.value).startswith(message)


def test_what_to_type_next(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, "poetry.lock", '[metadata]\nlock-version = "3.0"\n')
    assert caught.value.hint.startswith("lock again with `poetry lock`, or name what to read")


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "Pipfile.lock", "pylock.toml"])
def test_an_empty_lock_file_locks_nothing(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, "") == Locked(path=name, pins=())


@pytest.mark.parametrize(
    ("project", "there", "expected"),
    [
        ("", ["uv.lock"], [("uv.lock", "it is there")]),
        (
            "[tool.poetry]\n",
            ["uv.lock", "poetry.lock"],
            [("poetry.lock", "pyproject.toml has [tool.poetry]"), ("uv.lock", "it is there")],
        ),
        (
            "",
            ["poetry.lock", "Pipfile.lock", "Pipfile"],
            [("Pipfile.lock", "beside Pipfile"), ("poetry.lock", "it is there")],
        ),
        ("tool = 3\n", ["pylock.toml"], [("pylock.toml", "it is there")]),
    ],
)
def test_the_lock_file_of_the_tool_in_use_comes_first(
    tmp_path: Path, project: str, there: list[str], expected: list[tuple[str, str]]
) -> None:
    (tmp_path / "pyproject.toml").write_text(project)
    for name in there:
        (tmp_path / name).write_text("")
    assert list(lockfiles.found(tmp_path)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv.lock", True),
        ("back/poetry.lock", True),
        ("pylock.dev.toml", True),
        ("pyproject.toml", False),
        ("requirements.txt", False),
    ],
)
def test_names(name: str, expected: bool) -> None:
    assert lockfiles.is_lock(name) is expected
