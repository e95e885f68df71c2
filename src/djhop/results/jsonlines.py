"""The bytes of an event log → events: in bulk where all is well, line by line where it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from djhop.results.eventlog import Event

#: Bytes read at a time.
CHUNK = 1 << 20
#: Longest line that is read, in bytes; the probe's own bound is far below.
LINE_LIMIT = 4 << 20

_decoder = msgspec.json.Decoder(Event)


def blocks(file: BinaryIO) -> Iterator[tuple[list[Event], int]]:
    """Yield the events of about a megabyte at a time, and how many lines could not be read."""
    rest = b""
    while chunk := file.read(CHUNK):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield decode(rest + head)
            rest = tail
        elif len(rest) < LINE_LIMIT:
            rest += chunk
    if rest:
        yield decode(rest)


def decode(block: bytes) -> tuple[list[Event], int]:
    """Return the events of whole lines, and how many of the lines are none."""
    try:
        return _decoder.decode_lines(block), 0
    except (ValueError, RecursionError):
        lines = [line.strip(b"\0 \r\t") for line in block.split(b"\n")]
        events = [_line(line) for line in lines if line]
        return [event for event in events if event is not None], events.count(None)


def _line(line: bytes) -> Event | None:
    event: Event
    try:
        event = _decoder.decode(line)
    except (ValueError, RecursionError):
        try:
            event = msgspec.convert(_mended(line), Event)
        except (ValueError, RecursionError):
            return None
    return event


def _mended(line: bytes) -> Any:
    """Parse a line that holds lone surrogates or bytes that are no UTF-8, made readable.

    What stays in it could not be written as UTF-8 again.
    """
    return _readable(json.loads(line.decode("utf-8", "replace")))


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, dict):
        return {str(_readable(key)): _readable(item) for key, item in value.items()}
    return value
