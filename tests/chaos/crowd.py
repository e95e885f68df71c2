"""Eight djhops at once on one target, one cache and one folder of reports; one is killed."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

from chaos.kills import TESTS
from chaos.site import CELLS, Site, kill, told

from djhop.store import store

#: How many at once; of each crowd one is killed.
CROWD = 8
#: Seconds after which nobody is believed to go on.
DEADLOCK = 300.0


class Crowd:
    """A target whose undisturbed run is known."""

    def __init__(self, base: Path, seed: int) -> None:
        self.site, self._random = Site(base, TESTS), random.Random(seed)
        started = time.monotonic()
        assert self.site.run(out="whole") == 1, self.site.said()
        self._seconds = time.monotonic() - started
        cells = [self.site.cell(cell, "whole") for cell in CELLS]
        self.expected = told(self.site.run_json("whole"), cells)

    def once(self, number: int, crowd: int = CROWD) -> None:
        """Let a crowd run; every second one makes the environments first."""
        if number % 2 == 0:
            shutil.rmtree(self.site.cache / "envs")
        shutil.rmtree(self.site.base / "reports", ignore_errors=True)
        # One makes them anew beside those that use them.
        options = [("--recreate",) if n == 1 else () for n in range(crowd)]
        started = [self.site.start("run", "target", *words) for words in options]
        moment = self._random.uniform(0.5, 0.5 + self._seconds)
        victim = self._random.randrange(crowd)
        time.sleep(moment)
        kill([started[victim].pid])
        codes = self._codes(started)
        killed = codes.pop(victim) == -9
        said = f"crowd {number}, {victim} killed after {moment:.2f} s"
        assert codes == [1] * (crowd - 1), f"{said}: exit codes {codes}: {self.site.said()}"
        complete = [run for run in store.runs(self.site.base / "reports") if run.load().complete]
        assert len(complete) == crowd - killed, f"{said}: {len(complete)} complete runs"
        for run in complete:
            found = told(Site.json(run.run), [_cell(run, cell) for cell in CELLS])
            assert found == self.expected, f"{said}: {run.name}"
        time.sleep(2.0)  # what is younger may be about to be used
        assert self.site.run() == 1, self.site.said()
        left = self.site.left_behind()
        assert not left, f"{said}: {left}"

    def _codes(self, started: list[subprocess.Popen[str]]) -> list[int]:
        limit = time.monotonic() + DEADLOCK
        try:
            return [one.wait(max(0.1, limit - time.monotonic())) for one in started]
        finally:
            for one in started:
                one.kill()


def _cell(run: store.RunFolder, cell: str) -> dict[str, object]:
    return Site.json(run.cell(cell).result)


def run(base: Path, seed: int, times: int) -> str:
    """Let so many crowds run; return the figure."""
    crowd = Crowd(base, seed)
    for number in range(times):
        crowd.once(number)
    return f"{times} crowds of {CROWD}, one killed in each: {times * (CROWD - 1)} runs right"
