"""Failure → fingerprint: the same root gives the same one across tests, cells and machines."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Literal

import msgspec

from djhop.results.results import Failure

#: What varies from test to test, run to run or machine to machine, in the order it is replaced.
VARIABLE = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (
        re.compile(
            r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?(?!\w)"
        ),
        "<time>",
    ),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "<time>"),
    (re.compile(r"(?<![\w./>])(?:/[\w.@+~%-]+){2,}/?"), "<path>"),
    (re.compile(r"\b[A-Za-z]:\\[^\s'\"<>|]+"), "<path>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b"), "<id>"),
    # Django names the test that uses a database it does not ask for.
    (re.compile(r"(?<=' to )[\w.]+\.databases\b"), "<test>.databases"),
    # What the probe adds to the names of test databases.
    (re.compile(r"_djhop_[0-9a-f]{8}"), ""),
    # "Signal.__init__()" since Python 3.10, "__init__()" before.
    (re.compile(r"\b(?:[A-Za-z_]\w*\.|<locals>\.)+(?=[A-Za-z_]\w*\(\))"), ""),
)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:[.,]\d+)*(?!\w)")
#: A quoted value that is data and no name of code: 'thumb-20x20.jpg', "order/17".
VALUE = re.compile(r"""(['"])(?![A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\1)(?=[^'"\s]*[\d@])[^'"\s]+\1""")
#: What a failed check compared is what tells it from another: "404 != 200". Ids are longer.
LONG_NUMBER = re.compile(r"(?<![\w.])-?\d{4,}(?:[.,]\d+)*(?!\w)|(?<![\w.])-?\d+[.,]\d+(?!\w)")
#: Checks are run in the order of a set: which message comes first varies from run to run.
CHECK = re.compile(r"\(([\w.]+\.[EW]\d{3})\)")
TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:tests?|conftest|test_\w*|\w*_tests?)\.py$"
)
#: Raised wherever the limit happens to be reached.
ANYWHERE = frozenset({"RecursionError", "MemoryError"})

Where = Literal["project", "test", "outside", "unknown"]


@functools.lru_cache(maxsize=4096)
def template(message: str, *, check: bool = False) -> str:
    """Return the first line of `message` with what varies replaced: "object at <address>".

    `check`: it comes from a failed assertion, whose short numbers are kept ("404 != 200").
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = lines[0][:400] if lines else ""
    for pattern, name in VARIABLE:
        text = pattern.sub(name, text)
    text = text if check else VALUE.sub("<value>", text)
    text = (LONG_NUMBER if check else NUMBER).sub("<n>", text)
    codes = sorted(set(CHECK.findall(message))) if len(lines) > 1 else []
    return " ".join([text, *codes])


def fingerprint(failure: Failure) -> str:
    """Return the stable id of a failure's root: ten hexadecimal digits.

    It is made of the exception's name, its message template and the spot (see `spot`); of a chain
    of exceptions, of the one that tells the root. Lines,
    addresses, times, ids and the folders of the machine do not change it, nor does moving to
    another series of Django or of Python where the message stays.
    """
    parts = (_name(failure), _template(failure), spot(failure))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:10]


def same_root(before: Failure, after: Failure) -> bool:
    """Whether one test failed for the same reason on both sides of a hop.

    The target's tree is the same on both sides, so a check that fails on the same line is the
    same check, whatever it compared.
    """
    if same_key(before) == same_key(after):
        return True
    if _name(before) != _name(after):
        return False
    return is_check(before) and bool(before.place) and before.place == after.place


def same_key(failure: Failure) -> tuple[str, str]:
    """Return what two failures of one test have in common where their reason is the same."""
    return _name(failure), _template(failure)


def spot(failure: Failure) -> str:
    """Name the frame that tells this root from another with the same message; may be "".

    In the project's own code: file and function, since each such place is work of its own. In a
    test: the file alone for a failed check, nothing otherwise, since forty tests that call one
    removed function are one cause. Outside: the package and the function that raised.
    """
    if _name(failure) in ANYWHERE:
        return ""
    file, at = failure.place.rpartition(":")[0], _project_frame(failure)
    function = failure.frames[at][2] if at is not None else ""
    outside = _raised_outside(failure)
    match _where(file, outside):
        case "project":
            return f"{file}:{function}" if failure.owner.kind == "project" else outside
        case "test":
            return file if is_check(failure) else outside
        case "outside":
            return outside
        case "unknown":
            return ""


def _where(file: str, outside: str) -> Where:
    if file:
        return "test" if TEST_FILE.search(file) else "project"
    return "outside" if outside else "unknown"


def _name(failure: Failure) -> str:
    """The exception's class without its module: that moves between series and versions."""
    return (failure.root or failure.warning or failure.exception).rpartition(".")[2]


def is_check(failure: Failure) -> bool:
    """Whether it is a failed check, and not an exception that came by itself."""
    return _name(failure) in ("AssertionError", "Failed")


def _template(failure: Failure) -> str:
    message = failure.root_message if failure.root else failure.message
    return template(message, check=is_check(failure))


def essential(failure: Failure) -> Failure:
    """Return `failure` without the frames that its fingerprint does not need."""
    at, last = _project_frame(failure), len(failure.frames) - 1
    kept = tuple(frame for n, frame in enumerate(failure.frames) if n in (at, last))
    return msgspec.structs.replace(failure, frames=kept)


def _project_frame(failure: Failure) -> int | None:
    """Which frame is the deepest in the project's code."""
    file, _, line = failure.place.rpartition(":")
    for number in range(len(failure.frames) - 1, -1, -1):
        if failure.frames[number][0] == file and str(failure.frames[number][1]) == line:
            return number
    return None


def _raised_outside(failure: Failure) -> str:
    """Top package and function of the frame that raised, when that is not the project's."""
    if not failure.raised_at or failure.raised_at == failure.place:
        return ""
    file = failure.raised_at.rpartition(":")[0]
    function = failure.frames[-1][2] if failure.frames else ""
    return f"{file.partition('/')[0]}:{function}"
