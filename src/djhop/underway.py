"""What is under way in a run, and what came of the rest, as far as events have told."""

from __future__ import annotations

import time
from collections.abc import Callable

from djhop import estimate, news
from djhop.estimate import Expected
from djhop.reports import grid
from djhop.reports.signs import SIGNS, Tone, number, tone_of_status
from djhop.reports.summary import count
from djhop.results.results import CellResult
from djhop.store.record import cell_of

#: Stages in which a cell waits for others: they are no work of its own.
IDLE = frozenset({"lock", "services"})
#: Stages in which tests are run.
TESTING = frozenset({"strict", "plain", "scoped"})


class Work:
    """A cell, or what is done on a hop, while it is under way."""

    def __init__(self, name: str, expected: Expected | None) -> None:
        self.name, self.stage = name, ""
        #: Tests over, and tests collected, in this pass.
        self.done = self.collected = 0
        #: Tests that an earlier run ran; 0 where there is none.
        self.before = expected.tests if expected else 0
        #: When the stage began, and when work did; 0 where it has not.
        self.since = self.began = 0.0

    def enter(self, stage: str, now: float) -> None:
        """Begin a stage."""
        self.stage, self.done, self.collected, self.since = stage, 0, 0, now
        if stage not in IDLE:
            self.began = self.began or now

    def share(self) -> str:
        """How far its pass is: "45 %"; "" where it cannot be said."""
        expected = self.collected or self.before
        if self.stage not in TESTING or not expected or not self.done:
            return ""
        return f"{min(100 * self.done // expected, 100)} %"

    def tests(self) -> str:
        """Tests done of those expected: "3 of 30 tests", "3 of about 30 tests"."""
        if self.stage not in TESTING or not (self.collected or self.before):
            return ""
        about = "" if self.collected else "about "
        return f"{self.done:,} of {about}{number(self.collected or self.before, 'test')}"


class State:
    """What events have told so far; `clock` gives seconds."""

    def __init__(self, started: news.Started, clock: Callable[[], float] = time.monotonic) -> None:
        self.started, self._clock = started, clock
        self.begun = clock()
        #: Cells and hops under way, in the order in which they began.
        self.running: dict[str, Work] = {}
        self.results: dict[str, tuple[Tone, str]] = {}
        #: Cell or hop → seconds of work it took.
        self.took: dict[str, float] = {}

    def take(self, event: news.Event) -> None:
        """Note an event."""
        match event:
            case news.Stage(cell=name, stage=stage):
                if name not in self.running:
                    self.running[name] = Work(name, self.started.expected.get(name))
                self.running[name].enter(stage, self._clock())
            case news.Progress(cell=name, done=done, expected=collected):
                if work := self.running.get(name):
                    work.done, work.collected = done, collected
            case news.Over(hop=name):
                self._over(name)
            case news.Finished(result=result):
                self._over(result.id)
                self.results[result.id] = _ended(result)
            case news.Started() | news.Command() | news.Said():
                pass

    def _over(self, name: str) -> None:
        work = self.running.pop(name, None)
        if work and work.began:
            self.took[name] = self.took.get(name, 0.0) + self._clock() - work.began

    @property
    def waiting(self) -> list[str]:
        """Cells that have not begun."""
        return [c for c in self.started.cells if c not in self.running and c not in self.results]

    def left(self) -> float | None:
        """Seconds that are left; None where that is not known.

        Those of the cells alone where nothing is known of any hop.
        """
        now, expected = self._clock(), self.started.expected
        hops = [hop for hop in self.started.hops if hop not in self.took]
        hops = [hop for hop in hops if hop not in self.running and self.knows_hops]
        works = [w for w in [*self.running.values()] if self.knows_hops or ".." not in w.name]
        if not (works or self.waiting):
            return None
        return estimate.left(
            expected,
            done=self.took,
            running={w.name: now - (w.began or now) for w in works},
            waiting=[*self.waiting, *(hop for hop in hops if self.waits(hop))],
            jobs=self.started.jobs,
        )

    @property
    def knows_hops(self) -> bool:
        """Whether an earlier run tells how long hops take."""
        return any(hop in self.started.expected for hop in self.started.hops)

    def waits(self, hop: str) -> bool:
        """Whether a hop has a cell that has not ended: then something may still be done on it."""
        return not all(cell in self.results for cell in hop.split(".."))

    def elapsed(self, work: Work | None = None) -> str:
        """How long a stage, or the whole run, has gone on."""
        return estimate.lasted(self._clock() - (work.since if work else self.begun))

    def line(self) -> str:
        """The run in one line: "4 of 12 cells done, 2 running; 1 min 12 s; about 2 min left"."""
        cells, done = self.started.cells, len(self.results)
        running = sum(name in cells for name in [*self.running])
        counts = f"{done:,} of {number(len(cells), 'cell')} done"
        counts += f", {running:,} running" if running else ""
        left = self.left()
        known = estimate.in_words(left) if left is not None else ""
        cells_alone = self.started.hops and not self.knows_hops
        known += " for cells" if known.endswith("left") and cells_alone else ""
        return "; ".join(filter(None, (counts, self.elapsed(), known)))


def _ended(result: CellResult) -> tuple[Tone, str]:
    """A cell's result in a few characters: "✓ 314", "✗ 22/138", "✗ crashed"."""
    tone, told = tone_of_status(result.status), count(cell_of(result))
    text = told if result.status in grid.COUNTED and told else result.status
    return tone, f"{SIGNS[tone]} {text.replace(' of ', '/')}"
