"""How long a command has run and how long it has said nothing, time spent stopped aside."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

#: Seconds between two looks at a command, and the longest a wish to stop waits to be seen.
TICK = 0.1
#: Seconds between two looks from which on djhop itself was stopped (Ctrl-Z), or the machine slept.
GAP = 1.0


class Clock:
    """The time of one command, in seconds; of a gap in which nobody looked only a tick counts."""

    def __init__(self, limit: float | None) -> None:
        self._limit = math.inf if limit is None else limit
        self._last = time.monotonic()
        self._heard, self._bytes = 0.0, 0
        #: Since the start.
        self.ran = 0.0

    @property
    def quiet(self) -> float:
        """Since the last output."""
        return self.ran - self._heard

    @property
    def over(self) -> bool:
        """Whether the limit is reached."""
        return self.ran >= self._limit

    @property
    def pause(self) -> float:
        """How long to wait until the next look."""
        return TICK if self.over else min(TICK, self._limit - self.ran)

    def look(self, received: int) -> None:
        """Count the time since the last look; `received`: bytes of output so far."""
        now = time.monotonic()
        step, self._last = now - self._last, now
        self.ran += step if step < GAP else TICK
        if received != self._bytes:
            self._heard, self._bytes = self.ran, received


class Watching:
    """What is asked, and told, while a command runs; see `Spawner.run`."""

    def __init__(
        self,
        clock: Clock,
        on_tick: Callable[[], None] | None,
        until: Callable[[], bool],
        overdue: Callable[[float, float], bool],
    ) -> None:
        self.clock = clock
        self._on_tick, self._until, self._overdue = on_tick, until, overdue
        self._asks = self._ticks = 0.0

    def reason(self, now: float, *, asked: int) -> str:
        """Why the command is to end: "interrupt", "timeout", or "" where it may go on."""
        if asked:
            return "interrupt"
        if self.clock.over or self._late(now):
            return "timeout"
        return "interrupt" if self._until() else ""

    def _late(self, now: float) -> bool:
        if now < self._asks:
            return False
        self._asks = now + TICK
        return self._overdue(self.clock.ran, self.clock.quiet)

    def tick(self, now: float) -> None:
        """Call `on_tick` where it is time to."""
        if self._on_tick and now >= self._ticks:
            self._ticks = now + TICK
            self._on_tick()
