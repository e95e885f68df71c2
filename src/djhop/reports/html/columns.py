"""The tests of all cells as columns: a character or a number for each test in each cell."""

from __future__ import annotations

from typing import Any

from djhop.compare.changes import plainly, suite
from djhop.compare.fingerprints import fingerprint
from djhop.reports.html.failures import Failures
from djhop.reports.html.prints import Prints
from djhop.reports.html.texts import line
from djhop.results.results import CellResult, Outcome

#: Outcome → the character that stands for it; "." is none.
CODES: dict[Outcome | None, str] = {
    "passed": "p",
    "failed": "f",
    "error": "e",
    "skipped": "s",
    "xfailed": "x",
    "xpassed": "X",
    "crashed": "c",
    "not-run": "n",
    None: ".",
}
MILLISECONDS = 1000


class Columns:
    """Takes one cell after the other, so that none has to stay in memory."""

    def __init__(self, failures: Failures, prints: Prints) -> None:
        #: Id of each test, as a page may show it; the number of a test is its place here.
        self.ids: list[str] = []
        self._numbers: dict[str, int] = {}
        self._failures = failures
        self._prints = prints

    def number(self, test: str) -> int:
        """Return the number of a test, a new one where it was not seen before."""
        if test not in self._numbers:
            self._numbers[test] = len(self.ids)
            self.ids.append(line(test))
        return self._numbers[test]

    def numbers(self, tests: tuple[str, ...]) -> list[int]:
        """Return the numbers of several tests."""
        return [self.number(test) for test in tests]

    def take(self, result: CellResult) -> dict[str, Any]:
        """Return the columns of one cell.

        A column ends at the last test that the cell has. "fail", "skip", "sub" and "printed" are
        pairs of a test's number and what is said of it.
        """
        tests = [(self.number(test.id), test) for test in suite(result)]
        size = max((number for number, _ in tests), default=-1) + 1
        plain, strict, times = ["."] * size, ["."] * size, [0] * size
        column: dict[str, Any] = {"fail": [], "skip": [], "sub": [], "flaky": []}
        column["printed"] = []
        for number, test in tests:
            plain[number] = CODES[plainly(test)]
            strict[number] = CODES[test.strict]
            times[number] = round(test.seconds * MILLISECONDS)
            if test.failure is not None:
                cause = test.cause or fingerprint(test.failure)
                column["fail"].append((number, self._failures.number(test.failure, cause)))
            if test.skip_reason:
                column["skip"].append((number, line(test.skip_reason)))
            if test.subtests:
                column["sub"].append((number, [line(name) for name in test.subtests]))
            if test.printed is not None:
                column["printed"].append((number, self._prints.number(test.printed)))
            if test.flaky:
                column["flaky"].append(number)
        outside = [
            (line(name), self._failures.number(failure, fingerprint(failure)))
            for name, failure in result.failures
        ]
        return {
            **column,
            "plain": "".join(plain),
            "strict": "".join(strict),
            "ms": times,
            "outside": outside,
        }
