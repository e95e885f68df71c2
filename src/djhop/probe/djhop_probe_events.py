"""Writes what the probe sees: one JSON line per event, one write(2) per line.

The target may close our descriptor, change directory, fork, freeze time or mock half of `os`.
None of that may lose an event, and no trouble of ours may ever surface in the target's code.
"""

import binascii
import collections
import json
import os
import time

#: Longest line, in bytes: O_APPEND keeps lines whole, and a reader may trust this bound.
LINE_LIMIT = 256 * 1024
#: Longest message, in characters.
TEXT_LIMIT = 4000
CUT = " ... (cut by djhop)"
#: Longest test id: parametrized ids can hold whole documents.
ID_LIMIT = 2000
#: Fields that hold words of the target's: what must not be written is only looked for there. All
#: others are ours, or numbers, or name code (classes, files), and readers go by them.
WORDS = frozenset(["id", "ids", "message", "reason", "sub", "text"])


class _Real(object):
    """The real functions, out of reach of mocks.

    They are class attributes because freezegun replaces `time.time` in the globals of every
    module that holds it, and pyfakefs does so with `os`.
    """

    time = time.time
    pid = os.getpid
    open = os.open
    write = os.write
    fstat = os.fstat
    encode = staticmethod(
        json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=repr).encode
    )


def cut(text, limit=TEXT_LIMIT):
    """Return `text`, at most `limit` characters of it; a whole message says that it was cut."""
    if len(text) <= limit:
        return text
    return text[: limit - len(CUT)] + CUT if limit == TEXT_LIMIT else text[:limit]


def short_id(text):
    """Return a test id that fits a line; equal ids stay equal, different ones different."""
    if len(text) <= ID_LIMIT:
        return text
    digest = binascii.crc32(text.encode("utf-8", "surrogatepass")) & 0xFFFFFFFF
    return "%s...%08x" % (text[: ID_LIMIT - 100], digest)


def shard_of(text, parts):
    """Return which of `parts` the test with this id belongs to, from 1 on: always the same one."""
    return binascii.crc32(text.encode("utf-8", "surrogatepass")) % parts + 1


class Events(object):
    """An event log that survives whatever the target does to the process."""

    def __init__(self, path, secrets=None):
        self.path = os.path.abspath(path)
        #: What must not be written, and what is instead; the longest first.
        self._secrets = sorted((secrets or {}).items(), key=lambda pair: -len(pair[0]))
        self._fd = -1
        self._identity = None
        #: Lines that could not be written yet, as the disk was full, and whose they are.
        self._waiting = collections.deque()
        self._pid = _Real.pid()

    def emit(self, kind, **fields):
        """Append one event. Never raises, but lets an interrupt or a test's timeout through."""
        try:
            record = {"e": kind, "t": _Real.time(), "pid": _Real.pid()}
            record.update(self._shown(fields) if self._secrets else fields)
            if record["pid"] != self._pid:  # what waits is written by whom this was forked from
                self._pid, self._waiting = record["pid"], collections.deque()
            self._waiting.append((_line(record) + "\n").encode("ascii"))
            self._write()
        except Exception:
            pass

    def _write(self):
        """Write what waits, in its order: without a line a test would seem not to have ended."""
        while self._waiting:
            line = self._waiting.popleft()
            try:
                rest = line[_Real.write(self._descriptor(), line) :]
            except BaseException:
                self._waiting.appendleft(line)
                raise
            if rest:
                self._waiting.appendleft(rest)

    def shown(self, test_id):
        """Return a test's id as the log has it."""
        return self.masked(short_id(test_id))

    def _shown(self, fields):
        """Mask the target's words in an event, or in an exception of one."""
        shown = {}
        for key, value in fields.items():
            if key in WORDS:
                value = self.masked(value)
            elif key == "frames":
                # The last of a row is a line of source.
                value = [list(row[:3]) + self.masked(row[3:]) for row in value]
            elif isinstance(value, dict):
                value = self._shown(value)
            shown[key] = value
        return shown

    def masked(self, value):
        """Return texts of the target's with what must not be written replaced."""
        if isinstance(value, (list, tuple)):
            return [self.masked(item) for item in value]
        if isinstance(value, str):
            for secret, instead in self._secrets:
                value = value.replace(secret, instead)
        return value

    def _descriptor(self):
        # The number may since have been closed, and reused for a file of the target's.
        try:
            found = _Real.fstat(self._fd)
            if (found.st_dev, found.st_ino) == self._identity:
                return self._fd
        except OSError:
            pass
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._fd = _Real.open(self.path, flags, 0o644)
        found = _Real.fstat(self._fd)
        self._identity = (found.st_dev, found.st_ino)
        return self._fd


def _line(record):
    text = _Real.encode(record)
    if len(text) >= LINE_LIMIT and "printed" in record:
        whole = record["printed"]
        left_out = len(whole["head"]) + len(whole["tail"]) + whole["left_out"]
        text = _Real.encode(dict(record, printed={"left_out": left_out}))
    if len(text) >= LINE_LIMIT:
        text = _Real.encode(_shrunk(record))
    if len(text) >= LINE_LIMIT:
        kept = ("e", "t", "pid", "id", "when", "outcome", "seconds", "fatal", "code", "ran")
        few = {key: record[key] for key in kept if key in record}
        few["cut"] = True
        text = _Real.encode(few)
    # One leading byte would be enough for a broken line before this one, but lines never break:
    # a regular file takes the whole of a write unless the disk is full.
    return text


def _shrunk(value, depth=0):
    """Return `value` with long texts and long lists cut, the ends of lists kept."""
    if isinstance(value, str):
        return value if depth == 1 and len(value) <= ID_LIMIT else cut(value, 500)
    if isinstance(value, dict):
        small = {key: _shrunk(item, depth + 1) for key, item in value.items()}
        if depth == 0:
            small["cut"] = True
        return small
    if isinstance(value, (list, tuple)):
        items = list(value) if len(value) <= 30 else list(value[:10]) + list(value[-20:])
        return [_shrunk(item, depth + 1) for item in items]
    return value
