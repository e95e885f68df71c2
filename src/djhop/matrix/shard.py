"""A part of a suite, for one machine of several."""

from __future__ import annotations

import re

import msgspec

from djhop.errors import UsageError

#: More parts than that are a slip of the pen.
MOST = 1000


class Shard(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Part `number` of `of`: the tests whose id has that number when it is hashed, from 1 on."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse(text: str) -> Shard:
    """Read "2/5".

    Raises:
        UsageError: it is not the number of a part, a slash and how many there are.
    """
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text.strip())
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= MOST:
        raise UsageError(
            f"--shard: {text!r} is no part of a suite",
            hint=f"the second of five is 2/5; there are {MOST} at most",
        )
    return Shard(number=int(found[1]), of=int(found[2]))
