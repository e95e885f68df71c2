"""The oracle's own reading, on texts as each Python and pytest writes them."""

from __future__ import annotations

from pathlib import Path

import oracle
import pytest

RULE = "=" * 70


@pytest.mark.parametrize("owner", ["app.tests.Case", "app.tests.Case.test_a"])
def test_a_test_has_one_id_on_every_python(owner: str) -> None:
    assert oracle.read_unittest(f"test_a ({owner}) ... ok\n")[0] == {
        "app.tests.Case.test_a": "passed"
    }


def test_every_word_of_unittest() -> None:
    words = {
        "ok": "passed",
        "FAIL": "failed",
        "ERROR": "error",
        "skipped 'no \"storage\" here'": "skipped",
        "expected failure": "xfailed",
        "unexpected success": "xpassed",
    }
    text = "".join(f"test_{n} (m.C) ... {word}\n" for n, word in enumerate(words))
    outcomes, broken = oracle.read_unittest(text)
    assert list(outcomes.values()) == list(words.values())
    assert not broken


def test_output_and_docstrings_between_the_name_and_the_word() -> None:
    text = "test_a (m.C)\nSays it is ok ... printed\nnoise\nok\ntest_b (m.C) ... FAIL\n"
    assert oracle.read_unittest(text)[0] == {"m.C.test_a": "passed", "m.C.test_b": "failed"}


def test_what_is_no_test_is_broken() -> None:
    sections = ["ERROR: setUpClass (m.C)", "ERROR: pkg.mod (unittest.loader._FailedTest.pkg.mod)"]
    text = "\n".join(["", *(f"{RULE}\n{section}\n{'-' * 70}" for section in sections)])
    outcomes, broken = oracle.read_unittest(text)
    assert outcomes == {}
    assert broken == {"m.C": "ERROR", "pkg.mod": "ERROR"}


def test_a_message_cannot_pose_as_a_section() -> None:
    text = f"test_a (m.C) ... FAIL\n\n{RULE}\nFAIL: test_a (m.C)\n{'-' * 70}\nFAIL: test_b (m.C)\n"
    assert oracle.read_unittest(text)[0] == {"m.C.test_a": "failed"}


def test_node_ids_come_back_from_junit(tmp_path: Path) -> None:
    xml = tmp_path / "junit.xml"
    xml.write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.test_a.Case" name="test_x[1.5]"/>
        <testcase classname="tests.test_a" name="test_y"><failure message="no"/></testcase>
        <testcase classname="tests.test_a" name="test_y"><error message="teardown"/></testcase>
        <testcase classname="tests.test_a" name="test_z"/>
        <testcase classname="" name="tests.test_b"><error message="collection failure"/></testcase>
        </testsuite></testsuites>"""
    )
    files = frozenset({"tests/test_a.py", "tests/test_b.py"})
    out = "XPASS tests/test_a.py::test_z - surprising\n"
    outcomes, broken = oracle.read_pytest(xml, out, files)
    assert outcomes == {
        "tests/test_a.py::Case::test_x[1.5]": "passed",
        "tests/test_a.py::test_y": "failed",
        "tests/test_a.py::test_z": "xpassed",
    }
    assert broken == {"tests/test_b.py": "collection failure"}


def test_every_target_says_what_is_expected() -> None:
    targets = Path(oracle.__file__).parent / "targets"
    for folder in (path.parent for path in targets.glob("*/expected.toml")):
        for suite in oracle.expected(folder):
            assert len(suite.status) == len(suite.ends_in) == len(suite.cells) == 2, suite.id
            for cell in suite.cells:
                assert {*suite.outcomes(cell, "plain").values()} <= {*oracle.GRAVITY}, suite.id
                found = {*suite.found(cell).values()} - {"crashed", "not-run", "unproven"}
                assert found <= {*oracle.GRAVITY}, suite.id
