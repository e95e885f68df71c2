"""Patterns over cell ids, and what overrides add up to."""

import pytest

from djhop.matrix import patterns
from djhop.matrix.config import Matrix, Override

CELLS = [f"py{p}-django{d}" for d in ("4.2", "5.2", "2028") for p in ("3.9", "3.10", "3.12")]


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("py3.12-django5.2", "py3.12-django5.2"),
        ("py3.9-*", "py3.9-django4.2 py3.9-django5.2 py3.9-django2028"),
        ("py3.9", "py3.9-django4.2 py3.9-django5.2 py3.9-django2028"),
        ("*5.2", "py3.9-django5.2 py3.10-django5.2 py3.12-django5.2"),
        ("django5.2", "py3.9-django5.2 py3.10-django5.2 py3.12-django5.2"),
        ("django5.2-py3.12", "py3.12-django5.2"),
        ("django5.*-py3.1*", "py3.10-django5.2 py3.12-django5.2"),
        ("py3.1[0-1]-django[4-5].2", "py3.10-django4.2 py3.10-django5.2"),
        ("django[4-5].2-py3.1[0-1]", "py3.10-django4.2 py3.10-django5.2"),
        ("django2028", "py3.9-django2028 py3.10-django2028 py3.12-django2028"),
        ("py3.9-django4.2,py3.12-django5.2", "py3.9-django4.2 py3.12-django5.2"),
        ("py3.9-django4.2 , nothing", "py3.9-django4.2"),
        ("*", " ".join(CELLS)),
        ("py3.1", ""),
        ("py3", ""),
        ("django5", ""),
        ("py3.12-py3.9", ""),
        ("py3.12-django5.2-py3.9", ""),
        ("py3.12-", ""),
        ("-", ""),
        ("", ""),
        (" , ", ""),
        ("PY3.12", ""),
    ],
)
def test_a_pattern_means(pattern: str, chosen: str) -> None:
    assert [cell for cell in CELLS if patterns.matches(cell, [pattern])] == chosen.split()


def test_any_of_several() -> None:
    assert patterns.matches("py3.9-django4.2", ["py3.10", "django4.2"])
    assert not patterns.matches("py3.9-django4.2", ["py3.10", "django5.2"])
    assert not patterns.matches("py3.9-django4.2", [])


def test_parts() -> None:
    assert patterns.parts(["a, b", "", "c,"]) == ["a", "b", "c"]


def test_idle_patterns_are_told() -> None:
    matrix = Matrix(
        exclude=("py3.9,py3.8", "django4.2"),
        allow_failure=("py3.12", "py3.9"),
        override=(Override(cells="django9*"), Override(cells="*")),
    )
    assert patterns.idle(matrix, CELLS, [cell for cell in CELLS if "py3.9" not in cell]) == [
        "exclude: 'py3.8' matches no cell.",
        "allow-failure: 'py3.9' matches no cell.",
        "override: 'django9*' matches no cell.",
    ]


MATRIX = Matrix(
    set_env={"A": "1", "B": "1"},
    packages=("pillow", "pytz"),
    before=("make one",),
    after=("clean one",),
    timeout=60.0,
    test_timeout=6.0,
    silence_timeout=5.0,
    allow_failure=("django5.2",),
    override=(
        Override(
            cells="py3.9",
            set_env={"B": "2"},
            packages=("Pillow<10", "mock"),
            before=("make two",),
            after=("clean two",),
            timeout=30.0,
        ),
        Override(
            cells="py3.9-django5.2",
            allow_failure=False,
            timeout=90.0,
            test_timeout=0.0,
            set_env={"B": "3"},
        ),
        Override(cells="django2028", allow_failure=True),
    ),
)


def test_a_cell_without_overrides_is_as_the_matrix_says() -> None:
    assert patterns.settings_of(MATRIX, "py3.10-django5.2") == patterns.CellSettings(
        env={"A": "1", "B": "1"},
        packages=("pillow", "pytz"),
        before=("make one",),
        after=("clean one",),
        timeout=60.0,
        test_timeout=6.0,
        silence_timeout=5.0,
        allow_failure=True,
    )


def test_overrides_add_up_in_order() -> None:
    assert patterns.settings_of(MATRIX, "py3.9-django5.2") == patterns.CellSettings(
        env={"A": "1", "B": "3"},
        packages=("pytz", "Pillow<10", "mock"),
        before=("make one", "make two"),
        after=("clean one", "clean two"),
        timeout=90.0,
        test_timeout=0.0,
        silence_timeout=5.0,
        allow_failure=False,
    )


def test_an_override_that_is_silent_changes_nothing() -> None:
    matrix = Matrix(timeout=5.0, allow_failure=("*",), override=(Override(cells="*"),))
    assert patterns.settings_of(matrix, "py3.9-django5.2") == patterns.CellSettings(
        timeout=5.0, allow_failure=True
    )


def test_an_override_may_allow_failure() -> None:
    assert patterns.settings_of(MATRIX, "py3.12-django2028").allow_failure
    assert not patterns.settings_of(MATRIX, "py3.12-django4.2").allow_failure


def test_packages_that_are_no_requirement_stand_for_themselves() -> None:
    matrix = Matrix(
        packages=("./vendor/one", "a ; python_version<'3.8'", "a>=2"),
        override=(Override(cells="*", packages=("./vendor/two", "A==1")),),
    )
    packages = patterns.settings_of(matrix, "py3.9-django5.2").packages
    assert packages == ("./vendor/one", "./vendor/two", "A==1")


def test_the_defaults_of_a_cell_are_those_of_a_matrix() -> None:
    assert patterns.settings_of(Matrix(), "py3.9-django5.2") == patterns.CellSettings()
