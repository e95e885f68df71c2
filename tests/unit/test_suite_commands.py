"""Commands that run a suite, as people write them."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djhop.target import suite_commands

DJANGO = ("-m", "django", "test")


@pytest.mark.parametrize(
    ("command", "kind", "argv"),
    [
        ("pytest", "pytest", ()),
        ("py.test tests/unit", "pytest", ("tests/unit",)),
        ("python -m pytest --ds=t.settings", "pytest", ("--ds=t.settings",)),
        ("python -Wd -m pytest", "pytest", ()),
        ("python -W error::DeprecationWarning -W ignore -m pytest -q", "pytest", ()),
        ("coverage run -m pytest tests", "pytest", ("tests",)),
        ("coverage run --source=x,y -p -m pytest", "pytest", ()),
        ("python -m coverage run -m pytest", "pytest", ()),
        (
            "pytest --cov=x --cov-report term -n auto --ds t.s -k fast",
            "pytest",
            ("--ds", "t.s", "-k", "fast"),
        ),
        (
            "pytest -vv -x --reuse-db -p no:cacheprovider a",
            "pytest",
            ("-p", "no:cacheprovider", "a"),
        ),
        ("uv run --extra test pytest tests", "pytest", ("tests",)),
        ("poetry run pytest", "pytest", ()),
        ("pipenv run python manage.py test", "django", ("manage.py", "test")),
        ("python manage.py test", "django", ("manage.py", "test")),
        (
            "./manage.py test app -v 2 --parallel 4 --failfast",
            "django",
            ("manage.py", "test", "app"),
        ),
        ("manage.py test --parallel app", "django", ("manage.py", "test", "app")),
        (
            "python3.9 src/manage.py test --settings=x",
            "django",
            ("src/manage.py", "test", "--settings=x"),
        ),
        ("coverage run --branch manage.py test app", "django", ("manage.py", "test", "app")),
        ("django-admin test --settings=t.s", "django", (*DJANGO, "--settings=t.s")),
        ("django-admin.py test --settings t.s", "django", (*DJANGO, "--settings", "t.s")),
        ("coverage run -m django test --settings=t.s", "django", (*DJANGO, "--settings=t.s")),
        ("python -W error -m django test --verbosity=2 -k one", "django", (*DJANGO, "-k", "one")),
        ("env A=1 B=2 python -m django test", "django", DJANGO),
        ("python -m unittest discover -v", "django", ("-m", "unittest", "discover")),
        ("python runtests.py -v2 --coverage app", "script", ("runtests.py", "app")),
        ("coverage run tests/runtests.py", "script", ("tests/runtests.py",)),
        ("/usr/bin/python3 ./runtests.py", "script", ("runtests.py",)),
    ],
)
def test_parse(command: str, kind: str, argv: tuple[str, ...]) -> None:
    call = suite_commands.parse(shlex.split(command))
    assert call is not None
    assert (call.kind, call.argv) == (kind, argv)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "flake8",
        "python setup.py test",
        "python manage.py makemigrations --check",
        "tox",
        "python",
        "python -m",
        "coverage report",
        "pip install pytest",
        "python -m build",
        "-m pytest",
        "uv run",
    ],
)
def test_what_runs_no_suite(command: str) -> None:
    assert suite_commands.parse(shlex.split(command)) is None


def test_settings_and_environment() -> None:
    call = suite_commands.parse(["DJANGO_SETTINGS_MODULE=a.b", "python", "manage.py", "test"])
    assert call is not None
    assert call.environment == (("DJANGO_SETTINGS_MODULE", "a.b"),)
    call = suite_commands.parse(["pytest", "--ds", "a", "--ds=b"])
    assert call is not None
    assert call.settings == "b"


def test_text_of_a_makefile_and_of_a_workflow() -> None:
    text = """
test: install
\t@cd backend && $(PYTHON) manage.py test app --parallel
lint:
\tflake8 # pytest
      - run: |
          pip install pytest
          python -m pytest tests --cov
      - run: "coverage run -m pytest ${{ matrix.args }}"
script:
  - "./manage.py test"
"""
    calls = list(suite_commands.in_text(text))
    assert [(call.kind, call.directory, call.argv) for call in calls] == [
        ("django", "backend", ("manage.py", "test", "app")),
        ("pytest", "", ("tests",)),
        ("pytest", "", ()),
        ("django", "", ("manage.py", "test")),
    ]


@given(
    words=st.lists(
        st.sampled_from(
            [
                "python",
                "-m",
                "-W",
                "pytest",
                "manage.py",
                "test",
                "coverage",
                "run",
                "uv",
                "--",
                "-",
                "A=1",
                "env",
                "x.py",
            ]
        ),
        max_size=7,
    )
)
def test_any_words_are_read(words: list[str]) -> None:
    suite_commands.parse(words)
