"""Where the output of a command goes: a log file or memory, bounded either way."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Literal

from djhop.errors import InfraError
from djhop.masking import Masker

Decode = Literal["replace", "surrogateescape"]


class Sink:
    """Where the output goes: the log, or memory; bounded either way.

    What looks secret in the command's environment is masked in the log.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        *,
        log: str | None,
        limit: int,
        decode: Decode = "replace",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._left, self._decode = limit, decode
        self._masker = Masker((environ or {}) if log is not None else {})
        self._kept, self._log = bytearray(), -1
        #: Bytes that came, and those of them that were beyond the limit.
        self.received = self.dropped = 0
        if log is not None:
            # Unbuffered, so that it can be read while the command runs.
            try:
                self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            except OSError as error:
                raise InfraError(f"cannot write the log {log}: {error.strerror}") from error
            self._put(self._masker.feed(f"$ {quoted(argv)}\n".encode()))

    def write(self, data: bytes) -> None:
        """Keep what the limit allows of `data`, and count the rest."""
        kept = data[: self._left]
        self._left -= len(kept)
        self.received += len(data)
        self.dropped += len(data) - len(kept)
        self._put(self._masker.feed(kept))

    def text(self) -> str:
        """What was kept in memory."""
        return self._kept.decode(errors=self._decode)

    def close(self) -> None:
        """Say in the log what was dropped, and close it."""
        if self._log >= 0:
            try:
                self._put(self._masker.rest())
                if self.dropped:
                    self._put(f"\n[djhop: {self.dropped} more bytes of output dropped]\n".encode())
            finally:
                os.close(self._log)
                self._log = -1

    def _put(self, data: bytes) -> None:
        if self._log < 0:
            self._kept += data
            return
        try:
            while data:
                data = data[os.write(self._log, data) :]
        except OSError as error:
            raise InfraError(f"cannot write a log: {error.strerror}") from error


def quoted(argv: tuple[str, ...]) -> str:
    """Quote `argv` for a shell, on one line and without a control character."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in shlex.join(argv)
    )
