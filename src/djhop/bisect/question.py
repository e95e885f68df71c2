"""What a bisect asks of each run: does this one failure show up again? Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from djhop.compare import compare
from djhop.compare.causes import Sighting, loader_of
from djhop.compare.changes import kind, plainly, suite
from djhop.compare.fingerprints import fingerprint, same_root
from djhop.compare.flaky import NOTHING, Evidence
from djhop.compare.groups import broken, deprecated, standing
from djhop.compare.verdicts import life
from djhop.matrix.plan import Hop
from djhop.results.results import CellResult, Failure, Test
from djhop.store.blame import Answer, Blame

#: Tests of one cause that are run: the others fail for the same root.
MOST = 10
_FOLDER = re.compile(r" \(/[^()]*\)$")
#: Statuses that stand for an exception where a process left none.
ENDED = frozenset({"crashed", "timed-out", "uncollectable", "no-tests"})


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One failure, and the tests it is to be seen in."""

    #: Its fingerprint.
    cause: str
    failure: Failure
    #: "strict": it breaks under error::DeprecationWarning only.
    mode: str
    hop: str
    #: Every test behind it, as the hop showed them.
    tests: tuple[str, ...] = ()
    #: What could not be loaded, where no test is known to be behind it.
    modules: tuple[str, ...] = ()
    #: How the tests failed before the hop, where they did.
    before: tuple[Failure, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The tests that are run; () stands for the whole suite."""
        return self.tests[:MOST] or tuple(module for module in self.modules if module)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one run, in words too."""

    answer: Answer
    said: str = ""


def of_hop(
    before: CellResult, after: CellResult, hop: Hop, evidence: Evidence = NOTHING
) -> tuple[Question, ...]:
    """Every failure that the hop brings: what breaks first, and of that the most tests first.

    `evidence` tells what newly fails and is no break: nothing is asked of it.
    """
    found = compare.judge(before, after, hop, evidence=evidence)
    if found.verdict in ("unknown", "blocked") and not found.groups:
        return ()
    shown = broken(found, after, hop.id) if found.groups else ()
    newly = deprecated(found, before, after) if found.deprecation_groups else ()
    old = {test.id: test for test in suite(before)}
    return (*_grouped(shown, "plain", hop, old), *_grouped(newly, "strict", hop, old))


def _grouped(
    sightings: tuple[Sighting, ...], mode: str, hop: Hop, old: dict[str, Test]
) -> Iterator[Question]:
    groups: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        groups.setdefault(sighting.key, []).append(sighting)
    for cause, members in sorted(groups.items(), key=lambda item: -_behind(item[1])):
        tests = tuple(dict.fromkeys(test for member in members for test in member.tests))
        failed = (old[test].failure for test in tests[:MOST] if test in old)
        yield Question(
            cause=cause,
            failure=members[0].failure,
            mode=mode,
            hop=hop.id,
            tests=tests,
            modules=tuple(dict.fromkeys(member.module for member in members)),
            before=tuple(failure for failure in failed if failure and mode == "plain"),
        )


def _behind(members: list[Sighting]) -> int:
    return sum(len(member.tests) for member in members)


def of_test(questions: tuple[Question, ...], test: str) -> tuple[Question, ...]:
    """The question about one test, as far as the hop does anything to it."""
    found = (one for one in questions if test in one.tests)
    return tuple(msgspec.structs.replace(one, tests=(test,)) for one in found)


def answer(question: Question, result: CellResult) -> Said:
    """Say whether a run shows the failure (bad), shows the tests without it (good), or neither."""
    if result.status in ("unresolvable", "uninstallable", "no-python", "infra", "not-run"):
        return Said(answer="skip", said=_first(result.reason) or result.status)
    seen = _failures(question, result)
    if any(_is(question.failure, failure) or fingerprint(failure) == question.cause
           for failure in seen):  # fmt: skip
        return Said(answer="bad", said=_told(question.failure))
    if question.tests:
        return _of_tests(question, result, seen)
    if life(result) != "ran":
        return Said(answer="skip", said=_first(result.reason) or "no test ran")
    return Said(answer="good")


def _of_tests(question: Question, result: CellResult, seen: list[Failure]) -> Said:
    """The answer of tests that do not show the failure."""
    there = {test.id: _kind(question, test) for test in suite(result)}
    kinds = {name: there.get(name, "absent") for name in question.asked}
    if set(kinds.values()) <= {"passed", "excused"}:
        return Said(answer="good")
    other = [one for one in seen if not any(same_root(was, one) for was in question.before)]
    if other:
        return Said(answer="skip", said=f"another failure: {_told(other[0])}")
    fine = ("passed", "excused", *(("failed",) * bool(question.before)))
    for name, was in kinds.items():
        if was not in fine:
            return Said(answer="skip", said=f"{name} is {_word(was)}")
    return Said(answer="good")


def _word(kind: str) -> str:
    return "not there" if kind == "absent" else kind


def _kind(question: Question, test: Test) -> str:
    return kind(test.strict if question.mode == "strict" else plainly(test))


def _failures(question: Question, result: CellResult) -> list[Failure]:
    """Everything that fails in the mode of the question."""
    if question.mode == "plain":
        return [sighting.failure for sighting in standing(result)]
    outside = dict(result.failures)
    found = [failure for failure in outside.values() if failure.warning]
    for test in suite(result):
        if kind(test.strict) == "failed":
            why = test.failure or (loader_of(test.id, outside) or ("", None))[1]
            found += [why] if why else []
    return found


def _is(wanted: Failure, found: Failure) -> bool:
    """Whether two failures are of one root; an end without an exception is known by its kind."""
    if wanted.exception in ENDED and not wanted.frames:
        return found.exception == wanted.exception
    return same_root(wanted, found)


def _told(failure: Failure) -> str:
    name = (failure.warning or failure.exception).rpartition(".")[2]
    return f"{name}: {_first(failure.message)}" if failure.message else name


def _first(text: str) -> str:
    """The first line that says something, without the folder a module was imported from."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return _FOLDER.sub("", line)[:300]


def begun(question: Question, blame_id: str, *, reproduce: str, inputs: str) -> Blame:
    """The record of a bisect of which nothing is known yet."""
    failure = question.failure
    return Blame(
        id=blame_id,
        cause=question.cause,
        mode="strict" if question.mode == "strict" else "plain",
        hop=question.hop,
        exception=(failure.warning or failure.exception).rpartition(".")[2],
        message=_first(failure.message),
        place=failure.place,
        tests=question.asked,
        behind=len(question.tests),
        reproduce=reproduce,
        inputs=inputs,
    )
