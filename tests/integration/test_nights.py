"""Three nights of real projects, by `exclude-newer`: between two of them a package is released."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import djhop_cli
import pytest

pytestmark = pytest.mark.slow

#: django-guardian on one cell; asgiref 3.8.0 and 3.8.1 came out on 2024-03-20 and 2024-03-22.
GUARDIAN = """
name = "nightly"
from = "3.2"
to = "3.2"
steps = ["3.2"]
python = "3.8"
only = ["tests"]
test = ["pytest", "guardian/testapp/tests/test_conf.py", "guardian/testapp/tests/test_tags.py"]
packages = ["pytest==8.1.1", "pytest-django==4.8.0", "django-environ==0.11.2", "mock==5.1.0",
            "typing-extensions==4.10.0", "sqlparse==0.4.4"]
exclude-newer = "{night}"
"""
#: djangorestframework on one cell. A Pygments of 2026 writes code otherwise than a test has it.
RESTFRAMEWORK = """
name = "nightly"
from = "4.2"
to = "4.2"
steps = ["4.2"]
python = "3.10"
only = ["tests"]
test = ["pytest", "tests/test_description.py"]
packages = ["pytest==8.3.5", "pytest-django==4.11.1", "markdown==3.10", "pytz==2024.1",
            "setuptools==70.3.0", "asgiref==3.8.1", "sqlparse==0.5.3", "pygments"]
exclude-newer = "{night}"
"""


def nights(
    source: Path, matrix: str, dates: tuple[str, ...], *, cache: Path, place: Path
) -> list[dict[str, Any]]:
    """Run djhop on each of `dates`; return what each run says of the one before."""
    told = []
    for date in dates:
        file = place / f"{date}.toml"
        file.write_text(matrix.format(night=date))
        done = djhop_cli.run(source, file, cache=cache, out=place / "reports")
        told.append(done.run)
    return told


@pytest.mark.needs_python("3.8")
def test_a_package_that_moved_is_named_though_nothing_is_worse(
    sdist: Callable[[str, str], Path], shared: Path, tmp_path: Path
) -> None:
    source = sdist("django-guardian", "2.2.0")
    dates = ("2024-03-15", "2024-03-16", "2024-03-23")
    first, second, third = nights(source, GUARDIAN, dates, cache=shared / "djhop", place=tmp_path)
    assert first["since"] is None
    (cell,) = second["since"]["cells"]
    assert (cell["moved"], cell["why"]) == ([], "nothing")
    (cell,) = third["since"]["cells"]
    assert cell["moved"] == ["asgiref 3.7.2 → 3.8.1"]
    assert (cell["before"], cell["after"], cell["why"]) == ("passed", "passed", "moved")
    assert third["since"]["nights"] == 2


@pytest.mark.needs_python("3.10")
def test_a_cell_that_turns_red_names_the_package(
    sdist: Callable[[str, str], Path], shared: Path, tmp_path: Path
) -> None:
    source = sdist("djangorestframework", "3.15.2")
    dates = ("2025-11-10", "2025-11-11", "2026-11-01")
    _, second, third = nights(source, RESTFRAMEWORK, dates, cache=shared / "djhop", place=tmp_path)
    (cell,) = second["since"]["cells"]
    assert (cell["moved"], cell["broke"]["total"]) == ([], 0)
    (cell,) = third["since"]["cells"]
    assert (cell["before"], cell["after"], cell["why"]) == ("passed", "failed", "moved")
    (test,) = cell["broke"]["ids"]
    assert test.endswith("::test_markdown")
    assert "pygments 2.19.2 → 2." in " ".join(cell["moved"])
    assert "pygments 2.19.2 → 2." in (tmp_path / "reports/latest/report.txt").read_text("utf-8")
