"""What a command that djhop does not look into has said of its tests, in JUnit XML.

The files are read as if somebody hostile had written them: no document type, so no entities; a
limit on size, depth does not matter, and what is not understood is said rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

from djhop.results import events
from djhop.results.eventlog import (
    Begin,
    Collected,
    CollectError,
    End,
    Event,
    Exc,
    Fatal,
    Frame,
    Printed,
    Report,
    Start,
    Stop,
    Words,
)

if TYPE_CHECKING:
    from djhop.processes.process import Completed
    from djhop.results.events import PassEvents

#: How `framework` names such a suite.
FRAMEWORK = "command"
#: Bytes of one file, files, and characters of one message or traceback.
FILE_LIMIT, FILES_LIMIT, TEXT_LIMIT = 64 * 1024 * 1024, 1000, 20_000
_OUTCOMES = {"failure": "failed", "error": "error", "skipped": "skipped"}
#: What a failing test printed, and how many characters of that are kept: the first.
_STREAMS = {"system-out": "stdout", "system-err": "stderr"}
PRINTED = 4_000
_GRAVITY = ("passed", "skipped", "error", "failed")
#: What the text of a failure begins with: "django.core.exceptions.FieldError: no such field".
_RAISED = re.compile(r"^(?:E\s+)?([A-Za-z_][\w.]*)(?:: |:?$)", re.MULTILINE)
_FRAME = re.compile(r'^\s*File "([^"\n]+)", line (\d+), in (\S+)(?:\n\s+(.*))?', re.MULTILINE)
_NOT_LOADED = "unittest.loader._FailedTest"


class NotJUnitError(Exception):
    """A file that is no JUnit XML, or too much of it."""


#: LookupError: an encoding that nobody knows.
_UNREADABLE = (NotJUnitError, expat.ExpatError, OSError, ValueError, LookupError)


def files(tree: Path, pattern: str) -> list[Path]:
    """The files of `pattern` in `tree`, in order; none behind a link, which may lead anywhere."""
    found = sorted(path for path in _inside(tree, pattern) if not path.is_symlink())
    return [path for path in found if path.is_file()][:FILES_LIMIT]


def clear(tree: Path, pattern: str) -> None:
    """Delete what an earlier run has left, so that it is not taken for what this one says."""
    for path in list(_inside(tree, pattern)):
        if path.is_symlink() or path.is_file():
            path.unlink(missing_ok=True)


def _inside(tree: Path, pattern: str) -> Iterator[Path]:
    """What `pattern` matches; not what lies in a folder that a link leads to."""
    root = tree.resolve()
    return (path for path in tree.glob(pattern) if path.parent.resolve().is_relative_to(root))


def read(
    tree: Path, pattern: str, mode: str, done: Completed, hide: Callable[[str], str] = str
) -> PassEvents:
    """Read what the command has written; its exit status is part of it.

    `hide` masks what must not be shown, in the ids of tests and in what is said of them.
    """
    return events.gather(_events(tree, pattern, mode, done, hide))


def _events(
    tree: Path, pattern: str, mode: str, done: Completed, hide: Callable[[str], str]
) -> Iterator[Event]:
    yield Begin(framework=FRAMEWORK, mode=mode)
    whole, tests = done.returncode >= 0, 0
    written = files(tree, pattern)
    for path in written:
        name = path.relative_to(tree).as_posix()
        try:
            for event in _of_file(path, hide):
                tests += isinstance(event, Stop)
                yield event
        except _UNREADABLE as error:
            whole = False
            yield Words(text=f"{name} cannot be read as JUnit XML: {error}")
    if not tests:
        found = f"{len(written)} files" if written else "no file"
        yield Words(text=f"junit: {found} of {pattern!r}, and no test in them")
        if done.returncode > 0:
            yield Fatal(exc=_ended(done))
    if whole:
        yield End(code=done.returncode)


def _ended(done: Completed) -> Exc:
    """What stands for a command that failed and told of no test."""
    if done.returncode in (126, 127):
        text = f"{done.argv[0]!r}: no such program in the cell, or it cannot be run"
        return Exc(type="FileNotFoundError", name="FileNotFoundError", message=text)
    text = f"the command ended with {done.returncode}, and told of no test"
    return Exc(type="SystemExit", name="SystemExit", message=text)


def names(path: Path) -> list[tuple[str, str]] | None:
    """Return class and name of each test in a file; None where it cannot be read."""
    try:
        return [(case.classname, case.name) for case in _cases(path)]
    except _UNREADABLE:
        return None


def _of_file(path: Path, hide: Callable[[str], str]) -> Iterator[Event]:
    for case in _cases(path):
        yield from case.events(hide)


def _cases(path: Path) -> list[_Case]:
    if path.stat().st_size > FILE_LIMIT:
        raise NotJUnitError(f"it is larger than {FILE_LIMIT} bytes")
    reading = _Reading()
    reading.parse(path)
    return reading.cases


class _Case:
    """One <testcase> while it is read."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.classname, self.name = attributes.get("classname", ""), attributes.get("name", "")
        self.seconds = _seconds(attributes.get("time", ""))
        self.outcome, self.told, self.text = "passed", dict[str, str](), ""
        self.printed, self.beyond = dict[str, str](), 0

    def take(self, tag: str, attributes: dict[str, str]) -> None:
        """Take a part of it that says what came of it; the gravest decides."""
        outcome = _OUTCOMES[tag]
        if _GRAVITY.index(outcome) >= _GRAVITY.index(self.outcome):
            self.outcome, self.told, self.text = outcome, attributes, ""
        if tag == "skipped" and attributes.get("type") == "pytest.xfail":
            self.outcome = "xfailed"

    def prints(self, stream: str, text: str) -> None:
        """Take a piece of what it printed."""
        known = self.printed.get(stream, "")
        if len(known) < TEXT_LIMIT:
            self.printed[stream] = known + text
        else:
            self.beyond += len(text)

    def events(self, hide: Callable[[str], str]) -> Iterator[Event]:
        """A test is begun, reported and over; a module that could not be loaded is none."""
        message = hide(self.told.get("message", ""))[:TEXT_LIMIT]
        self.text = hide(self.text)
        lost = not self.classname and message.startswith("collection ")
        if self.classname == _NOT_LOADED or (lost and self.outcome != "skipped"):
            yield CollectError(id=hide(self.name), exc=self._exc(message))
        elif not lost:
            test = hide(f"{self.classname}.{self.name}" if self.classname else self.name)
            bad = self.outcome in ("failed", "error")
            yield Collected(ids=(test,))
            yield Start(id=test)
            yield Report(
                id=test,
                when="call",
                outcome=self.outcome,
                seconds=self.seconds,
                exc=self._exc(message) if bad else None,
                reason="" if bad else message,
                printed=self._printed(hide) if bad else None,
            )
            yield Stop(id=test)

    def _printed(self, hide: Callable[[str], str]) -> Printed | None:
        said = [f"--- {name} ---\n{text}" for name, text in self.printed.items() if text.strip()]
        # Masked before it is cut, or half of a secret would stay.
        text = hide("\n".join(said))
        left_out = len(text[PRINTED:]) + self.beyond
        return Printed(head=text[:PRINTED], left_out=left_out) if text else None

    def _exc(self, message: str) -> Exc:
        """What was raised, as far as texts tell: its class, its message, a traceback's frames."""
        whole = f"{message}\n{self.text[:TEXT_LIMIT]}"
        raised = _RAISED.search(message) or _RAISED.search(self.text[-TEXT_LIMIT:])
        name = self.told.get("type", "") or (raised[1] if raised else "") or "Failure"
        short = name.rpartition(".")[2]
        bases = ("DeprecationWarning", "Warning") if short.endswith("Warning") else ()
        frames: list[Frame] = [
            (file, int(line), function, source.strip())
            for file, line, function, source in _FRAME.findall(whole)
        ]
        said = message.removeprefix(f"{name}: ") or self.text.strip()[:TEXT_LIMIT]
        mro = (name, *bases)
        return Exc(type=name, name=short, mro=mro, message=said, frames=tuple(frames[-60:]))


class _Reading:
    """Collects the test cases of one file."""

    def __init__(self) -> None:
        self.cases: list[_Case] = []
        self._case: _Case | None = None
        self._open = 0
        self._stream = ""
        self._root = ""

    def parse(self, path: Path) -> None:
        """Read it to its end."""
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        # Not piece by piece: an attribute of megabytes would be looked at anew with each.
        parser.Parse(path.read_bytes(), True)

    def _doctype(self, *_: object) -> None:
        raise NotJUnitError("it has a document type")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._root = self._root or tag
        if self._root not in ("testsuites", "testsuite"):
            raise NotJUnitError(f"its root is <{tag}>")
        if tag == "testcase":
            if not attributes.get("name"):
                raise NotJUnitError("a <testcase> in it has no name")
            self._case = _Case(attributes)
        elif self._case is not None and tag in _OUTCOMES:
            self._case.take(tag, attributes)
            self._open += 1
        elif self._case is not None and tag in _STREAMS:
            self._stream = _STREAMS[tag]

    def _end(self, tag: str) -> None:
        if tag == "testcase" and self._case is not None:
            if self._case.outcome not in ("failed", "error"):
                self._case.printed.clear()
            self.cases.append(self._case)
            self._case, self._open, self._stream = None, 0, ""
        elif self._open and tag in _OUTCOMES:
            self._open -= 1
        elif tag in _STREAMS:
            self._stream = ""

    def _data(self, text: str) -> None:
        case = self._case
        if self._open and case is not None and len(case.text) < TEXT_LIMIT:
            case.text += text
        elif self._stream and case is not None:
            case.prints(self._stream, text)


def _seconds(text: str) -> float:
    try:
        return max(0.0, min(float(text or 0.0), 1e7))
    except ValueError:
        return 0.0
