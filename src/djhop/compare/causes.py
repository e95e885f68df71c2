"""Failures that share one root → causes, ranked by how many tests are behind each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from djhop.compare.changes import suite
from djhop.compare.fingerprints import essential, fingerprint
from djhop.knowledge.explain import Known, explain
from djhop.results.results import CellResult, Failure, Owner

#: Failures of a whole pass carry its name instead of a module's.
PASSES = frozenset({"strict", "plain", "scoped"})
#: Tests per cause in one cell that keep their whole traceback.
TRACEBACKS = 20
_CELL = re.compile(r"py([\d.]+)-django([\d.]+).*")


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of one root, in every cell it was seen in."""

    #: Fingerprint: the same in every run and on every machine.
    id: str
    exception: str
    message: str
    owner: Owner
    #: First place in the project's code, "app/urls.py:3"; "" when the project is not in the trace.
    place: str = ""
    raised_at: str = ""
    #: Class of the warning behind it, if it fails strictly only.
    warning: str = ""
    #: Ids of the tests behind it.
    tests: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    #: Test modules and classes that could not be loaded or set up.
    modules: tuple[str, ...] = ()
    #: Ids of the hops on which it breaks something.
    hops: tuple[str, ...] = ()
    #: Why it is this owner's, in a few words.
    why: str = ""
    #: The removal behind it, as far as one is known.
    known: Known | None = None


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One failure as it was seen in one cell, and the tests behind it."""

    failure: Failure
    cell: str
    tests: tuple[str, ...] = ()
    #: What could not be loaded; "" for the failure of a test.
    module: str = ""
    #: The hop it breaks something on; "" where it fails before and after.
    hop: str = ""
    #: Fingerprint of the failure, where it is known already.
    cause: str = ""

    @property
    def key(self) -> str:
        """The id of the cause it belongs to."""
        return self.cause or fingerprint(self.failure)


class Gathering:
    """Groups sightings by root as they come, so that no cell has to stay in memory."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def take(self, sightings: Iterable[Sighting]) -> None:
        """Add `sightings` to the causes they belong to."""
        for sighting in sightings:
            key = sighting.key
            if key not in self._groups:
                self._groups[key] = _Group(sighting.failure)
            self._groups[key].add(sighting)

    def causes(self) -> tuple[Cause, ...]:
        """Every cause; those that break a hop first, then by number of tests."""
        return tuple(sorted((g.cause(key) for key, g in self._groups.items()), key=rank))


def rank(cause: Cause) -> tuple[bool, int, int]:
    """Sort key: what breaks a hop first, then what has most tests and modules behind it."""
    return (not cause.hops, -len(cause.tests), -len(cause.modules))


class _Group:
    """A cause while it is being gathered; dicts keep the order of what was seen."""

    def __init__(self, first: Failure) -> None:
        self.first = first
        self.owners: Counter[Owner] = Counter()
        self.whys: dict[Owner, str] = {}
        self.tests: dict[str, None] = {}
        self.cells: dict[str, None] = {}
        self.modules: dict[str, None] = {}
        self.hops: dict[str, None] = {}

    def add(self, seen: Sighting) -> None:
        if not self.first.place and seen.failure.place:
            self.first = seen.failure
        self.owners[seen.failure.owner] += 1
        self.whys.setdefault(seen.failure.owner, seen.failure.why)
        self.tests.update(dict.fromkeys(seen.tests))
        self.cells[seen.cell] = None
        self.modules.update({seen.module: None} if seen.module else {})
        self.hops.update({seen.hop: None} if seen.hop else {})

    def cause(self, key: str) -> Cause:
        first = self.first
        owner = self.owners.most_common(1)[0][0]
        return Cause(
            id=key,
            exception=first.exception,
            message=first.message,
            owner=owner,
            why=self.whys[owner],
            known=known(first, tuple(self.cells)),
            place=first.place,
            raised_at=first.raised_at,
            warning=first.warning,
            tests=tuple(self.tests),
            cells=tuple(self.cells),
            modules=tuple(self.modules),
            hops=tuple(self.hops),
        )


def known(failure: Failure, cells: tuple[str, ...]) -> Known | None:
    """Return what is known of a failure seen in `cells`; what one of them has is no reason."""
    source = failure.frames[-1][3] if failure.frames else ""
    if failure.root:
        failure = msgspec.structs.replace(
            failure, exception=failure.root, message=failure.root_message
        )
    found = None
    for cell in cells:
        match = _CELL.fullmatch(cell)
        python, django = match.groups() if match else ("", "")
        found = explain(failure, source=source, django=django, python=python)
        if found is None:
            return None
    return found


def label(result: CellResult) -> CellResult:
    """Return `result` with the id of its cause in every test that has a failure.

    Whole tracebacks stay with the first tests of each cause; the others keep the frames that tell
    the cause, since thousands of equal tracebacks would fill disks and memory for nothing.
    """
    seen: Counter[str] = Counter()
    tests = []
    for test in result.tests:
        if test.failure is None:
            tests.append(test)
            continue
        cause = fingerprint(test.failure)
        seen[cause] += 1
        failure = test.failure if seen[cause] <= TRACEBACKS else essential(test.failure)
        tests.append(msgspec.structs.replace(test, cause=cause, failure=failure))
    return msgspec.structs.replace(result, tests=tuple(tests))


def sightings_of(result: CellResult) -> Iterator[Sighting]:
    """Yield every failure of a cell: its tests' and those outside tests."""
    for name, failure in result.failures:
        yield Sighting(failure=failure, cell=result.id, module=module_of(name))
    for test in suite(result):
        if test.failure is not None:
            yield Sighting(failure=test.failure, cell=result.id, tests=(test.id,), cause=test.cause)


def module_of(name: str) -> str:
    """Return the module a failure outside tests is of; "" where it is that of a whole pass."""
    return "" if name in PASSES else name


def death(result: CellResult) -> Failure:
    """Return why no test ran: what failed first outside the tests, warnings last.

    A crash or a time limit leaves no exception; the status and its reason stand for one.
    """
    failures = [failure for _, failure in result.failures]
    plain = [failure for failure in failures if not failure.warning]
    if plain or failures:
        return (plain or failures)[0]
    return ended(result)


def ended(result: CellResult) -> Failure:
    """Return what stands for the end of a process that left no exception behind.

    Where a test was running, it is the project's: the test, or what it calls, is where to look.
    What stands for the last such test stands for those as well that did not run after it.
    """
    crashed = [t for t in result.tests if "crashed" in (t.plain, t.strict) and t.failure]
    if crashed and crashed[-1].failure is not None:
        return crashed[-1].failure
    failure = unexplained(result.status, result.reason)
    if any(run.died and run.running for run in result.passes):
        why = "a test was running"
        return msgspec.structs.replace(failure, owner=Owner("project"), why=why)
    return failure


def unexplained(what: str, message: str) -> Failure:
    """A failure that left no exception behind: a crash, a time limit, an empty suite."""
    return Failure(exception=what, message=message, owner=Owner("environment"))


def loader_of(test: str, failures: Mapping[str, Failure]) -> tuple[str, Failure] | None:
    """Return the module, class or folder that `test` lives in and that could not be loaded."""
    for end in sorted(_boundaries(test), reverse=True):
        if (failure := failures.get(test[:end])) is not None:
            return test[:end], failure
    return None


def _boundaries(test: str) -> Iterator[int]:
    """Where a prefix of a test id may end; what is in brackets is a parameter, not a path."""
    name = test.partition("[")[0]
    yield from (at for at, char in enumerate(name) if char in "./:" and at)
