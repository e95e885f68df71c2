"""`[ready]` of a matrix: what `djhop ready` asks of the goal, and how much each of it counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

#: must: open means not ready. condition: open means ready with conditions. told: it counts nowhere.
Weight = Literal["must", "condition", "told"]

#: With fewer pairs no interval of 95 % can be had: (1/2)^5 on both ends is 6.25 %.
FEWEST_PAIRS = 6
#: Each pair runs the suite twice; the exact distribution of more says nothing new.
MOST_PAIRS = 60


class Ready(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The gates of `djhop ready`. Two are numbers; of each other one it is said what it counts."""

    #: Per cent of the project that the suite has to run at the goal; 0: not asked.
    coverage: float = 90.0
    #: Per cent that the suite may be slower after a hop, by paired runs; 0: not asked.
    performance: float = 5.0
    #: How many pairs `djhop ready --measure` runs on each hop.
    pairs: int = 8
    #: Tests that are red at the goal though no hop broke them.
    failing: Weight = "condition"
    #: Deprecated uses that the goal removes, of which no test shows that they do not break.
    deprecations: Weight = "condition"
    #: What `check --deploy` and the settings newly say.
    checks: Weight = "condition"
    #: Migrations that are missing, and what they newly say, from nothing and over the hop.
    migrations: Weight = "condition"
    #: Whether old and new code can run side by side while it is deployed.
    deploy: Weight = "condition"
    #: Tests that ask the database more often than before.
    queries: Weight = "condition"
    #: Whether the goal gets security fixes on the day that is asked for.
    support: Weight = "condition"


def wrong(ready: Ready) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong with its value or "", hint) for what a type cannot say."""
    in_range = 0 <= ready.coverage <= 100
    yield "ready.coverage", "" if in_range else "must be from 0 to 100 (per cent)", "0: not asked"
    finite = 0 <= ready.performance < 1000
    yield "ready.performance", "" if finite else "must be from 0 to 999 (per cent)", "0: not asked"
    enough = FEWEST_PAIRS <= ready.pairs <= MOST_PAIRS
    few = f"must be from {FEWEST_PAIRS} to {MOST_PAIRS}"
    yield "ready.pairs", "" if enough else few, "fewer give no interval of 95 %"
