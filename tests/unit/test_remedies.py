"""What a report says can be typed where a cell lacks something."""

import pytest

from djhop.compare.causes import Cause
from djhop.reports.remedies import remedy
from djhop.results.results import Owner


def cause(exception: str, message: str, owner: str = "environment") -> Cause:
    return Cause(id="c", exception=exception, message=message, owner=Owner(owner))


@pytest.mark.parametrize(
    ("exception", "message", "said"),
    [
        ("KeyError", "'DATABASE_URL'", 'pass-env = ["DATABASE_URL"]'),
        (
            "django.core.exceptions.ImproperlyConfigured",
            "Set the SECRET_KEY environment variable",
            'pass-env = ["SECRET_KEY"]',
        ),
        (
            "decouple.UndefinedValueError",
            "SECRET_KEY not found. Declare it as envvar or define a default value.",
            'pass-env = ["SECRET_KEY"]',
        ),
        ("environs.EnvError", 'Environment variable "A" not set', 'pass-env = ["A"]'),
        ("ModuleNotFoundError", "No module named 'yaml.reader'", "the module yaml"),
        (
            "django.core.exceptions.ImproperlyConfigured",
            "Error loading psycopg2 or psycopg module",
            "the module psycopg2",
        ),
        ("django.db.utils.OperationalError", "connection refused", "[service.NAME]"),
    ],
)
def test_what_a_cell_lacks(exception: str, message: str, said: str) -> None:
    assert said in remedy(cause(exception, message))


@pytest.mark.parametrize(
    "known",
    [
        cause("KeyError", "'DATABASE_URL'", "project"),
        cause("ModuleNotFoundError", "No module named 'yaml'", "package"),
        cause("no-tests", "the command ended well"),
        cause("KeyError", "('a', 'b')"),
        cause("MemoryError", ""),
    ],
)
def test_nothing_is_said_of_what_is_not_known(known: Cause) -> None:
    assert remedy(known) == ""
