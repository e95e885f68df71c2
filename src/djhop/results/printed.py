"""What failing tests printed: how much of it a cell keeps; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from djhop.results.eventlog import Printed

if TYPE_CHECKING:
    from djhop.results.outcomes import Test

#: Characters that a cell keeps; those that fail plainly come first.
ROOM = 2_000_000
_BAD = frozenset({"failed", "error", "crashed"})


def bounded(tests: list[Test], room: int = ROOM) -> list[Test]:
    """Return the tests with as much of what they printed as there is room for, the rest counted."""
    kept = list(tests)
    said = [(at, test.printed) for at, test in enumerate(tests) if test.printed is not None]
    for at, printed in sorted(said, key=lambda pair: tests[pair[0]].plain not in _BAD):
        if printed.size > room:
            cut = Printed(left_out=printed.left_out + printed.size)
            kept[at] = msgspec.structs.replace(tests[at], printed=cut)
        else:
            room -= printed.size
    return kept
