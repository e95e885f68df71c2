"""Whatever others have written: an answer or an error of djhop's own, in bounded time.

`DJHOP_FUZZ` says how many inputs each parser gets (nox -s fuzz: 100,000). Input 4711 of a parser is
always the same, so that a failure is there again for who looks.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import mutating
import parsers

from djhop.errors import DjhopError

#: Inputs of each parser.
COUNT = int(os.environ.get("DJHOP_FUZZ", "100"))
#: Seconds of processor time that one input may cost.
LONGEST = 5.0


@pytest.mark.parametrize("parser", parsers.PARSERS, ids=lambda parser: parser.name)
def test_nothing_but_our_own_errors(
    parser: parsers.Parser, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    parser.beside(tmp_path)
    file = tmp_path / parser.file
    file.parent.mkdir(parents=True, exist_ok=True)
    refused, slowest = 0, 0.0
    #: What went wrong, by its kind and place → the first input that showed it.
    wrong: dict[str, int] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SyntaxWarning: of sources that are only looked at
        for number in range(COUNT):
            file.write_bytes(mutating.numbered(parser.name, number, parser.seeds))
            began = time.process_time()
            try:
                parser.call(tmp_path)
                if parser.whole is not None and number % 10 == 0:
                    parser.whole(tmp_path)
            except DjhopError:
                refused += 1
            except Exception as error:
                wrong.setdefault(_told(error), number)
            took = time.process_time() - began
            slowest = max(slowest, took)
            if took > LONGEST:
                wrong.setdefault("too long", number)
    record_property("fuzz", [parser.name, COUNT, refused, round(slowest, 3)])
    assert not wrong, wrong
    # Not all of it is refused at the door, or the test would tell nothing.
    assert refused < COUNT


def _told(error: Exception) -> str:
    """What was raised, and the last place of djhop's own that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{frame.filename}:{frame.lineno}" for frame in frames if "/djhop/" in frame.filename]
    return f"{type(error).__name__} at {ours[-1] if ours else frames[-1].filename}"
