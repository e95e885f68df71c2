"""Sizes as people write them."""

from __future__ import annotations

import re

UNITS = {"M": 10**6, "G": 10**9, "T": 10**12}
EXAMPLE = 'as in "500M" or "10G"'


def size(text: str) -> int | None:
    """Return the bytes that "10G" stands for; None where that is no size."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT])", text.strip().upper())
    return round(float(found[1]) * UNITS[found[2]]) if found else None
