"""How far a pass is, read from its growing event log."""

from __future__ import annotations

from pathlib import Path

import msgspec

from djhop import durable

#: Bytes read at one look: progress may lag behind, the suite may not wait.
MOST = 1 << 20


#: After these reports nothing of a test runs: the second is xdist's, of a worker that died.
_LAST = (b'"when":"teardown"', b'"when":"???"')


class _Line(msgspec.Struct):
    e: str = ""
    id: str = ""
    ids: list[str] = []


class Tally:
    """Counts tests that are over, and those that were collected, as the log grows.

    It also knows since when which tests are running, in seconds of the process's own time.
    """

    def __init__(self, log: Path) -> None:
        self._log, self._at = log, 0
        self._done = self._expected = 0
        self._begun = False
        #: Test → when it was seen to begin.
        self.running: dict[str, float] = {}
        #: When an event was last seen.
        self.heard = 0.0
        #: Whether there may be more to read: then what is running may be over.
        self.behind = False

    @property
    def counts(self) -> tuple[int, int]:
        """(Tests over, tests collected), as of the last look."""
        return self._done, self._expected

    def look(self, now: float = 0.0) -> tuple[int, int]:
        """Read what is new, `now`; return (tests over, tests collected)."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._at)
                data = file.read(MOST)
        except OSError:
            return self._done, self._expected
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        self.behind = len(data) == MOST
        if data:
            self.heard = now
        for line in whole.splitlines():
            self._take(line, now)
        return self._done, self._expected

    def anew(self) -> None:
        """A further process goes on: its tests are those that were counted before."""
        self.look()
        while self.behind:
            self.look()
        self._begun = True
        self.running.clear()
        self.heard = 0.0

    def _take(self, line: bytes, now: float) -> None:
        head = line[:40]
        if b'"stop"' in head:
            self._done += 1
            self.running.pop(_read(line).id, None)
        elif b'"start"' in head:
            self.running[_read(line).id] = now
        elif b'"report"' in head and any(when in line for when in _LAST):
            self.running.pop(_read(line).id, None)
        elif b'"collected"' in head and not self._begun:
            self._expected += len(_read(line).ids)


def _read(line: bytes) -> _Line:
    try:
        return msgspec.json.decode(line, type=_Line)
    except durable.UNREADABLE:
        return _Line()


class Watch:
    """Whether a process goes on: how long its test may take, and how long it may say nothing.

    0 stands for no limit; `overdue` is asked by `Spawner.run`.
    """

    def __init__(self, tally: Tally, *, test: float, silence: float) -> None:
        self._tally, self._test, self._silence = tally, test, silence
        #: The test that took too long, if one did.
        self.late = ""
        #: Whether nothing was heard for too long.
        self.silent = False

    def overdue(self, ran: float, quiet: float) -> bool:
        """Whether a limit is reached, `ran` seconds after the start, `quiet` since any output."""
        tally = self._tally
        tally.look(ran)
        if tally.behind:
            return False
        if self._test and tally.running:
            test, since = min(tally.running.items(), key=lambda item: item[1])
            self.late = test if ran - since >= self._test else ""
        self.silent = bool(self._silence) and min(quiet, ran - tally.heard) >= self._silence
        return bool(self.late) or self.silent
