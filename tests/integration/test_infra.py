"""What `nox -s chaos -- infra` does to index, disk, memory and clock, each once."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import infra

pytestmark = [pytest.mark.needs_python("3.12"), pytest.mark.slow]


@pytest.mark.parametrize("fault", infra.INDEX)
def test_an_index_that_fails_breaks_nothing(fault: str, tmp_path: Path) -> None:
    infra.index_fails(tmp_path / "place", fault)


@pytest.mark.parametrize("fault", infra.DISKS)
def test_a_disk_that_fails_breaks_nothing(fault: str, tmp_path: Path) -> None:
    infra.disk_fails(tmp_path / "place", fault)


def test_memory_that_is_short_breaks_nothing(tmp_path: Path) -> None:
    infra.memory_fails(tmp_path / "place")


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:
    infra.clock_jumps(tmp_path / "place")
