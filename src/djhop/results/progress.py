"""How far a pass is, read from its growing event log."""

from __future__ import annotations

from pathlib import Path

import msgspec

#: Bytes read at one look: progress may lag behind, the suite may not wait.
MOST = 1 << 20


class _Line(msgspec.Struct):
    e: str = ""
    ids: list[str] = []


class Tally:
    """Counts tests that are over, and those that were collected, as the log grows."""

    def __init__(self, log: Path) -> None:
        self._log, self._at = log, 0
        self._done = self._expected = 0

    def look(self) -> tuple[int, int]:
        """Read what is new; return (tests over, tests collected)."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._at)
                data = file.read(MOST)
        except OSError:
            return self._done, self._expected
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            self._take(line)
        return self._done, self._expected

    def _take(self, line: bytes) -> None:
        head = line[:40]
        if b'"stop"' in head:
            self._done += 1
        elif b'"collected"' in head:
            try:
                self._expected += len(msgspec.json.decode(line, type=_Line).ids)
            except msgspec.DecodeError:
                return
