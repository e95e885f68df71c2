"""A short form of each part of `nox -s chaos`: what docs/reliability.md promises of bad ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from chaos import crowd, ends, kills, noise, wreck
from chaos.site import Site

pytestmark = [
    pytest.mark.needs_python("3.12"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


def test_what_was_seen_is_kept_whoever_is_killed(tmp_path: Path) -> None:
    told = kills.run(tmp_path, seed=5, times=2)
    # The moments are seeded, the machine's speed is not: who was too late to be killed, ended well.
    assert "djhop: " in told
    assert "the test process: " in told


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    ends.Ends(tmp_path).once("Ctrl-C twice")


@pytest.mark.slow
@pytest.mark.parametrize("end", sorted({*ends.ENDS} - {"Ctrl-C twice"}))
def test_nothing_is_left_behind_however_it_ends(tmp_path: Path, end: str) -> None:
    ends.Ends(tmp_path).once(end)


@pytest.mark.slow
def test_told_to_end_at_any_moment(tmp_path: Path) -> None:
    assert "9 times" in kills.signals(tmp_path, seed=3, times=9)


def test_the_target_is_untouched_whatever_tests_do_to_their_copy(tmp_path: Path) -> None:
    assert "untouched" in wreck.run(tmp_path, seed=0, times=1)


@pytest.mark.slow
def test_a_crowd_is_safe(tmp_path: Path) -> None:
    assert "runs right" in crowd.run(tmp_path, seed=0, times=2)


def test_noise_is_bounded(tmp_path: Path) -> None:
    assert "kept" in noise.check(Site(tmp_path, noise.TESTS), "manage.py", 20, 1_000)


@pytest.mark.slow
def test_noise_of_pytest_is_bounded(tmp_path: Path) -> None:
    assert "kept" in noise.check(Site(tmp_path, noise.TESTS), "pytest", 20, 150_000)
