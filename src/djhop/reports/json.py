"""A run as JSON: run.json itself, and on request every test of every cell."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from djhop.durable import encode
from djhop.results.results import CellResult
from djhop.store.record import Run

#: JSON leaves these as they are, and a terminal or the log of a CI obeys them.
OBEYED = re.compile(
    r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]"
    r"|#(?=#\w*\[)"
)


def render(run: Run, cells: Iterable[CellResult] | None = None) -> str:
    """Return run.json, indented; `cells` adds the whole result of each under "results"."""
    whole: dict[str, object] = msgspec.to_builtins(run)
    if cells is not None:
        whole["results"] = {cell.id: cell for cell in cells}
    return indented(whole) + "\n"


def indented(value: object) -> str:
    """Return `value` as JSON over many lines, safe to print; nothing is lost."""
    return _safe(msgspec.json.format(encode(value), indent=2).decode())


def flat(value: object) -> str:
    """Return `value` as JSON on one line, safe to print; nothing is lost."""
    return _safe(encode(value).decode())


def _safe(text: str) -> str:
    if text.isascii() and "\x7f" not in text and "##" not in text:
        return text
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
