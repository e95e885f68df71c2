"""`[history]` of a matrix: where earlier nights are remembered."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class History(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Where earlier nights are remembered, and how many of them are looked at."""

    #: The file, relative to the target; empty: history.sqlite, in the folder that runs land in.
    path: str = ""
    #: In how many of the last nights flaky and slower tests are looked for.
    nights: int = 14
    #: False: nothing is remembered.
    keep: bool = True


def wrong(history: History) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong with its value or "", hint)."""
    yield "history.nights", "" if history.nights > 0 else "must be 1 or more", ""
