"""Says at the end how much was tried."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for key, value in report.user_properties
        if key == "fuzz"
    ]
    for name, tried, refused, slowest in sorted(found):
        terminalreporter.write_line(
            f"{name}: {tried:,} inputs, {refused:,} refused, the slowest {slowest} s"
        )
    if found:
        total = sum(tried for _, tried, _, _ in found)
        terminalreporter.write_line(f"inputs tried: {total:,}, parsers: {len(found)}")
