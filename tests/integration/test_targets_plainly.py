"""Whether tests/targets says the truth of itself, by plain tools.

All of them take minutes: set DJHOP_ALL_TARGETS=1 to have more than those that others build on.
"""

from __future__ import annotations

import os
from pathlib import Path

import oracle
import pytest

TARGETS = Path(oracle.__file__).parent / "targets"
FEW = ("kinds", "python-hop")
CHOSEN = sorted(
    path.parent.name
    for path in TARGETS.glob("*/expected.toml")
    if path.parent.name in FEW or os.environ.get("DJHOP_ALL_TARGETS")
)


@pytest.mark.slow
@pytest.mark.needs_python("3.11", "3.12")
@pytest.mark.parametrize("name", CHOSEN)
def test_plain_tools_agree(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = shared / "plain"
    cache.mkdir(exist_ok=True)
    assert oracle.check([name], cache) == 0, capsys.readouterr().out
