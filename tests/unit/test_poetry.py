"""Poetry's and Pipenv's way to write versions."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from djhop.errors import UsageError
from djhop.target import poetry


@pytest.mark.parametrize(
    ("written", "specifier"),
    [
        ("^3.2", ">=3.2,<4"),
        ("^3.2.1", ">=3.2.1,<4"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("~=4.2", "~=4.2"),
        ("*", ""),
        ("4.2.1", "==4.2.1"),
        ("4.2.*", "==4.2.*"),
        (">= 3.2, < 5", ">=3.2,<5"),
        (">=3.2 <5", ">=3.2,<5"),
        ("^3.2 || ^4.2", ">=3.2,<5"),
        ("^2.2a1", ">=2.2a1,<3"),
    ],
)
def test_specifier(written: str, specifier: str) -> None:
    assert poetry.specifier(written, "x") == specifier
    SpecifierSet(specifier)


@pytest.mark.parametrize(
    ("entry", "requirement"),
    [
        ("^4.2", "django>=4.2,<5"),
        ({"version": "^4.2", "extras": ["argon2"]}, "django[argon2]>=4.2,<5"),
        ({"version": "*", "markers": "sys_platform == 'linux'"}, "django; sys_platform == 'linux'"),
        ({"version": "4.2", "python": "<3.9"}, 'django==4.2; python_version < "3.9"'),
        (
            {"version": "4.2", "python": "^3.8.1"},
            'django==4.2; python_full_version >= "3.8.1" and python_version < "4"',
        ),
        ({"git": "https://e.org/d.git", "tag": "4.2"}, "django @ git+https://e.org/d.git@4.2"),
        ({"url": "https://e.org/d-1.zip"}, "django @ https://e.org/d-1.zip"),
    ],
)
def test_requirement(entry: Any, requirement: str) -> None:
    (found,) = poetry.requirements({"python": "^3.8", "django": entry}, "x")
    assert found == requirement
    Requirement(found)


def test_several_choices_and_optional_ones() -> None:
    table = {
        "a": [{"version": "1", "python": "<3.8"}, {"version": "2", "python": ">=3.8"}],
        "b": {"version": "1", "optional": True},
    }
    assert poetry.requirements(table, "x") == (
        'a==1; python_version < "3.8"',
        'a==2; python_version >= "3.8"',
    )
    assert poetry.optional(table, "x") == {"b": ("b==1",)}


def test_sources_of_uv() -> None:
    sources = {"lib": {"git": "https://e.org/lib", "rev": "abc"}, "other": {"workspace": True}}
    assert poetry.sourced("lib[x]>=1; os_name=='nt'", sources, "x") == (
        "lib[x] @ git+https://e.org/lib@abc ; os_name=='nt'"
    )
    assert poetry.sourced("other>=1", sources, "x") == "other>=1"
    assert poetry.sourced("third", sources, "x") == "third"


@pytest.mark.parametrize("entry", [3, True, "^x.y", {"version": ","}])
def test_what_cannot_be_understood(entry: Any) -> None:
    with pytest.raises(UsageError, match=r"^pyproject a"):
        poetry.requirements({"a": entry}, "pyproject")
