"""What tests/fuzz has found: texts that others wrote, and that were no error of djhop's own."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import coverage
import msgspec
import pytest

from djhop import cli, durable
from djhop.errors import ExitCode, UsageError
from djhop.matrix import config, flaky, strict
from djhop.processes.process import Completed
from djhop.resolve import lockstore, proofs
from djhop.results import junit, measure
from djhop.results.outcomes import Failures
from djhop.results.paths import Paths
from djhop.results.progress import Tally
from djhop.steps import reading
from djhop.target import current, pytest_config, requirement_files, toxfile, tree
from djhop.target.metadata import Metadata

DEEP = "[" * 3000


@pytest.mark.parametrize("text", [f"a = {DEEP}", "a = " + "9" * 5000, "a = " + "{b=" * 2000])
def test_a_matrix_too_deep_or_a_number_too_long_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(UsageError, match=r"m\.toml"):
        strict.read_toml(tmp_path / "m.toml")
    with pytest.raises(UsageError, match=r"m\.toml"):
        flaky.read(tmp_path, "m.toml")


def test_lists_too_deep_to_be_shown_are_refused(tmp_path: Path) -> None:
    text = f"[tool.pytest.ini_options]\naddopts = {'[' * 250}{']' * 250}"
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match="nested too deeply"):
        pytest_config.read(tmp_path)
    assert tree.read_toml(tmp_path, "none.toml") == {}


def test_what_no_file_can_be_called_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"-r {'x' * 5000}\n")
    with pytest.raises(UsageError, match=r"requirements\.txt:1: there is no file"):
        requirement_files.read(tmp_path / "requirements.txt", tmp_path)
    (tmp_path / "requirements.txt").write_text(f"a{'/' * 300}{'[' * 3000}\n")
    with pytest.raises(UsageError, match="is not a requirement"):
        requirement_files.read(tmp_path / "requirements.txt", tmp_path)
    (tmp_path / "tox.ini").write_text(f"[testenv]\ndeps = -r{'x' * 5000}\n")
    assert toxfile.read(tmp_path).path == "tox.ini"


def test_digits_that_no_version_has_are_none(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text(f"3.{'9' * 5000}\n3.1٢\n3.12\n")
    assert current.pythons(tmp_path, Metadata(), [])[0] == ("3.12",)


@pytest.mark.parametrize("key", ["from", "python"])
def test_a_version_of_too_many_digits_is_wrong(key: str) -> None:
    with pytest.raises(UsageError, match=key):
        config.parse({key: "4." + "9" * 5000}, "m.toml")


@pytest.mark.parametrize("encoding", ["utfm8", "rot13", "hex"])
def test_xml_in_an_encoding_that_nobody_knows_is_not_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><testsuite/>')
    assert junit.count(tmp_path / "x.xml") is None


def test_damaged_coverage_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "coverage"
    data = coverage.CoverageData(basename=str(file))
    data.add_lines({"/cell/a.py": [1]})
    data.write()
    data.close()
    for damage in ("update line_bits set numbits = 7", "drop table line_bits"):
        with sqlite3.connect(file) as connection:
            connection.execute(damage)
        connection.close()
        assert measure.executed(file) == {}
    (tmp_path / "pyproject.toml").write_text(f"[tool.coverage]\na = {DEEP}")
    assert measure.options(tmp_path) == measure.Options()


@pytest.mark.parametrize("data", [b'{"\xf2unning": "x"}', b'{"running": "\xff"}', DEEP.encode()])
def test_a_step_that_wrote_rubbish_has_failed(data: bytes, tmp_path: Path) -> None:
    paths = Paths(root="/cell", site_packages=("/sp",))
    sources = reading.Sources(django="5.2", tree=Path("/cell"), site_packages=Path("/sp"))
    for timed_out, status in ((True, "timed-out"), (False, "failed")):
        done = Completed(argv=("x",), returncode=1, seconds=1.0, timed_out=timed_out)
        for name in ("step.json", "step.json.running"):
            (tmp_path / name).write_bytes(data)
        found = reading.read("checks", tmp_path / "step.json", done, Failures(paths), sources)
        assert found.status == status


def test_a_deep_line_of_a_log_is_passed_over(tmp_path: Path) -> None:
    deep = b'{"e":"stop","x":' + b"[" * 5000 + b"]" * 5000 + b"}\n"
    (tmp_path / "log").write_bytes(deep + b'{"e":"stop","id":"b"}\n')
    assert Tally(tmp_path / "log").look() == (2, 0)


@pytest.mark.parametrize("data", [b"\xff", b"", b'{"lock": ' + b"[" * 5000, b'{"created": 9e999}'])
def test_a_damaged_file_of_the_cache_is_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_bytes(data)
    assert lockstore.load(tmp_path / "lock.json") is None


def test_a_file_of_ours_that_is_too_deep_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b'{"format": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    with pytest.raises(UsageError, match=r"run\.json is damaged"):
        durable.read(tmp_path / "run.json", msgspec.defstruct("Run", [("format", int)]), 1)


def test_a_word_without_end_does_not_keep_djhop_busy() -> None:
    text = f"error: No solution found when resolving dependencies: {'a.' * 20_000}!"
    began = time.process_time()
    assert proofs.read(text).kind == "conflict"
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "error: Failed to fetch: `http://i/files/django-5.2.1-py3-none-any.whl`\n"
        "  cause: HTTP status client error (404 Not Found) for url (http://i/files/x.whl)",
        "error: No solution found when resolving dependencies:\n  cause: Because django==5.2.1 has "
        "an invalid package format and only the following versions of django are available:",
    ],
)
def test_a_file_that_an_index_lists_and_cannot_give_is_no_verdict(text: str) -> None:
    assert proofs.read(text).kind == "network"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_memory_that_is_used_up_is_the_machines(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._failed(error) == ExitCode.INCOMPLETE
    assert "no memory left" in capsys.readouterr().err
