"""The exit codes, their order, and the table in the docs."""

import itertools
import re
from pathlib import Path

import pytest

from djhop import errors
from djhop.errors import PRECEDENCE, DjhopError, ExitCode, did_you_mean, worst

DOC = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def subclasses(base: type[DjhopError]) -> list[type[DjhopError]]:
    direct = base.__subclasses__()
    return direct + [below for one in direct for below in subclasses(one)]


def of_this_room() -> list[type[DjhopError]]:
    every: list[type[DjhopError]] = [DjhopError, *subclasses(DjhopError)]
    return [error for error in every if error.__module__ == errors.__name__]


def test_precedence_orders_every_code_once() -> None:
    assert sorted(PRECEDENCE) == sorted(ExitCode)


def test_each_error_means_a_code_of_its_own() -> None:
    codes = [error.return_code for error in of_this_room()]
    assert len(set(codes)) == len(codes)


def test_no_error_means_that_a_hop_breaks_or_that_all_is_well() -> None:
    """Those are answers, and an answer is data."""
    codes = {error.return_code for error in of_this_room()}
    assert codes == set(ExitCode) - {ExitCode.OK, ExitCode.BREAKS, ExitCode.CONDITIONS}


def test_errors_of_other_rooms_use_the_codes_of_this_one() -> None:
    assert all(isinstance(error.return_code, ExitCode) for error in subclasses(DjhopError))


@pytest.mark.parametrize(("one", "other"), [*itertools.product(ExitCode, ExitCode)])
def test_worst_of_two(one: ExitCode, other: ExitCode) -> None:
    first = one if PRECEDENCE.index(one) <= PRECEDENCE.index(other) else other
    assert worst([one, other]) is worst([other, one]) is first


def test_worst_decisions_written_out() -> None:
    assert worst([]) is ExitCode.OK
    assert worst([ExitCode.OK, ExitCode.NO_TESTS]) is ExitCode.NO_TESTS
    assert worst([ExitCode.NO_TESTS, ExitCode.INCOMPLETE]) is ExitCode.INCOMPLETE
    assert worst([ExitCode.INCOMPLETE, ExitCode.BLOCKED]) is ExitCode.BLOCKED
    assert worst([ExitCode.BLOCKED, ExitCode.BREAKS]) is ExitCode.BREAKS
    assert worst([ExitCode.BREAKS, ExitCode.USAGE]) is ExitCode.USAGE
    assert worst([ExitCode.USAGE, ExitCode.INTERNAL]) is ExitCode.INTERNAL
    assert worst([ExitCode.INTERNAL, ExitCode.INTERRUPTED]) is ExitCode.INTERRUPTED


def test_the_docs_have_the_same_table() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (\d+) \|", DOC.read_text("utf-8"), re.M)
    documented = [(int(code), name) for code, name, _ in rows]
    assert documented == [(code.value, code.name) for code in sorted(ExitCode)]
    by_rank = sorted(rows, key=lambda row: int(row[2]))
    assert [int(rank) for _, _, rank in by_rank] == list(range(1, len(PRECEDENCE) + 1))
    assert [name for _, name, _ in by_rank] == [code.name for code in PRECEDENCE]


def test_an_error_carries_what_to_type_next() -> None:
    error = errors.UsageError("no such matrix", hint="presets: lts")
    assert (str(error), error.hint, error.return_code) == ("no such matrix", "presets: lts", 2)
    assert errors.UsageError("x").hint == ""


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("ltss", "did you mean 'lts'?"),
        ("LTS", "did you mean 'lts'?"),
        ("every", "did you mean 'every-release'?"),
        ("xyz", ""),
    ],
)
def test_did_you_mean(word: str, answer: str) -> None:
    assert did_you_mean(word, ("lts", "every-release", "next")) == answer
