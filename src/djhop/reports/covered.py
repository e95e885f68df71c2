"""Coverage of a cell, or of all combined, as Cobertura's XML or as lcov; coverage.py writes it."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import coverage
from coverage.exceptions import CoverageException, CoverageWarning, NoDataError

from djhop.errors import UsageError
from djhop.reports.clean import page
from djhop.results import measure

HINT = "djhop report --source DIR names the project as it was when it was run"
Form = Literal["cobertura", "lcov"]


def render(data: Path, *, root: str, source: Path, form: Form) -> tuple[str, int]:
    """Return the coverage in `data` as `form`, and how many files have no source and are left out.

    Paths are relative to the target's root.

    Args:
        data: a data file of a run: that of a cell, or the combined one.
        root: the target's root on the machine of the run.
        source: the same sources here; coverage has to read which lines are statements.

    Raises:
        UsageError: there is no data, or no source of it is here.
    """
    if not data.is_file():
        raise UsageError(f"no coverage was measured: there is no {data}")
    if not source.is_dir():
        raise UsageError(f"there is no folder {source}", hint=HINT)
    with tempfile.TemporaryDirectory(prefix="djhop-coverage-") as folder:
        moved = measure.combine({data: Path(root)}, source, Path(folder, "data"))
        if moved is None:
            raise UsageError(f"no coverage was measured: {data} is empty")
        out = Path(folder, "out")
        with contextlib.chdir(source), _told(), _counted() as left_out:
            report = _prepared(moved, source)
            if form == "cobertura":
                report.xml_report(outfile=str(out), ignore_errors=True)
            else:
                report.lcov_report(outfile=str(out), ignore_errors=True)
        text = out.read_text("utf-8")
    if left_out and ("<class " if form == "cobertura" else "SF:") not in text:
        raise UsageError(f"none of the sources that were measured is in {source}", hint=HINT)
    return page(text), len(left_out)


def _counted() -> contextlib.AbstractContextManager[list[warnings.WarningMessage]]:
    """Gather coverage's warnings: one for each file that it cannot read or parse."""
    return warnings.catch_warnings(record=True, action="always", category=CoverageWarning)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except NoDataError as error:
        raise UsageError("no coverage was measured in the target's own files") from error
    except CoverageException as error:
        raise UsageError(f"coverage cannot write its report: {error}") from error


def _prepared(data: Path, source: Path) -> coverage.Coverage:
    """A reader of `data` that leaves out what the target's own settings leave out."""
    found = coverage.Coverage(data_file=str(data), config_file=False, source=[str(source)])
    wanted = measure.options(source)
    found.set_option("report:omit", list(wanted.report_omit) or None)
    found.set_option("report:include", list(wanted.report_include) or [f"{source}/*"])
    if wanted.exclude:
        found.set_option("report:exclude_lines", list(wanted.exclude))
    found.load()
    return found
