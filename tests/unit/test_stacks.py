"""Of all the stacks that a process has dumped, the one of the test that was running."""

from __future__ import annotations

from pathlib import Path

import pytest

from djhop.results import stacks

#: As Python 3.12 writes it at a signal: the newest thread first, the first one last.
DUMP = """\
Thread 0x00007f01 (most recent call first):
  File "/lib/threading.py", line 320 in wait
  File "/tree/jobs.py", line 4 in loop
  File "/lib/threading.py", line 1002 in run

Current thread 0x00007f02 (most recent call first):
  File "/lib/ctypes/__init__.py", line 525 in string_at
  File "/tree/shop/models.py", line 9 in total
  File "/tree/tests/test_a.py", line 13 in test_b
  File "/lib/unittest/case.py", line 589 in _callTestMethod
  File "/tree/manage.py", line 7 in <module>
  File "/probe/djhop_probe.py", line 85 in _run
"""
OF_TEST = (
    ("/tree/tests/test_a.py", 13, "test_b", ""),
    ("/tree/shop/models.py", 9, "total", ""),
    ("/lib/ctypes/__init__.py", 525, "string_at", ""),
)


@pytest.mark.parametrize(
    "test", ["tests/test_a.py::Kind::test_b[1::2]", "tests.test_a.Kind.test_b"]
)
def test_the_frames_of_a_test_begin_in_the_project(test: str) -> None:
    assert stacks.frames(DUMP, test, "/tree") == OF_TEST
    # Whoever dumped last: of several processes each has its first thread.
    first, second = DUMP.split("\n\n")
    assert stacks.frames(f"{second}\n{first}\n", test, "/tree/") == OF_TEST


def test_a_test_without_a_frame_of_its_name_is_in_the_last_thread_of_the_project() -> None:
    assert stacks.frames(DUMP, "tests.test_a.Kind.test_other", "/tree") == OF_TEST


@pytest.mark.parametrize("text", ["", "Fatal Python error: Aborted\n", "\0\0", DUMP[:60]])
def test_no_frame_of_the_project_is_nothing(text: str) -> None:
    assert stacks.frames(text, "tests.test_a.Kind.test_b", "/tree") == ()


def test_each_process_has_a_dump_and_of_one_without_end_the_end_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "LIMIT", len(DUMP))
    path = tmp_path / "stacks.txt"
    (tmp_path / "stacks.txt.17").write_text("x" * 5000 + DUMP)
    (tmp_path / "stacks.txt.18").write_text("more\n")
    (tmp_path / "stacks.txt.19").touch()
    assert stacks.gather(path) == f"{DUMP}more\n"
    assert [file.name for file in tmp_path.iterdir()] == ["stacks.txt"]
    assert path.read_text() == f"{DUMP}more\n"


def test_no_dump_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "stacks.txt.17").touch()
    assert stacks.gather(tmp_path / "stacks.txt") == ""
    assert list(tmp_path.iterdir()) == []


def test_lines_of_source_are_masked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one()\nlogin('hunter22')\n")
    found = ((str(tmp_path / "a.py"), 2, "test_b", ""),)
    exc = stacks.exception("Crash", "ended", found, lambda text: text.replace("hunter22", "***1"))
    assert (exc.name, exc.message, exc.frames[0][3]) == ("Crash", "ended", "login('***1')")
