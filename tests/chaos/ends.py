"""Every way in which a run can end, with every kind of child: nothing is left behind."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from chaos.site import MATRIX, NEW, OLD, Site, kill
from waiting import alive, eventually

#: A child of each kind; all of them would go on for ten minutes. `argv[2]` names the site.
CHILD = """
import os, signal, sys, time
kind, until = sys.argv[1], time.time() + 600
def twice():
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
if kind == "daemon":
    twice()
    os.chdir("/")
    for number in range(256):
        try:
            os.close(number)
        except OSError:
            pass
if kind == "session":
    os.setsid()
if kind == "deaf":
    os.setsid()
    for number in (1, 2, 15, 20, 21, 22):
        signal.signal(number, signal.SIG_IGN)
if kind == "stopped":
    os.setsid()
    os.kill(os.getpid(), signal.SIGSTOP)
if kind == "hopper":
    twice()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while time.time() < until:
        if os.fork():
            os._exit(0)
        time.sleep(0.01)
if kind == "endless":
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in range(200):
        if os.fork() == 0:
            break
        time.sleep(0.01)
while time.time() < until:
    time.sleep(1)
"""
KINDS = ("daemon", "session", "deaf", "stopped", "hopper", "endless")
TESTS = """\
import os, subprocess, sys, time
import django
from django.test import SimpleTestCase

SITE = {site!r}
CHILD = {child!r}

class Leaves(SimpleTestCase):
    def test_a_children(self):
        for kind in {kinds!r}:
            subprocess.Popen([sys.executable, "-S", "-c", CHILD, kind, SITE])
        time.sleep(0.3)
    def test_b_break(self):
        self.assertFalse(os.path.exists(SITE + "/fail") and django.VERSION >= (5,))
    def test_c_hang(self):
        open(SITE + "/hangs-" + str(django.VERSION[0]), "w").close()
        while os.path.exists(SITE + "/hang") and django.VERSION >= (5,):
            time.sleep(0.05)
"""
#: How a run ends → the signals that djhop gets, and its exit code.
ENDS: dict[str, tuple[tuple[signal.Signals, ...], int]] = {
    "success": ((), 0),
    "failure": ((), 1),
    "timeout": ((), 1),
    "Ctrl-C": ((signal.SIGINT,), 130),
    "Ctrl-C twice": ((signal.SIGINT, signal.SIGINT), 130),
    "SIGTERM": ((signal.SIGTERM,), 130),
    "SIGHUP": ((signal.SIGHUP,), 130),
    "SIGKILL": ((signal.SIGKILL,), -9),
}


class Ends:
    """A target whose tests leave children behind, and what came of ending its runs."""

    def __init__(self, base: Path) -> None:
        tests = TESTS.format(site=str(base), child=CHILD, kinds=KINDS)
        self.site = Site(base, tests, MATRIX)
        self._innocent = [sys.executable, "-S", "-c", CHILD, "session", "innocent"]

    def once(self, end: str) -> None:
        """Let a run end so, with somebody beside it who looks like a child of a test."""
        with subprocess.Popen(self._innocent) as innocent:
            try:
                self._once(end)
                assert alive(innocent.pid), f"{end}: somebody else was ended"
            finally:
                innocent.kill()
                kill(self.site.processes())

    def _once(self, end: str) -> None:
        signals, code = ENDS[end]
        site = self.site
        for name in ("fail", "hang", "hangs-4", "hangs-5"):
            (site.base / name).unlink(missing_ok=True)
        if end == "failure":
            (site.base / "fail").touch()
        if signals or end == "timeout":
            (site.base / "hang").touch()
        process = site.start("run", "target", *(["--timeout", "8"] if end == "timeout" else []))
        if signals:
            first = site.base / "reports" / "latest" / "cells" / OLD / "cell.json"
            hangs = site.base / "hangs-5"
            assert eventually(lambda: hangs.exists() and first.exists(), 60), site.said()
        for number in signals:
            process.send_signal(number)
            time.sleep(0.2)
        found, said = process.wait(120), site.said()
        assert found == code, f"{end}: exit code {found}: {said}"
        if end == "SIGKILL":
            assert site.processes(), "nothing was left that the next could end"
            (site.base / "hang").unlink()
            assert site.run("--resume") == 0, site.said()
        left = site.left_behind(1.0)
        assert not left, f"{end}: {left}"
        self._told(end)

    def _told(self, end: str) -> None:
        """What was seen before the end is in the report."""
        statuses = {cell["id"]: cell["status"] for cell in self.site.run_json()["cells"]}
        new = {"timeout": "timed-out", "failure": "failed", "success": "passed"}
        new |= {"SIGKILL": "passed"}
        assert statuses[NEW] == new.get(end, "interrupted"), f"{end}: {statuses}"
        tests = {test["id"].rpartition(".")[2]: test for test in self.site.cell(NEW)["tests"]}
        outcome = "failed" if end == "failure" else "passed"
        assert tests["test_b_break"]["strict"] == outcome, f"{end}: {tests}"


def run(base: Path, seed: int, times: int) -> str:
    """End a run in each way, so many times each; return the figure."""
    ends, done = Ends(base), Counter[str]()
    order = list(ENDS) * times
    random.Random(seed).shuffle(order)
    for end in order:
        ends.once(end)
        done[end] += 1
    told = ", ".join(f"{end}: {number}" for end, number in done.items())
    return (
        f"{len(order)} runs ended, {len(KINDS)} kinds of children in each cell, none left: {told}"
    )
