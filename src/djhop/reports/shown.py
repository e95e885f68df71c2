"""A list in a report: its first items, and how many more there are."""

from __future__ import annotations

import msgspec

from djhop.reports.clean import one_line


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The first of a list, and how many more there are."""

    label: str
    items: tuple[str, ...]
    total: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.items)


def shown(label: str, items: tuple[str, ...], limit: int, width: int = 200) -> Shown:
    """Cut a list to `limit`, and each of its items to `width` characters."""
    first = tuple(one_line(item, width) for item in items[:limit])
    return Shown(label=label, items=first, total=len(items))
