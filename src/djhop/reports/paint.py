"""Colours of a terminal; without colour every function returns its text as it is."""

from __future__ import annotations

from collections.abc import Callable

CODES = {"good": "32", "warn": "33", "bad": "31", "blocked": "35", "unknown": "36"}


class Paint:
    """Puts ANSI colours around text that is already laid out."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def bold(self, text: str) -> str:
        """What a reader should see first."""
        return self._put("1", text)

    def dim(self, text: str) -> str:
        """What a reader may pass over."""
        return self._put("2", text)

    def tone(self, tone: str) -> Callable[[str], str]:
        """The colour of a tone, as a function."""
        return lambda text: self._put(CODES[tone], text)

    def _put(self, code: str, text: str) -> str:
        # Codes nest: the inner end also ends the outer, so that is begun again.
        if not self._color or not text:
            return text
        start, end = f"\x1b[{code}m", "\x1b[0m"
        return start + text.replace(end, end + start) + end
