"""What a hop broke, grouped by cause: how many tests, one of them, and how to see it fail."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from djhop.compare.causes import Sighting, death, ended, loader_of, module_of, unexplained
from djhop.compare.changes import dead_modules, kind, plainly, suite
from djhop.compare.findings import Findings
from djhop.compare.fingerprints import fingerprint
from djhop.compare.verdicts import cut_short, life
from djhop.results.results import CellResult, Failure, Test

#: (cell id, test id) → the command that runs that test in that cell.
Reproduce = Callable[[str, str], str]

#: What failed, and the module that could not be loaded, if that is why.
Why = tuple[str, Failure]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is behind one cause on one hop."""

    cause: str
    #: How many tests.
    tests: int
    #: One of them, and the command that runs it in the cell after the hop.
    example: str = ""
    reproduce: str = ""
    #: First place in the project's code on this hop.
    place: str = ""
    #: What could not be loaded.
    modules: tuple[str, ...] = ()


def broken(found: Findings, after: CellResult, hop: str) -> tuple[Sighting, ...]:
    """Say why each test breaks that can be explained, in the order of the suite."""
    explain = _Explainer(found, after)
    tests = dict.fromkeys((*found.broke, *found.broke_differently, *found.new_failures))
    seen = [(test, explain.failing(test)) for test in tests]
    seen += [(test, why) for test in found.vanished if (why := explain.vanished(test))]
    sightings = [_sighting(why, after.id, hop, test) for test, why in seen]
    said = {sighting.module for sighting in sightings}
    modules = [Sighting(failure=failure, cell=after.id, module=name, hop=hop)
               for name, failure in after.failures
               if name in found.new_dead_modules and name not in said]  # fmt: skip
    if life(after) == "dead" and not sightings and not modules:
        modules = [_sighting(("", death(after)), after.id, hop)]
    return (*sightings, *modules)


def deprecated(found: Findings, before: CellResult, after: CellResult) -> tuple[Sighting, ...]:
    """Say why each newly deprecated test fails strictly, and what ends the strict run newly."""
    explain = _Explainer(found, after)
    tests = [(test, explain.failing(test)) for test in found.newly_deprecated]
    known = {fingerprint(failure) for _, failure in before.failures}
    return (
        *(_sighting(why, after.id, "", test) for test, why in tests),
        *(
            Sighting(failure=failure, cell=after.id, module=module_of(name))
            for name, failure in after.failures
            if failure.warning and fingerprint(failure) not in known
        ),
    )


def standing(result: CellResult) -> tuple[Sighting, ...]:
    """Say why a cell is red by itself, whatever the cells before it were; () where it is not."""
    failing = tuple(test.id for test in suite(result) if kind(plainly(test)) == "failed")
    return broken(Findings(broke=failing, new_dead_modules=dead_modules(result)), result, "")


def grouped(
    sightings: tuple[Sighting, ...], reproduce: Reproduce | None = None
) -> tuple[Group, ...]:
    """Group `sightings` of one cell by cause: most behind it first, else in the suite's order."""
    groups: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        groups.setdefault(sighting.key, []).append(sighting)
    made = (_group(cause, members, reproduce) for cause, members in groups.items())
    return tuple(sorted(made, key=lambda g: (-g.tests, -len(g.modules))))


def _group(cause: str, members: list[Sighting], reproduce: Reproduce | None) -> Group:
    tests = [test for member in members for test in member.tests]
    example = tests[0] if tests else ""
    return Group(
        cause=cause,
        tests=len(tests),
        example=example,
        reproduce=reproduce(members[0].cell, example) if reproduce and example else "",
        place=next((m.failure.place for m in members if m.failure.place), ""),
        modules=tuple(dict.fromkeys(m.module for m in members if m.module)),
    )


def _sighting(why: Why, cell: str, hop: str, test: str = "") -> Sighting:
    module, failure = why
    return Sighting(
        failure=failure,
        cell=cell,
        module=module,
        hop=hop,
        tests=(test,) if test else (),
        cause=fingerprint(failure),
    )


class _Explainer:
    """Finds the failure behind a test that breaks in one cell."""

    def __init__(self, found: Findings, after: CellResult) -> None:
        self.after = after
        self.names = dict(found.renamed)
        self.tests = {test.id: test for test in after.tests}
        # Plain passes come first, and a warning ends only strict runs: the first that is none.
        failures = sorted(after.failures, key=lambda item: bool(item[1].warning))
        self.modules = dict(reversed(failures))

    def failing(self, name: str) -> Why:
        """Why a test fails that is there."""
        test = self.tests[self.names.get(name, name)]
        if test.failure is not None:
            return "", test.failure
        return loader_of(test.id, self.modules) or ("", self._bare(test))

    def vanished(self, test: str) -> Why | None:
        """Why a test is not there; None where nothing says so."""
        if (why := loader_of(test, self.modules)) is not None:
            return why
        if life(self.after) == "dead":
            return "", death(self.after)
        return ("", ended(self.after)) if cut_short(self.after) else None

    def _bare(self, test: Test) -> Failure:
        outcome = test.plain or test.strict or "failed"
        return ended(self.after) if outcome == "crashed" else unexplained(outcome, "")
