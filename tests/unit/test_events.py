"""The event reader: whatever is in the log, something true comes out, and never an exception."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djhop.errors import InfraError
from djhop.results import events, jsonlines
from djhop.results.events import PassEvents


def line(kind: str, **fields: Any) -> bytes:
    return json.dumps({"e": kind, "t": 1.5, "pid": 7, **fields}).encode() + b"\n"


def read(tmp_path: Path, *lines: bytes) -> PassEvents:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(lines))
    return events.read(path)


def test_a_pass_from_begin_to_end(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("begin", python="3.12.1", django="5.2.1", framework="pytest 9.2.0", mode="strict"),
        line("collected", ids=["a", "b"]),
        line("canary", ok=True, id="a", how="native"),
        line("start", id="a"),
        line("report", id="a", when="setup", outcome="passed", seconds=0.25),
        line("report", id="a", when="call", outcome="passed", seconds=0.5),
        line("report", id="a", when="teardown", outcome="passed", seconds=0.25),
        line("stop", id="a"),
        line("end", code=0, ran=1),
    )
    assert (found.python, found.django, found.framework) == ("3.12.1", "5.2.1", "pytest 9.2.0")
    assert list(found.collected) == ["a", "b"]
    assert found.tests["a"].outcome == "passed"
    assert found.tests["a"].seconds == 1.0
    assert (found.ended, found.code, found.ran, found.running) == (True, 0, 1, ())
    assert found.canary_ok and not found.canary_failed


def test_a_further_process_goes_on_where_one_has_ended(tmp_path: Path) -> None:
    exc = {"name": "Crash", "message": "the process ended"}
    found = read(
        tmp_path,
        line("begin", pid=1, python="3.12.1", django="5.2.1", framework="django"),
        line("collected", pid=1, ids=["a", "b", "c"]),
        line("warning", pid=1, category="W", mro=["DeprecationWarning"], message="at import"),
        line("start", pid=1, id="a"),
        line("start", pid=2, id="b"),
        line("report", pid=2, id="b", when="whole", outcome="failed", exc={"name": "Beside"}),
        line("end", pid=1, code=143, ran=0),
        line("ended", id="a", why="hang", exc=exc),
        line("begin", pid=3, python="3.12.1", django="5.2.1", framework="django"),
        line("collected", pid=3, ids=["b", "c"]),
        line("warning", pid=3, category="W", mro=["DeprecationWarning"], message="at import"),
        line("start", pid=3, id="b"),
        line("report", pid=3, id="b", when="whole", outcome="passed", seconds=1.0),
        line("stop", pid=3, id="b"),
        line("start", pid=3, id="c"),
    )
    assert {test: seen.outcome for test, seen in found.tests.items()} == {
        "a": "crashed",
        "b": "passed",
        "c": "",
    }
    assert found.tests["a"].exc is not None
    assert found.tests["a"].exc.name == "Crash"
    assert (found.tests["b"].exc, found.tests["b"].seconds) == (None, 1.0)
    assert (found.ends, found.starts, found.running) == ({"a": "hang"}, 2, ("c",))
    assert (found.ran, found.ended) == (1, False)
    # Modules are loaded again, and warn again.
    assert [warning.count for warning in found.warnings] == [1]


@pytest.mark.parametrize(
    ("reports", "outcome", "when"),
    [
        ([("setup", "passed"), ("call", "passed"), ("teardown", "passed")], "passed", "call"),
        ([("setup", "failed"), ("teardown", "passed")], "error", "setup"),
        ([("setup", "error"), ("teardown", "passed")], "error", "setup"),
        ([("setup", "passed"), ("call", "failed"), ("teardown", "error")], "failed", "call"),
        ([("setup", "passed"), ("call", "passed"), ("teardown", "error")], "error", "teardown"),
        ([("setup", "skipped"), ("teardown", "passed")], "skipped", "setup"),
        ([("setup", "passed"), ("call", "xfailed"), ("teardown", "passed")], "xfailed", "call"),
        ([("setup", "passed"), ("call", "xpassed"), ("teardown", "passed")], "xpassed", "call"),
        ([("setup", "passed"), ("teardown", "passed")], "", ""),
        ([("whole", "failed")], "failed", "whole"),
        ([("call", "something new")], "", ""),
    ],
)
def test_the_worst_phase_is_the_tests(
    tmp_path: Path, reports: list[tuple[str, str]], outcome: str, when: str
) -> None:
    lines = [line("report", id="a", when=phase, outcome=told) for phase, told in reports]
    seen = read(tmp_path, line("start", id="a"), *lines, line("stop", id="a")).tests["a"]
    assert (seen.outcome, seen.when) == (outcome, when)


def test_a_failed_subtest_fails_its_test_and_a_passed_one_says_nothing(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("report", id="a", when="call", outcome="failed", sub="[1]"),
        line("report", id="a", when="call", outcome="passed"),
        line("report", id="b", when="call", outcome="skipped", sub="[1]"),
        line("report", id="b", when="call", outcome="passed"),
    )
    assert [seen.outcome for seen in found.tests.values()] == ["failed", "passed"]


def test_what_several_processes_repeat_counts_once(tmp_path: Path) -> None:
    twice = [
        line("report", id="a", when="call", outcome="passed", seconds=1.0).replace(b"7", pid)
        for pid in (b"7", b"8")
    ]
    start = line("start", id="a")
    found = read(
        tmp_path, start, *twice, line("stop", id="a"), start.replace(b'"pid": 7', b'"pid": 8')
    )
    assert found.tests["a"].seconds == 1.0
    assert found.running == ()


def test_a_test_that_never_ended_was_running(tmp_path: Path) -> None:
    found = read(tmp_path, line("start", id="a"), line("stop", id="a"), line("start", id="b"))
    assert found.running == ("b",)
    assert not found.ended


def test_errors_around_the_tests(tmp_path: Path) -> None:
    exc = {"type": "ImportError", "name": "ImportError", "mro": ["ImportError"], "message": "x"}
    cause = {"type": "a.W", "name": "W", "mro": ["a.W", "DeprecationWarning", "Warning"]}
    found = read(
        tmp_path,
        line("collecterror", id="tests/test_a.py", exc={**exc, "cause": cause, "frames": []}),
        line("classerror", id="t.A", when="setUpClass", exc=None),
        line("fatal", exc=exc),
        line("refused", reason="wrong-django", expected="4.2", found=None),
        line("note", text="said"),
        line("note", text="said"),
        line("canary", ok=False, id="x", how="probe"),
        line("raised", id=None),
        line("raised", id="x"),
    )
    error = found.collect_errors["tests/test_a.py"]
    assert error is not None and error.warning is not None and error.warning.name == "W"
    assert found.class_errors == {"t.A": (None, "setUpClass")}
    assert found.fatal is not None and found.fatal.type == "ImportError"
    assert found.refused == ("4.2", "none")
    assert (found.notes, found.canary_failed) == (("said",), {"x"})
    assert found.raised == {"", "x"}


WARNING: dict[str, Any] = {
    "category": "RemovedInDjango60Warning",
    "category_module": "django.utils.deprecation",
    "mro": ["django.utils.deprecation.RemovedInDjango60Warning", "DeprecationWarning", "Warning"],
    "message": "old",
    "file": "/t/a.py",
    "line": 3,
    "stack": [["/t/a.py", 3, "f"]],
    "when": "runtest",
    "fatal": False,
}


def test_equal_warnings_are_one_and_a_missing_stack_joins_its_place(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("warning", **WARNING, id="a"),
        line("warning", **WARNING, id="b"),
        line("warning", **{**WARNING, "stack": []}, id="c"),
        line("warning", **{**WARNING, "stack": [["/t/b.py", 1, "g"]]}, id="d"),
        line("warning", **{**WARNING, "when": "import"}, id=None),
    )
    assert [(seen.count, list(seen.tests)) for seen in found.warnings] == [
        (3, ["a", "b", "c"]),
        (1, ["d"]),
        (1, []),
    ]
    assert found.warned == {"a", "b", "c", "d"}
    assert found.warned_outside


def test_warnings_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WARNING_LIMIT", 5)
    monkeypatch.setattr(events, "TESTS_LIMIT", 2)
    many = [line("warning", **{**WARNING, "message": f"m{n}"}, id="a") for n in range(9)]
    same = [line("warning", **{**WARNING, "message": "m0"}, id=f"t{n}") for n in range(9)]
    found = read(tmp_path, *many, *same)
    assert (len(found.warnings), found.dropped_warnings) == (5, 4)
    assert len(found.warnings[0].tests) == 2
    assert found.warnings[0].count == 10


def test_warnings_that_differ_in_their_words_share_the_rest(tmp_path: Path) -> None:
    """Twenty thousand with stacks of forty frames would else be hundreds of megabytes."""
    many = [line("warning", **{**WARNING, "message": f"m{n}"}, id="a") for n in range(3)]
    one, *others = [seen.event for seen in read(tmp_path, *many).warnings]
    assert len(others) == 2
    for other in others:
        assert other.message != one.message
        assert other.stack is one.stack
        assert other.mro is one.mro
        assert other.file is one.file


@pytest.mark.parametrize(
    "broken",
    [
        b'{"e":"start","id":"cu',
        b"garbage\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"e":"start","id":3}\n',
        b'{"e":"a kind of tomorrow"}\n',
        b'{"e":"start","id":"x","pid":' + b"9" * 5000 + b"}\n",
    ],
)
def test_a_broken_line_costs_itself_only(tmp_path: Path, broken: bytes) -> None:
    found = read(tmp_path, line("start", id="a"), broken, b"\n", line("stop", id="a"))
    cut = not broken.endswith(b"\n")
    assert list(found.tests) == ["a"]
    assert found.unreadable == 1
    assert found.running == () or cut


def test_nuls_of_a_torn_write_are_skipped(tmp_path: Path) -> None:
    found = read(tmp_path, b"\0\0\0" + line("start", id="a"), line("stop", id="a"))
    assert list(found.tests) == ["a"]
    assert found.unreadable == 0


def test_lone_surrogates_and_raw_bytes_become_text_that_can_be_written(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        b'{"e":"start","id":"a\\ud800"}\n',
        b'{"e":"note","text":"caf\xe9"}\n',
    )
    assert list(found.tests) == ["a\\ud800"]
    assert found.notes == ("caf\N{REPLACEMENT CHARACTER}",)


def test_an_endless_line_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "CHUNK", 100)
    monkeypatch.setattr(jsonlines, "LINE_LIMIT", 300)
    found = read(tmp_path, b"x" * 10_000 + b"\n", line("start", id="a"))
    assert list(found.tests) == ["a"]
    assert found.unreadable == 1


def test_a_missing_log_is_a_pass_that_never_began(tmp_path: Path) -> None:
    assert not events.read(tmp_path / "none").began


def test_a_log_that_cannot_be_read_is_infrastructure(tmp_path: Path) -> None:
    with pytest.raises(InfraError):
        events.read(tmp_path)


KINDS = [
    "begin", "refused", "fatal", "collected", "raised", "canary", "start", "report", "stop",
    "collecterror", "classerror", "warning", "note", "end", "new",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["id", "pid", "exc", "when", "outcome", "seconds", "ids", "n", "ok", "stack", "mro", "text"]
)
OBJECTS = st.builds(
    lambda kind, rest: json.dumps({**rest, "e": kind}).encode(),
    st.sampled_from(KINDS),
    st.dictionaries(FIELDS, VALUES, max_size=5),
)


@given(st.lists(st.binary(max_size=80) | OBJECTS, max_size=12), st.sampled_from([b"\n", b""]))
def test_no_bytes_raise(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    path.write_bytes(b"\n".join(lines) + end)
    found = events.read(path)
    json.dumps(list(found.tests)).encode("utf-8")
    assert all(isinstance(seen.outcome, str) for seen in found.tests.values())


@given(st.integers(min_value=0, max_value=2000))
def test_a_log_cut_anywhere_says_what_its_whole_lines_say(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    tests = [f"t{n}" for n in range(8)]
    log = b"".join(
        line("start", id=t) + line("report", id=t, when="call", outcome="passed") for t in tests
    )
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    path.write_bytes(log[:cut])
    found = events.read(path)
    whole = log[:cut].count(b'"passed"')
    assert found.ran in (whole, whole - 1)
    assert found.unreadable <= 1
