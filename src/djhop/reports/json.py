"""A run as JSON: run.json itself, and on request every test of every cell."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from djhop.durable import encode
from djhop.results.results import CellResult
from djhop.store.record import Run

#: JSON leaves these as they are, and a terminal obeys them.
TERMINAL = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def render(run: Run, cells: Iterable[CellResult] | None = None) -> str:
    """Return run.json, indented; `cells` adds the whole result of each under "results"."""
    whole: dict[str, object] = msgspec.to_builtins(run)
    if cells is not None:
        whole["results"] = {cell.id: cell for cell in cells}
    return printable(encode(whole))


def printable(data: bytes) -> str:
    """Return JSON indented, with what a terminal would obey escaped."""
    text = msgspec.json.format(data, indent=2).decode()
    return TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
