"""One pass, through as many processes as it takes: a test that ends its process ends no suite.

Such a test is named in the event log, and the rest runs in a further process, from the next test
on. That is another process than it would have had: the cell stays crashed, or timed out.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from djhop.errors import InfraError
from djhop.processes.process import Command, Completed
from djhop.results import events, passes, stacks
from djhop.results.eventlog import Ended
from djhop.results.events import PassEvents
from djhop.results.progress import Tally, Watch

#: Processes of one pass at most: a suite in which every test crashes is not run to its end.
MOST = 11
#: So often a pass is begun anew because its process was killed. Nobody can tell who did: the test,
#: or the machine, for want of memory, or a person. A test is blamed that is killed again.
ANEW = 2
#: Bytes of output kept of a further process, whatever those before it have printed.
LEAST = 1 << 16


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that a pass may take (None: any time), that a test may, and silence (0: any)."""

    suite: float | None = None
    test: float = 0.0
    silence: float = 0.0


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a pass."""

    command: Command
    #: Where its stacks are kept.
    stacks: Path


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended, where it did not by itself."""

    #: The tests in which it ended; more than one where it is not known in which.
    tests: tuple[str, ...] = ()
    why: str = "crash"
    message: str = ""
    #: "timeout" or "silence", where the whole pass is over.
    died: str = ""
    #: By SIGKILL, and not by djhop.
    killed: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether a further process may run the rest."""
        return len(self.tests) == 1 and not self.died


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a pass: the process that first ended badly, with the time of all of them."""

    completed: Completed
    events: PassEvents
    died: str = ""
    #: Number of the last process.
    starts: int = 1
    note: str = ""
    #: Set where a process was killed and the pass is to be begun anew: the tests that ran then.
    killed: tuple[str, ...] | None = None


class Starts:
    """One pass while it is run.

    Args:
        log: where the probe writes events.
        root: the workspace.
        make: (number of the process, tests that are done, seconds left) → the process.
        run: (command, what is called on each tick, `overdue`) → how it ended.
        told: given (tests over, tests collected) on each tick.
        shown: masks a line of source.
        kills: for each earlier begin of the pass that was killed, the tests that ran then.
    """

    def __init__(
        self,
        *,
        log: Path,
        root: str,
        limits: Limits,
        make: Callable[[int, tuple[str, ...], float | None], Started],
        run: Callable[[Command, Callable[[], None], Callable[[float, float], bool]], Completed],
        told: Callable[[tuple[int, int]], None],
        shown: Callable[[str], str],
        kills: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self._kills = kills
        self._log, self._root, self._limits = log, root, limits
        self._make, self._run, self._told, self._shown = make, run, told, shown
        self._tally = Tally(log)
        self._seconds = 0.0
        self._done: tuple[str, ...] = ()

    def run(self, most: int = MOST) -> Pass:
        """Run the pass to its end, in at most `most` processes."""
        first, start = None, 0
        while True:
            start += 1
            ended, seen, how = self._one(start)
            first = first or ended
            if how.killed and how.tests not in self._kills and len(self._kills) < ANEW:
                over = self._over(first, ended, seen, start=start)
                return msgspec.structs.replace(over, killed=how.tests)
            rest = len(seen.collected) - len(self._done)
            if not how.goes_on or not rest:
                return self._over(first, ended, seen, start=start, died=how.died)
            if self._left() == 0.0:
                return self._over(first, ended, seen, start=start, died="timeout")
            if start == most:
                note = f"the suite was started {start} times, which is the most: {rest} tests left"
                return self._over(first, ended, seen, start=start, note=note if most > 1 else "")

    def _one(self, start: int) -> tuple[Completed, PassEvents, How]:
        """Run one process, and write down in which test it ended."""
        started = self._make(start, self._done, self._left())
        watch = Watch(self._tally, test=self._limits.test, silence=self._limits.silence)
        ended = self._run(
            self._bounded(started.command), lambda: self._told(self._tally.counts), watch.overdue
        )
        self._seconds += ended.seconds
        self._tally.anew()
        seen = events.read(self._log)
        dumped = stacks.gather(started.stacks)
        how = judged(ended, watch, seen, self._limits, start)
        if how.tests:
            self._write(how, dumped)
            seen = events.read(self._log)
        self._done = passes.done(seen)
        return ended, seen, how

    def _over(
        self,
        first: Completed,
        last: Completed,
        seen: PassEvents,
        *,
        start: int,
        died: str = "",
        note: str = "",
    ) -> Pass:
        completed = msgspec.structs.replace(
            first,
            seconds=self._seconds,
            interrupted=last.interrupted,
            timed_out=died == "timeout",
            dropped=last.dropped,
        )
        return Pass(completed=completed, events=seen, died=died, starts=start, note=note)

    def _left(self) -> float | None:
        suite = self._limits.suite
        return None if suite is None else max(0.0, suite - self._seconds)

    def _bounded(self, command: Command) -> Command:
        """All processes of a pass share the room there is in its log."""
        printed = Path(command.log).stat().st_size if command.log and self._done else 0
        return msgspec.structs.replace(command, limit=max(LEAST, command.limit - printed))

    def _write(self, how: How, dumped: str) -> None:
        name = "Timeout" if how.why == "hang" else "Crash"
        lines = b""
        for test in how.tests:
            frames = stacks.frames(dumped, test, self._root)
            exc = stacks.exception(name, how.message, frames, self._shown)
            lines += msgspec.json.encode(Ended(id=test, why=how.why, exc=exc)) + b"\n"
        try:
            with self._log.open("ab") as file:
                file.write(lines)
        except OSError as error:
            raise InfraError(f"cannot write the event log {self._log}: {error}") from error


def judged(ended: Completed, watch: Watch, seen: PassEvents, limits: Limits, start: int) -> How:
    """Say in which tests a process ended, and whether that is the end of the pass."""
    running = seen.running if seen.starts >= start else ()
    if ended.interrupted:
        return How()
    if ended.timed_out and watch.late:
        message = f"the test took longer than {limits.test:g} s (test-timeout)"
        return How(tests=(watch.late,), why="hang", message=message)
    if ended.timed_out and watch.silent:
        quiet = f"nothing was printed or reported for {limits.silence:g} s (silence-timeout)"
        died = "" if len(running) == 1 else "silence"
        return How(tests=running, why="hang", message=f"{quiet} while this test ran", died=died)
    if ended.timed_out:
        message = (
            f"the suite took longer than {limits.suite or 0:g} s (timeout) while this test ran"
        )
        return How(tests=running, why="hang", message=message, died="timeout")
    if seen.ended:
        return How()
    message = f"the process ended with {ended_with(ended.returncode)} while this test ran"
    return How(tests=running, message=message, killed=ended.returncode == -signal.SIGKILL)


def ended_with(returncode: int) -> str:
    """What a process ended with: "SIGSEGV", "exit code 3"."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"
