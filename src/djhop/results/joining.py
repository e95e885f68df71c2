"""The parts of one cell's suite, run on several machines → one result; pure.

A part that says nothing (its machine failed, its packages could not be had) makes the whole cell
say nothing: tests are missing. Where each part has run its tests, the same table decides what the
cell is as where one machine ran them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from djhop.results.deprecations import Deprecation
from djhop.results.outcomes import END, Test, count
from djhop.results.passes import Pass
from djhop.results.results import GOOD, CellResult, Status, not_strictly
from djhop.results.statuses import Facts, decide

#: What makes the whole cell say nothing, the worst first.
_DUMB: tuple[Status, ...] = (
    *("interrupted", "infra", "no-python", "not-run"),
    *("uninstallable", "unresolvable", "unsupported"),
)
T = TypeVar("T")


def join(parts: Sequence[CellResult]) -> CellResult:
    """Make one result of all parts of a cell, in whatever order they come.

    Coverage is left out: it is combined from the files.
    """
    parts = sorted(parts, key=lambda part: part.part.number if part.part else 0)
    for status in _DUMB:
        if found := next((part for part in parts if part.status == status), None):
            return _dumb(found, parts)
    if differs := _differ(parts):
        return _infra(parts, differs)
    tests = _tests(parts)
    status, reason = _decide(parts, tests)
    first = parts[0]
    return msgspec.structs.replace(
        first,
        status=status,
        reason=reason,
        hint=next((part.hint for part in parts if part.hint), ""),
        counts={
            "strict": count([test.strict for test in tests]),
            "plain": count([test.plain for test in tests]),
        },
        coverage=None,
        counts_queries=all(part.counts_queries for part in parts),
        tests=tests,
        deprecations=_deprecations(parts),
        failures=_once(pair for part in parts for pair in part.failures),
        passes=tuple(one for part in parts for one in part.passes),
        steps=next((part.steps for part in parts if part.steps), {}),
        notes=_once(note for part in parts for note in part.notes),
        seconds=_seconds(parts),
        part=None,
    )


def _dumb(found: CellResult, parts: Sequence[CellResult]) -> CellResult:
    number = f"part {found.part.number}/{found.part.of}: " if found.part else "a part: "
    steps = next((part.steps for part in parts if part.steps), {})
    if all(part.status == found.status for part in parts):
        number = ""
    return msgspec.structs.replace(
        found,
        reason=number + (found.reason or found.status),
        tests=(),
        counts={},
        coverage=None,
        failures=(),
        deprecations=(),
        steps=steps,
        part=None,
    )


def _infra(parts: Sequence[CellResult], reason: str) -> CellResult:
    found = _dumb(msgspec.structs.replace(parts[0], status="infra", part=None), parts)
    return msgspec.structs.replace(found, reason=reason, passes=())


def _differ(parts: Sequence[CellResult]) -> str:
    """Say why parts are not parts of one thing; "" where they are."""
    seen = {
        part.part.digest: f"{part.part.number}/{part.part.of}: {part.part.total}"
        for part in parts
        if part.part
    }
    if len(seen) > 1:
        return f"its parts collected different tests ({', '.join(seen.values())})"
    for name in sorted({name for part in parts for name in part.packages}):
        versions = {part.packages.get(name, "none") for part in parts}
        if len(versions) > 1:
            return f"its parts ran with different packages ({name}: {', '.join(sorted(versions))})"
    ids = [test.id for part in parts for test in part.tests if test.id not in _outside(part)]
    if len(ids) != len(set(ids)):
        twice = next(name for name in ids if ids.count(name) > 1)
        return f"a test was run in two of its parts: {twice}"
    return ""


def _outside(part: CellResult) -> frozenset[str]:
    """Ids of what stands among the tests and is none: modules, classes, the end of the suite."""
    return frozenset({END, *(name for name, _ in part.failures)})


def _tests(parts: Sequence[CellResult]) -> tuple[Test, ...]:
    """Every test, and once what each part sees: a module that does not load."""
    found: dict[str, Test] = {}
    for part in parts:
        for test in part.tests:
            found.setdefault(test.id, test)
    return tuple(found.values())


def _decide(parts: Sequence[CellResult], tests: Sequence[Test]) -> tuple[Status, str]:
    """Put what the parts saw through the table of statuses."""
    decisive = [_decisive(part.passes) for part in parts]
    died = [one for one in decisive if one and one.died and one.died != "collection"]
    cut = [one for one in died if one.died in ("timeout", "silence")]
    worst = next(iter((*cut, *died)), None)
    modules = {name for p in parts for name, why in p.failures if why.when == "collect"}
    good = [test for test in tests if test.plain in GOOD]
    crashed = next((test.id for test in tests if "crashed" in (test.plain, test.strict)), "")
    ended = any(test.id == END for test in tests)
    facts = Facts(
        # A module that does not load ends no suite: each part has its tests beside it.
        died=worst.died if worst else "collection" if _all_dead(decisive) else "",
        running=(worst.running if worst else "") or crashed,
        starts=max((one.starts for one in decisive if one), default=1),
        exit=next((o.returncode for o in decisive if o and o.returncode), None) if ended else None,
        plain=count([test.plain or test.strict for test in tests]),
        modules=sum(1 for test in tests if test.id in modules),
        not_strict=sum(1 for test in good if not_strictly(test)),
        unknown_strict=sum(1 for test in good if test.strict is None),
        strict_died=any(part.status == "deprecated" for part in parts),
    )
    return decide(facts)


def _all_dead(decisive: Sequence[Pass | None]) -> bool:
    return all(one is not None and one.died == "collection" for one in decisive)


def _decisive(passes: Sequence[Pass]) -> Pass | None:
    plain = [one for one in passes if one.mode == "plain"]
    return plain[-1] if plain else next(iter(passes), None)


def _deprecations(parts: Sequence[CellResult]) -> tuple[Deprecation, ...]:
    """Each use once, with the tests of all parts; times seen are added up."""
    found: dict[Deprecation, Deprecation] = {}
    for part in parts:
        for use in part.deprecations:
            key = msgspec.structs.replace(use, tests=(), count=0, when="", why="")
            known = found.get(key)
            if known is None:
                found[key] = use
                continue
            tests = _once((*known.tests, *use.tests))
            # What is seen outside of tests is seen in each part.
            times = max(known.count, use.count) if use.when else known.count + use.count
            when = known.when if known.when == use.when else ""
            found[key] = msgspec.structs.replace(known, tests=tests, count=times, when=when)
    return tuple(found.values())


def _seconds(parts: Sequence[CellResult]) -> dict[str, float]:
    """What all machines took together."""
    found: dict[str, float] = {}
    for part in parts:
        for stage, seconds in part.seconds.items():
            found[stage] = round(found.get(stage, 0.0) + seconds, 3)
    return found


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
