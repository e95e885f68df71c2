"""requirements/dev.txt: all that developers install, pinned with hashes, and where from unsaid."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
RENEW = "nox -s lock renews requirements/dev.txt"


def test_it_fits_what_pyproject_asks_for() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = table["dependency-groups"].values()
    asked = [item for group in groups for item in group if isinstance(item, str)]
    pins = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", LOCK, re.MULTILINE))
    for text in (*table["project"]["dependencies"], *asked):
        wanted = Requirement(text)
        pinned = pins.get(canonicalize_name(wanted.name), "")
        assert pinned, f"{text} is not pinned: {RENEW}"
        assert Version(pinned) in wanted.specifier, f"{text}, pinned {pinned}: {RENEW}"


def test_every_pin_has_hashes_and_no_address() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) > 30
    form = r"\S+==\S+( ; [^\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+"
    assert [entry for entry in entries if not re.fullmatch(form, entry)] == []
    assert "://" not in LOCK
