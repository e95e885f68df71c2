"""What failing tests printed: kept by the probe, bounded by the cell, shown by the reports."""

from __future__ import annotations

import importlib
import json
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import many
import msgspec
import pytest

import djhop
from djhop.reports.html import page
from djhop.results import events, outcomes, printed
from djhop.results.eventlog import Printed
from djhop.results.outcomes import Test as Case
from djhop.results.paths import Paths

PROBE = Path(djhop.__file__).parent / "probe"


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The probe's module, with a log of its own and one secret."""
    monkeypatch.syspath_prepend(str(PROBE))
    state = importlib.import_module("djhop_probe_state")
    made = importlib.import_module("djhop_probe_printed")
    state.STATE.events = state.Events(str(tmp_path / "events"), {"hunter2": "****1"})
    yield made
    for name in [name for name in sys.modules if name.startswith("djhop_probe")]:
        del sys.modules[name]


def report(*sections: tuple[str, str], outcome: str = "failed") -> Any:
    return SimpleNamespace(outcome=outcome, sections=list(sections))


class TestProbe:
    def test_what_pytest_captured_of_a_failure(self, probe: ModuleType) -> None:
        said = [("Captured stdout call", "walking\n"), ("Captured log call", "WARNING x")]
        found = probe.Printed().of_report(report(*said))
        text = "--- Captured stdout call ---\nwalking\n--- Captured log call ---\nWARNING x"
        assert found == {"head": text, "tail": "", "left_out": 0}
        assert probe.Printed().of_report(report(*said, outcome="passed")) is None
        assert probe.Printed().of_report(report()) is None

    def test_long_output_keeps_its_head_and_tail(self, probe: ModuleType) -> None:
        text = "a" * 50_000 + "z" * 5_000
        found = probe.Printed().of_report(report(("out", text)))
        whole = f"--- out ---\n{text}"
        assert (found["head"], found["tail"]) == (whole[:4000], whole[-4000:])
        assert found["left_out"] == len(whole) - 8000

    def test_a_secret_is_masked_before_it_is_cut(self, probe: ModuleType) -> None:
        for before in range(3970, 4000):
            found = probe.Printed().of_report(report(("o", "x" * before + "hunter2" + "y" * 9000)))
            assert "hun" not in found["head"] + found["tail"]

    def test_a_process_has_so_much_room(self, probe: ModuleType) -> None:
        kept = probe.Printed(room=100)
        first, second, third = (kept.of_report(report(("o", c * 60))) for c in "abc")
        assert first["left_out"] == 0
        assert second == {"head": "", "tail": "", "left_out": len("--- o ---\n") + 60}
        assert third["left_out"] == 70

    def test_unittest_is_read_only_where_it_buffers(self, probe: ModuleType) -> None:
        found: list[Any] = []

        class Result(unittest.TestResult):
            def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
                found.append(probe.Printed().of_result(self))
                super().addFailure(test, err)

        def fails() -> None:
            sys.stdout.write("walking\n")
            sys.stderr.write("falling\n")
            raise AssertionError

        for buffer in (False, True):
            result = Result()
            result.buffer = buffer
            unittest.FunctionTestCase(fails).run(result)
        text = "--- stdout ---\nwalking\n--- stderr ---\nfalling"
        assert found == [None, {"head": text, "tail": "", "left_out": 0}]

    def test_what_a_runner_has_of_its_own_costs_no_failure(
        self, probe: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdout", object())
        result = SimpleNamespace(buffer=True, _stdout_buffer=sys.stdout)
        assert probe.Printed().of_result(result) is None
        for sections in (None, [("name",)], 7):
            odd = SimpleNamespace(outcome="failed", sections=sections)
            assert probe.Printed().of_report(odd) is None

    def test_a_line_that_is_too_long_drops_it_first(
        self, probe: ModuleType, tmp_path: Path
    ) -> None:
        state = importlib.import_module("djhop_probe_state")
        exc = {"message": "why", "frames": [["f.py", 1, "f", "x" * 250_000]]}
        text = {"head": "h" * 4000, "tail": "\U0001f600" * 4000, "left_out": 7}
        state.emit("report", id="a", exc=exc, printed=text)
        (line,) = map(json.loads, (tmp_path / "events").read_text().splitlines())
        assert line["printed"] == {"left_out": 8007}
        assert line["exc"] == exc


def test_it_goes_with_the_report_that_decides(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    rows = [
        {"e": "start", "id": "t", "pid": 1},
        {"e": "report", "id": "t", "pid": 1, "when": "call", "outcome": "failed",
         "printed": {"head": "call", "tail": "", "left_out": 0}},
        {"e": "report", "id": "t", "pid": 1, "when": "teardown", "outcome": "failed",
         "printed": {"head": "call and teardown"}},
    ]  # fmt: skip
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert events.read(log).tests["t"].printed == Printed(head="call")


def cases(*plain: str) -> list[Case]:
    said = Printed(head="x" * 50, tail="y" * 50)
    return [
        Case(id=str(n), plain=outcome, strict="failed", printed=said)
        for n, outcome in enumerate(plain)
    ]


def test_a_cell_keeps_what_failed_plainly_first() -> None:
    kept = printed.bounded(cases("passed", "failed", "failed"), room=250)
    assert [test.printed and test.printed.left_out for test in kept] == [100, 0, 0]
    assert [test.printed and test.printed.size for test in kept] == [0, 100, 100]
    assert outcomes.bounded is printed.bounded


def test_files_are_named_as_in_a_traceback() -> None:
    where = Paths(root="/cells/one/tree", site_packages=("/envs/1/lib/site",), import_roots=(".",))
    said = Printed(
        head='File "/cells/one/tree/a.py"', tail='File "/envs/1/lib/site/django/b.py"', left_out=1
    )
    shortened = outcomes.Failures(where).printed(said)
    assert shortened == Printed(head='File "a.py"', tail='File "django/b.py"', left_out=1)


def test_what_is_left_out_is_said() -> None:
    assert Printed(head="a", tail="b", left_out=1200).text == (
        "a\n… 1,200 characters are left out …\nb"
    )
    assert Printed(head="a", tail="b").text == "ab"


def test_a_cell_of_an_older_djhop_is_read() -> None:
    whole = msgspec.json.decode(msgspec.json.encode(cases("failed")[0]))
    del whole["printed"]
    assert msgspec.convert(whole, Case).printed is None


def test_the_page_counts_what_it_has_no_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    run, results = many.every_kind()
    said = "that failing tests printed, the middle or all"
    assert f"of 5 texts {said}" in page.compose(run, results), "many.tests leaves some out"
    monkeypatch.setattr("djhop.reports.html.prints.ROOM", 0)
    assert f"of 6 texts {said}" in page.compose(run, results)
