"""Every distinct failure once, and every distinct frame once: what thousands of tests share."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from djhop.compare.fingerprints import is_check, same_key
from djhop.durable import encode
from djhop.reports.html.texts import Texts, line
from djhop.reports.signs import owner
from djhop.results.owners import NO_SERVICE
from djhop.results.results import Failure

#: Frames of one traceback: the outermost and the innermost of more.
OUTERMOST, INNERMOST = 20, 40
#: Characters of a message of which anything is read.
ENDLESS = 20_000


class Failures:
    """Gives each failure a number; `rows` and `frames` are what the page gets."""

    def __init__(self, texts: Texts) -> None:
        self.rows: list[dict[str, Any]] = []
        self.frames: list[tuple[str, int, str, str]] = []
        #: Top folders (or files) of the project, as its own places name them.
        self.tops: set[str] = set()
        #: How many tracebacks were cut.
        self.cut = 0
        self._texts = texts
        self._numbers: dict[bytes, int] = {}
        self._frames: dict[tuple[str, int, str, str], int] = {}
        self._roots: dict[object, int] = {}

    def number(self, failure: Failure, cause: str) -> int:
        """Return the number of a failure, a new one where it was not seen before."""
        if len(failure.message) > ENDLESS:
            failure = msgspec.structs.replace(failure, message=failure.message[:ENDLESS])
        # A digest: thousands of whole tracebacks would stay in memory as keys.
        key = hashlib.blake2b(encode((failure, cause)), digest_size=16).digest()
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(self._row(failure, cause))
        return self._numbers[key]

    def own(self, place: str) -> None:
        """Remember the top folder of a place in the project's code."""
        file = place.rpartition(":")[0]
        if file:
            self.tops.add(file.partition("/")[0])

    def project_frames(self) -> list[int]:
        """Return the numbers of the frames that lie in the project's folders."""
        named = enumerate(self.frames)
        return [number for number, frame in named if frame[0].partition("/")[0] in self.tops]

    def _row(self, failure: Failure, cause: str) -> dict[str, Any]:
        self.own(failure.place)
        checked = is_check(failure) and failure.place
        return {
            "exception": line(failure.exception),
            "message": self._texts.message(failure.message, cause),
            "owner": owner(failure.owner),
            "why": line(failure.why),
            "place": line(failure.place),
            "at": line(failure.raised_at),
            "warning": line(failure.warning),
            "when": line(failure.when),
            "cause": cause,
            "frames": self._trace(failure),
            # Two failures have one root where either is the same: `fingerprints.same_root`.
            "root": self._root(same_key(failure)),
            "spot": self._root((same_key(failure)[0], failure.place)) if checked else -1,
            "unserved": failure.why == NO_SERVICE,
        }

    def _root(self, key: object) -> int:
        return self._roots.setdefault(key, len(self._roots))

    def _trace(self, failure: Failure) -> list[int]:
        frames = failure.frames
        if len(frames) > OUTERMOST + INNERMOST:
            self.cut += 1
            frames = (*frames[:OUTERMOST], ("", 0, "", ""), *frames[-INNERMOST:])
        return [self._frame(*frame) for frame in frames]

    def _frame(self, file: str, number: int, function: str, source: str) -> int:
        frame = (file, number, function, source)
        if frame not in self._frames:
            self._frames[frame] = len(self.frames)
            self.frames.append((line(file), number, line(function), line(source)))
        return self._frames[frame]
