"""What a cause has to say beyond what every cause has: whatever fields other rooms give it."""

from __future__ import annotations

import msgspec

from djhop.reports.hops import CauseView
from djhop.reports.shown import Shown

#: What the template shows of a cause by name; what else a cause has follows, whatever it is.
NAMED = frozenset({"id", "count", "headline", "where", "remedy", "example", "reproduce", "modules"})


def extras(cause: CauseView) -> list[str]:
    """Return what a cause has to say beyond what every cause has, line by line."""
    said: list[str] = []
    for name in cause.__struct_fields__:
        if name not in NAMED:
            said += _said(getattr(cause, name))
    return said


def _said(value: object) -> list[str]:
    match value:
        case str() if value:
            return [value]
        case Shown():
            more = [f"… and {value.more:,} more"] if value.more else []
            return [value.label, *value.items, *more] if value.items else []
        case tuple() | list():
            return [line for item in value for line in _said(item)]
        case msgspec.Struct():
            return _said(msgspec.structs.astuple(value))
    return []
