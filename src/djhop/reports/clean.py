"""Text from targets is hostile: what could steer a terminal or mislead a reader is spelled out."""

from __future__ import annotations

import re

#: Control characters (ESC and the 8-bit CSI among them), marks that reorder or hide text, line
#: separators, lone surrogates. https://trojansource.codes/
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
#: As many characters of one text as a report shows.
LONGEST = 300


def one_line(text: str, limit: int = LONGEST) -> str:
    """Return the first line of `text` that says something, safe to print, cut to `limit`."""
    lines = (line.strip() for line in text[:20_000].splitlines())
    return cut(spelled(next((line for line in lines if line), "")), limit)


def spelled(text: str) -> str:
    r"""Spell out what must not reach a terminal or a page: "\x1b", "\u202e"."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def cut(text: str, limit: int) -> str:
    """Cut to `limit` characters; what is cut is seen to be."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"
