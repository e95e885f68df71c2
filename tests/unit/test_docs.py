"""The pictures of the documentation: each that is named is there, and each output has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from djhop.reports import outputs

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
NAMED = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
ASKS = re.compile(r"<script|@import|@font-face|url\([^#]|(?:href|src)=")
#: Outputs that are the Markdown report, and look like it.
LIKE_MARKDOWN = {"github-summary": "markdown", "github-comment": "markdown"}


def named() -> dict[Path, str]:
    """Picture → what is said of it to those who do not see it."""
    found = {}
    for page in PAGES:
        for words, where in NAMED.findall(page.read_text("utf-8")):
            found[(page.parent / where).resolve()] = words
    return found


def test_each_picture_that_a_page_names_is_there_and_each_is_named() -> None:
    assert set(named()) == set(PICTURES.iterdir())
    assert all(len(words) > 5 for words in named().values())


@pytest.mark.parametrize("form", [*outputs.FORMS, *outputs.JUNIT, *outputs.COVERAGE, outputs.HTML])
def test_each_output_has_a_picture(form: str) -> None:
    assert LIKE_MARKDOWN.get(form, form) in {path.stem for path in named()}


def test_pictures_are_small_and_ask_nobody_for_anything() -> None:
    sizes = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    assert [name for name, size in sizes.items() if size > 150_000] == []
    assert sum(sizes.values()) < 1_500_000
    for path in PICTURES.glob("*.svg"):
        text = path.read_text("utf-8")
        assert not ASKS.search(text), path.name
        assert not re.search(r"/(?:root|tmp|Users)/", text), path.name
