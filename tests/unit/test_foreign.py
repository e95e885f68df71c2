"""What is made of the JUnit XML of a command that djhop does not look into."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from djhop import masking, releases
from djhop.matrix.plan import Cell
from djhop.processes.process import Completed
from djhop.results import foreign, passes, results
from djhop.results.passes import Ran
from djhop.results.paths import Paths
from djhop.results.results import CellResult

UNITTEST = """\
<?xml version="1.0"?>
<testsuites><testsuite name="x"><properties/>
<testcase classname="shop.tests.T" name="test_pass" time="0.5"/>
<testcase classname="shop.tests.T" name="test_fail"><failure type="AssertionError" message="1 != 2">
Traceback (most recent call last):
  File "/cell/shop/tests.py", line 10, in test_fail
    self.assertEqual(1, 2)
AssertionError: 1 != 2</failure></testcase>
<testcase classname="shop.tests.T" name="test_error"><error
  type="KeyError" message="'x'"/></testcase>
<testcase classname="shop.tests.T" name="test_skip"><skipped message="why"/></testcase>
<testcase classname="unittest.loader._FailedTest" name="shop.broken"><error
  type="ImportError" message="no module"/></testcase>
</testsuite></testsuites>
"""
PYTEST = """\
<testsuites><testsuite name="pytest">
<testcase classname="tests.test_a" name="test_it[1]" time="0.1"><failure
  message="django.utils.deprecation.RemovedInDjango60Warning: old">E   old</failure></testcase>
<testcase classname="tests.test_a" name="test_twice" time="0.1"/>
<testcase classname="tests.test_a" name="test_twice" time="0.2"><error
  message="KeyError: 1"/></testcase>
<testcase classname="tests.test_a" name="test_xfail"><skipped
  type="pytest.xfail" message=""/></testcase>
<testcase classname="" name="tests.test_b"><error message="collection failure">x</error></testcase>
<testcase classname="" name="tests.test_c"><skipped
  message="collection skipped">x</skipped></testcase>
</testsuite></testsuites>
"""


def ran(tree: Path, *texts: str | bytes, code: int = 0, mode: passes.Mode = "plain") -> Ran:
    """A pass of a command that has written these files."""
    (tree / "reports").mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        data = text if isinstance(text, bytes) else text.encode()
        (tree / "reports" / f"{number}.xml").write_bytes(data)
    done = Completed(argv=("make", "test"), returncode=code, seconds=1.0)
    return passes.finish(mode, done, foreign.read(tree, "reports/*.xml", mode, done))


def built(tree: Path, *runs: Ran) -> CellResult:
    paths = Paths(root=str(tree), site_packages=(), hidden=(), import_roots=(".",))
    cell = Cell(django="5.2", python="3.12")
    return results.build(cell, runs, paths=paths, releases=releases.load())


def test_unittests_xml_is_read(tmp_path: Path) -> None:
    made = ran(tmp_path, UNITTEST, code=1)
    found = passes.outcomes(made)
    assert {name: seen.outcome for name, seen in found.items()} == {
        "shop.tests.T.test_pass": "passed",
        "shop.tests.T.test_fail": "failed",
        "shop.tests.T.test_error": "error",
        "shop.tests.T.test_skip": "skipped",
        "shop.broken": "error",
    }
    exc = found["shop.tests.T.test_fail"].exc
    assert exc is not None
    assert (exc.type, exc.message) == ("AssertionError", "1 != 2")
    assert exc.frames == (("/cell/shop/tests.py", 10, "test_fail", "self.assertEqual(1, 2)"),)
    assert found["shop.tests.T.test_pass"].seconds == 0.5
    assert found["shop.tests.T.test_skip"].reason == "why"
    assert list(made.events.collect_errors) == ["shop.broken"]


def test_what_a_failing_test_printed_is_read_masked_and_cut(tmp_path: Path) -> None:
    said = f"<system-out>{'x' * (foreign.PRINTED - 30)}hunter2 and more</system-out>"
    text = (
        f'<testsuite><testcase classname="a" name="bad">{said}'
        "<failure/><system-err>falling</system-err></testcase>"
        f'<testcase classname="a" name="fine">{said}</testcase></testsuite>'
    )
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/a.xml").write_text(text)
    done = Completed(argv=("x",), returncode=1, output=tmp_path / "o", seconds=1.0)
    found = foreign.read(
        tmp_path, "reports/*.xml", "plain", done, lambda text: text.replace("hunter2", "****")
    ).tests
    assert found["a.fine"].printed is None
    printed = found["a.bad"].printed
    assert printed is not None
    assert printed.head.startswith("--- stdout ---\nxxx")
    assert len(printed.head) == foreign.PRINTED
    assert printed.left_out == len("--- stdout ---\n\n--- stderr ---\nfalling**** and more") - 30
    assert "hunter" not in printed.text


def test_pytests_xml_is_read(tmp_path: Path) -> None:
    made = ran(tmp_path, PYTEST, code=1)
    found = passes.outcomes(made)
    assert {name: seen.outcome for name, seen in found.items()} == {
        "tests.test_a.test_it[1]": "failed",
        "tests.test_a.test_twice": "error",
        "tests.test_a.test_xfail": "xfailed",
        "tests.test_b": "error",
    }
    exc = found["tests.test_a.test_it[1]"].exc
    assert exc is not None
    assert exc.warning is exc
    assert (exc.name, exc.message) == ("RemovedInDjango60Warning", "old")


def test_a_command_that_writes_nothing_is_never_a_pass(tmp_path: Path) -> None:
    for texts in ((), ("<testsuites/>",)):
        result = built(tmp_path, ran(tmp_path, *texts))
        assert result.status == "no-tests"
        assert result.reason == "the command ended well, and no file that `junit` names has a test"
        assert any("reports/*.xml" in note for note in result.notes)


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        (2, "uncollectable", "the command ended with 2, and told of no test"),
        (127, "uncollectable", "'make': no such program in the cell, or it cannot be run"),
        (-9, "crashed", ""),
    ],
)
def test_a_command_that_fails_without_a_test(
    tmp_path: Path, code: int, status: str, told: str
) -> None:
    result = built(tmp_path, ran(tmp_path, code=code))
    assert result.status == status
    assert [failure.message for _, failure in result.failures] == ([told] if told else [])


def test_its_exit_status_counts(tmp_path: Path) -> None:
    fine = '<testsuite><testcase classname="a" name="b"/></testsuite>'
    assert built(tmp_path, ran(tmp_path, fine)).status == "passed"
    for code in (1, 5):
        result = built(tmp_path, ran(tmp_path, fine, code=code))
        assert (result.status, result.reason) == (
            "failed",
            f"every test is fine, and the suite exited with {code}",
        )


def test_strict_passes_are_not_believed_and_strict_failures_are(tmp_path: Path) -> None:
    case = '<testsuite><testcase classname="a" name="b"/><testcase classname="a" name="c">{}'
    end = "</testcase></testsuite>"
    text = case.format('<error type="DeprecationWarning" message="old"/>') + end
    strict = ran(tmp_path, text, code=1, mode="strict")
    following = passes.next_pass([strict])
    assert following is not None
    assert following.mode == "plain"
    plain = ran(tmp_path, case.format("") + end)
    assert passes.next_pass([strict, plain]) is None
    result = built(tmp_path, strict, plain)
    assert result.status == "deprecated"
    told = {test.id: (test.strict, test.plain, test.flaky) for test in result.tests}
    assert told == {"a.b": (None, "passed", False), "a.c": ("error", "passed", False)}


FINE = '<testsuite><testcase classname="a" name="b"/></testsuite>'


def test_a_fine_strict_run_is_followed_by_a_plain_one(tmp_path: Path) -> None:
    strict = ran(tmp_path, FINE, mode="strict")
    following = passes.next_pass([strict])
    assert following is not None
    assert following.mode == "plain"
    result = built(tmp_path, strict, ran(tmp_path, FINE))
    assert (result.status, result.counts["strict"].total) == ("passed", 0)
    assert any("not proven" in note for note in result.notes)


def test_whether_a_warning_explains_a_strict_failure_is_not_known(tmp_path: Path) -> None:
    text = FINE.replace("/></", '><error type="KeyError" message="old"/></testcase></')
    runs = ran(tmp_path, text, code=1, mode="strict"), ran(tmp_path, FINE)
    result = built(tmp_path, *runs)
    assert (result.status, result.tests[0].flaky) == ("deprecated", False)


def test_where_strict_ends_without_a_test_nothing_more_can_be_tried(tmp_path: Path) -> None:
    strict = ran(tmp_path, code=1, mode="strict")
    plain = ran(tmp_path, FINE)
    assert passes.next_pass([strict, plain]) is None
    result = built(tmp_path, strict, plain)
    assert (result.status, result.reason) == ("deprecated", "strict died outside the tests")


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<testsuite><testcase classname="a" name="&b;"/></testsuite>"""
FILE = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<testsuite><testcase classname="a" name="&a;"/></testsuite>"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "it has a document type"),
        (FILE, "it has a document type"),
        (BOMB.encode("utf-16"), "it has a document type"),
        ("<html><testcase name='x'/></html>", "its root is <html>"),
        ("<testsuite><testcase/></testsuite>", "a <testcase> in it has no name"),
        ("<testsuite><testcase classname='a' name='b'/>", "no element found"),
        ("", "no element found"),
        (b"\xff\xfe\x00", ""),
        ("<testsuite>" + "x" * 3000 + "</testsuite>", "it is larger than 2000 bytes"),
    ],
)
def test_hostile_and_broken_files_are_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, why: str
) -> None:
    monkeypatch.setattr(foreign, "FILE_LIMIT", 2000)
    fine = '<testsuite><testcase classname="a" name="fine"/></testsuite>'
    result = built(tmp_path, ran(tmp_path, fine, text))
    assert result.status == "crashed"
    (note,) = (note for note in result.notes if "cannot be read" in note)
    assert note.startswith(f"reports/1.xml cannot be read as JUnit XML: {why}")
    assert [test.id for test in result.tests] == ["a.fine"]


def test_only_what_this_run_wrote_is_read(tmp_path: Path) -> None:
    stale = tmp_path / "reports" / "old" / "stale.xml"
    stale.parent.mkdir(parents=True)
    stale.write_text(UNITTEST)
    outside = tmp_path / "outside.txt"
    outside.write_text(UNITTEST)
    link = tmp_path / "reports" / "link.xml"
    link.symlink_to(outside)
    assert foreign.files(tmp_path, "reports/**/*.xml") == [stale]
    foreign.clear(tmp_path, "reports/**/*.xml")
    assert not stale.exists()
    assert not link.is_symlink()
    assert outside.exists()


def test_numbers_that_are_none_are_no_time(tmp_path: Path) -> None:
    case = '<testcase classname="a" name="{0}" time="{0}"/>'
    text = "".join(case.format(word) for word in ("nan", "-1", "1e99", "x", "1,000.5"))
    found = passes.outcomes(ran(tmp_path, f"<testsuite>{text}</testsuite>"))
    assert [seen.seconds for seen in found.values()] == [0.0, 0.0, 1e7, 0.0, 0.0]


def test_nothing_behind_a_linked_folder_is_read_or_deleted(tmp_path: Path) -> None:
    outside, tree = tmp_path / "ci" / "results.xml", tmp_path / "tree"
    outside.parent.mkdir()
    outside.write_text(UNITTEST)
    tree.mkdir()
    (tree / "reports").symlink_to(outside.parent)
    assert foreign.files(tree, "reports/*.xml") == []
    foreign.clear(tree, "reports/*.xml")
    assert outside.read_text() == UNITTEST


def test_tests_that_differ_in_secrets_alone_stay_two(tmp_path: Path) -> None:
    hide = masking.numbered({"API_KEY": "testcase", "API_TOKEN": "123456"})
    cases = "".join(
        f'<testcase classname="t" name="a[{value}]" time="0.123456"><skipped message="{value}"/>'
        "</testcase>"
        for value in ("testcase", "123456")
    )
    (tmp_path / "r.xml").write_text(f"<testsuite>{cases}</testsuite>")
    done = Completed(argv=("make",), returncode=0, seconds=1.0)
    found = foreign.read(tmp_path, "*.xml", "plain", done, hide)
    assert {name: seen.reason for name, seen in found.tests.items()} == {
        "t.a[****1]": "****1",
        "t.a[****2]": "****2",
    }
    assert found.tests["t.a[****1]"].seconds == 0.123456


def test_a_message_of_megabytes_is_read_at_once(tmp_path: Path) -> None:
    """Piece by piece it would take minutes."""
    case = f'<testcase name="x"><failure message="{"a." * 8_000_000}"/></testcase>'
    started = time.monotonic()
    found = passes.outcomes(ran(tmp_path, f"<testsuite>{case}</testsuite>", code=1))
    assert time.monotonic() - started < 10
    assert found["x"].outcome == "failed"
