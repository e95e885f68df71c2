"""What a shell may complete with: runs, cells, hops and tests of earlier runs.

It is asked at each press of a key, so it reads files itself, and no more of each than it needs:
importing what reads them whole takes longer than the answer may.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

LATEST = "latest"
#: What may be put on a command line: a test's id is the target's own choice, and is executed if it
#: holds `$(…)` and somebody presses return.
SAFE = re.compile(r"[\w./:\[\]=,+@%-]+")
#: Of more tests than these, their modules are offered first.
MOST = 60


class _Ends(msgspec.Struct):
    before: _Cell
    after: _Cell


class _Cell(msgspec.Struct):
    django: str
    python: str


class _Plan(msgspec.Struct):
    hops: list[_Ends] = []


class _Run(msgspec.Struct):
    plan: _Plan


class _Test(msgspec.Struct):
    id: str


class _Result(msgspec.Struct):
    tests: list[_Test] = []


def runs(out: Path) -> list[str]:
    """Names of the runs in `out`, newest first; none where there are none."""
    names = sorted((path.parent.name for path in out.glob("*/run.json")), reverse=True)
    return _safe([LATEST, *(name for name in names if name != LATEST)] if names else [])


def cells(out: Path, run: str) -> list[str]:
    """Ids of the cells of a run."""
    folder = _folder(out, run)
    return _safe(sorted(path.parent.name for path in folder.glob("cells/*/cell.json")))


def hops(out: Path, run: str) -> list[str]:
    """Ids of the hops of a run, in its order."""
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        read = msgspec.json.decode((_folder(out, run) / "run.json").read_bytes(), type=_Run)
        return _safe(f"{_id(hop.before)}..{_id(hop.after)}" for hop in read.plan.hops)
    return []


def tests(out: Path, begun: str) -> list[str]:
    """Ids of tests of the latest run that begin so; of many, the modules that they are in.

    They are those of the cell of which most was written down.
    """
    found = [(path.stat().st_size, path) for path in _folder(out, LATEST).glob("cells/*/cell.json")]
    ids: list[str] = []
    if found:
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            read = msgspec.json.decode(max(found)[1].read_bytes(), type=_Result)
            ids = [test.id for test in read.tests if test.id.startswith(begun)]
    if len(ids) > MOST:
        ids = [_step(name, len(begun)) for name in ids]
    return _safe(ids)


def _step(name: str, begun: int) -> str:
    """The id as far as the next of its parts: the module, then the class, then the test."""
    at = name.find("::" if "::" in name else ".", begun + 1)
    return name[:at] if at > 0 else name


def _folder(out: Path, run: str) -> Path:
    """The folder of a run; `latest` is a link, or a file with its name where links fail."""
    named = Path(run)
    if (named / "run.json").is_file():
        return named
    folder = out / run
    if run == LATEST and folder.is_file():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return out / folder.read_text("utf-8").strip()
    if not folder.is_dir():
        begun = sorted(path.parent for path in out.glob(f"{run}*/run.json")) if run else []
        return begun[-1] if begun else folder
    return folder


def _id(cell: _Cell) -> str:
    return f"py{cell.python}-django{cell.django}"


def _safe(names: Iterable[str]) -> list[str]:
    """Each once; nothing that a shell would act on, or take for an option."""
    return [n for n in dict.fromkeys(names) if SAFE.fullmatch(n) and not n.startswith("-")]
