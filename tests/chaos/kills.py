"""SIGKILL at random moments: what was seen is kept, and nothing is left behind."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from chaos.site import CELLS, Site, kill, told

#: 24 tests that take about as long as starting Django does; one breaks, two are deprecated.
TESTS = """\
import time, warnings
import django
from django.test import SimpleTestCase

class Slow(SimpleTestCase):
    def test_b_break(self):
        self.assertLess(django.VERSION, (5,))
    def test_c_deprecated(self):
        warnings.warn("old", DeprecationWarning)

for number in range(22):
    def test(self):
        time.sleep(0.02)
    setattr(Slow, f"test_{number:02}", test)
"""
WHO = ("djhop", "the test process", "both")
#: Signals that djhop may be told to end with, also while it begins or writes its reports.
TOLD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds to wait for a test process that is to be killed.
SOON = 5.0


class Kills:
    """A target whose undisturbed run is known, and what came of killing."""

    def __init__(self, base: Path, seed: int) -> None:
        self.site = Site(base, TESTS)
        self._random = random.Random(seed)
        assert self.site.run("--install-only", out="whole") == 0, self.site.said()
        started = time.monotonic()
        assert self.site.run(out="whole") == 1, self.site.said()
        self._seconds = time.monotonic() - started
        self.expected = self._told("whole")
        #: What was done, and how often.
        self.done: Counter[str] = Counter()

    def _told(self, out: str) -> dict[str, Any]:
        return told(self.site.run_json(out), [self.site.cell(cell, out) for cell in CELLS])

    def once(self, number: int) -> None:
        """Start a run, kill somebody, resume, and look whether anything tells of it."""
        who = WHO[number % len(WHO)]
        moment = self._random.uniform(0.0, self._seconds)
        cold = self._random.random() < 0.1
        told = f"kill {number}: {who} after {moment:.3f} s{', cold' * cold}"
        shutil.rmtree(self.site.base / "reports", ignore_errors=True)
        if cold:
            shutil.rmtree(self.site.cache / "envs")
        process = self.site.start("run", "target")
        try:
            time.sleep(moment)
            self._kill(process.pid, who)
            seen = self._seen()
            code = process.wait(180)
        finally:
            process.kill()
        killed = code == -signal.SIGKILL
        self.done[f"{who}: {'killed' if killed else 'it went on'}"] += 1
        if killed:
            assert self.site.run("--resume") == 1, f"{told}: {self.site.said()}"
        else:
            assert code == 1, f"{told}: {self.site.said()}"
        lost = seen - self._seen()
        assert not lost, f"{told}: {len(lost)} events are lost: {sorted(lost)[:3]}"
        self.done["outcomes that a killed process had left, all kept"] += len(seen)
        assert self._told("reports") == self.expected, told
        assert self.site.left_behind() == [], told

    def told(self, number: int) -> None:
        """Start a run, tell djhop to end at some moment, look what is left, and resume."""
        one = TOLD[number % len(TOLD)]
        moment = self._random.uniform(0.0, self._seconds)
        told = f"signal {number}: {one.name} after {moment:.3f} s"
        shutil.rmtree(self.site.base / "reports", ignore_errors=True)
        process = self.site.start("run", "target")
        time.sleep(moment)
        process.send_signal(one)
        code = process.wait(60)
        self.done[f"{one.name}: exit code {code}"] += 1
        if (self.site.base / "reports").exists() or code > 0:  # else it had not yet begun
            assert "Traceback" not in self.site.said(), f"{told}: {self.site.said()}"
            assert code in (1, 130), f"{told}: exit code {code}: {self.site.said()}"
        left = self.site.left_behind(0.5)
        assert not left, f"{told}: {left}"
        if code != 1:
            seen = self._seen()
            assert self.site.run("--resume") == 1, f"{told}: {self.site.said()}"
            assert not seen - self._seen(), told
        assert self._told("reports") == self.expected, told

    def _kill(self, djhop: int, who: str) -> None:
        limit = time.monotonic() + SOON
        if who != "djhop":
            while not (tests := self.site.processes("djhop_probe")) and time.monotonic() < limit:
                time.sleep(0.001)
        if who != "the test process":
            kill([djhop])
        if who != "djhop":
            kill(tests[:1])
            self.done["test processes killed"] += len(tests[:1])

    def _seen(self) -> set[bytes]:
        """The lines of every event log that say how a test ended."""
        logs = (self.site.base / "reports").glob("2*/cells/**/events-*.jsonl")
        lines = (line for log in logs for line in log.read_bytes().splitlines(keepends=True))
        return {line for line in lines if b'"report"' in line[:40] and line.endswith(b"\n")}


def signals(base: Path, seed: int, times: int) -> str:
    """Tell djhop to end so many times; return the figure."""
    kills = Kills(base, seed)
    for number in range(times):
        kills.told(number)
    figures = ", ".join(f"{name}: {count}" for name, count in sorted(kills.done.items()))
    return f"{times} times told to end (seed {seed}): {figures}"


def run(base: Path, seed: int, times: int) -> str:
    """Kill so many times; return the figure."""
    kills = Kills(base, seed)
    for number in range(times):
        kills.once(number)
    figures = ", ".join(f"{name}: {count}" for name, count in sorted(kills.done.items()))
    return f"{times} kills survived (seed {seed}): {figures}"
