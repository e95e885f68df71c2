"""JUnit XML: how many tests pytest's own has, and a cell's, made from its result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from junitparser import JUnitXml, TestCase

    from djhop.results.outcomes import Test
    from djhop.results.results import CellResult

#: What XML 1.0 cannot hold, not even escaped. https://www.w3.org/TR/xml/#charsets
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Longest message, in characters.
_LIMIT = 20_000


def count(path: Path) -> int | None:
    """Count the tests in pytest's XML; None where there is none that can be read.

    pytest writes a second testcase for a test that fails and then fails to tear down, and one
    without a class for a module that is skipped or cannot be collected: neither is a further test.
    """
    from djhop.results import foreign

    # Not junitparser: the tests could have written the file as well, and there is no telling what.
    names = foreign.names(path)
    return None if names is None else len({(group, name) for group, name in names if group})


def to_junit(result: CellResult) -> JUnitXml:
    """Make the JUnit XML of a cell: plain outcomes, or strict ones where there are no plain.

    A test that only fails strictly passes here; its deprecation is in `system-err`.
    """
    from junitparser import JUnitXml, TestSuite

    suite = TestSuite(xml_safe(result.id))
    suite.add_property("status", result.status)
    suite.add_testcases([_case(test) for test in result.tests])
    xml = JUnitXml(xml_safe(result.id))
    xml.add_testsuite(suite)
    return xml


def _case(test: Test) -> TestCase:
    from junitparser import Error, Failure, Skipped, TestCase

    module, name = _split(test.id)
    case = TestCase(xml_safe(name), xml_safe(module), test.seconds)
    outcome = test.plain or test.strict or "not-run"
    failure = test.failure
    text = xml_safe(f"{failure.exception}: {failure.message}"[:_LIMIT]) if failure else outcome
    if outcome in ("failed", "xpassed"):
        case.result = [Failure(text)]
    elif outcome in ("error", "crashed"):
        case.result = [Error(text)]
    elif outcome in ("skipped", "xfailed", "not-run"):
        case.result = [Skipped(xml_safe(test.skip_reason or outcome))]
    elif failure is not None:
        case.system_err = f"strict: {text}"
    return case


def _split(test_id: str) -> tuple[str, str]:
    """Split an id into class and name, as pytest and unittest do in their own XML."""
    if "::" in test_id:
        path, _, rest = test_id.partition("::")
        head, bracket, parameters = rest.partition("[")
        *classes, name = head.split("::")
        module = path.removesuffix(".py").replace("/", ".")
        return ".".join([module, *classes]), name + bracket + parameters
    module, _, name = test_id.rpartition(".")
    return module, name


def xml_safe(text: str) -> str:
    """Return the text with what XML cannot hold written as a Python escape."""
    return _ILLEGAL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
