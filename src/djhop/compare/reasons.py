"""Why a hop has its verdict, in one sentence that stands without the tables."""

from __future__ import annotations

from typing import assert_never

from djhop.compare.causes import death
from djhop.compare.changes import kind, plainly, suite
from djhop.compare.findings import Findings
from djhop.compare.fingerprints import same_root
from djhop.compare.verdicts import Verdict, cut_short, life
from djhop.resolve.blockers import standing
from djhop.results.outcomes import END
from djhop.results.results import CellResult

#: What a status says about a cell that gave no result.
NO_RESULT = {
    "no-python": "there is no Python {python}",
    "unsupported": "Django {django} does not support Python {python}",
    "infra": "the machine, the network or a service failed",
    "interrupted": "it was interrupted",
    "not-run": "it was not run",
    "unresolvable": "no set of packages satisfies it",
    "uninstallable": "its packages cannot be installed",
    "uncollectable": "its tests cannot be loaded",
    "crashed": "it crashed before any test",
    "timed-out": "its time was over before any test",
    "no-tests": "no test was found",
}


def reason(verdict: Verdict, before: CellResult, after: CellResult, found: Findings) -> str:
    """Return the sentence behind `verdict`; counts are of test ids."""
    match verdict:
        case "clean":
            return _clean(before, found)
        case "deprecated":
            newly = found.newly_deprecated
            return (
                f"no test breaks; {tests(newly)} newly {verb(newly, 'fails', 'fail')} strictly"
                if newly
                else "no test breaks; the strict run ends outside the tests"
            )
        case "breaks":
            return _breaks(after, found)
        case "blocked":
            return _blocked(before, after, found)
        case "unknown":
            return _unknown(before, after, found)
    assert_never(verdict)


def tests(ids: tuple[str, ...] | list[str] | int) -> str:
    """Say how many: "1 test", "314 tests"."""
    count = ids if isinstance(ids, int) else len(ids)
    return f"{count:,} test" + ("" if count == 1 else "s")


def verb(ids: tuple[str, ...] | int, one: str, many: str) -> str:
    """Pick the form of a verb for this many."""
    count = ids if isinstance(ids, int) else len(ids)
    return one if count == 1 else many


def missing(result: CellResult) -> str:
    """Say why a cell gives nothing to compare: "py3.8-django2.2: there is no Python 3.8"."""
    said = missing_words(result.status, django=result.django, python=result.python)
    return f"{result.id}: {said}" + (f" ({result.reason})" if result.reason else "")


def missing_words(status: str, *, django: str, python: str) -> str:
    """Say in words what a status without a result means for one cell."""
    return NO_RESULT.get(status, status).format(django=django, python=python)


def _clean(before: CellResult, found: Findings) -> str:
    if life(before) == "dead":
        return f"the suite did not run before; now {tests(found.fixed)} pass"
    count = found.still_failing
    still = f"; {tests(count)} {verb(count, 'fails', 'fail')} before and after" if count else ""
    shaky = f"; {tests(found.flaky)} {verb(found.flaky, 'is', 'are')} flaky" if found.flaky else ""
    listed = found.known_flaky
    known = f"; {tests(listed)} {verb(listed, 'fails', 'fail')}, known as flaky" if listed else ""
    but = ", but for those known as flaky" if listed else ""
    return f"every test that passed before passes after{but}{still}{shaky}{known}"


def _breaks(after: CellResult, found: Findings) -> str:
    if life(after) == "dead":
        why = NO_RESULT.get(after.status, after.status)
        return f"no test runs any more: {why}; {_were(found.vanished)} before"
    parts = [
        _part(found.broke, "passed before and fails", "passed before and fail"),
        _part(found.broke_differently, "fails for another reason", "fail for another reason"),
        _part(found.vanished, "passed before and is not there", "passed before and are not there"),
        _part(found.newly_skipped, "passed before and is skipped", "passed before and are skipped"),
        _part(found.new_failures, "is new and fails", "are new and fail"),
    ]
    if END in found.new_dead_modules:
        parts.append("the suite ends badly though every test is fine")
    elif found.new_dead_modules and not found.vanished:
        count = len(found.new_dead_modules)
        parts.append(f"{count} module{'' if count == 1 else 's'} cannot be loaded any more")
    if cut_short(after):
        parts.append({"crashed": "the run crashed", "timed-out": "its time was over"}[after.status])
    return "; ".join(part for part in parts if part)


def _part(ids: tuple[str, ...], one: str, many: str) -> str:
    return f"{tests(ids)} {verb(ids, one, many)}" if ids else ""


def _were(ids: tuple[str, ...]) -> str:
    return f"{tests(ids)} passed"


def _blocked(before: CellResult, after: CellResult, found: Findings) -> str:
    if not after.forced:
        return after.reason or NO_RESULT[after.status]
    if life(after) == "dead":
        how = "no test runs when forced"
    elif broken := len(found.breaking) or len(found.new_failures):
        how = f"{tests(broken)} {verb(broken, 'breaks', 'break')} when forced"
    elif found.new_dead_modules or cut_short(after):
        how = f"{_breaks(after, found)} when forced"
    else:
        doubt = found.still_failing or found.flaky_red or found.still_dead_modules or found.unserved
        doubt = doubt or found.order_dependent or found.known_flaky
        how = "no test breaks when forced" if doubt else "tests pass when forced"
    still = after.blockers and standing(before.blockers, after.blockers) == after.blockers
    return f"{'still: ' if still else ''}{_who_blocks(after)}; {how}"


def _who_blocks(after: CellResult) -> str:
    match after.blockers:
        case ():
            return "the metadata of a package was overruled"
        case (blocker,):
            return blocker.reason
        case several:
            names = ", ".join(blocker.package for blocker in several)
            return f"{len(several)} packages do not allow it: {names}"


def _unknown(before: CellResult, after: CellResult, found: Findings) -> str:
    match life(before), life(after):
        case ("absent" | "blocked", _):
            return missing(before)
        case (_, "absent" | "blocked"):
            return missing(after)
        case ("dead", "dead"):
            same = same_root(death(before), death(after))
            how = "for the same reason" if same else "each for a reason of its own"
            return f"no test runs on either side, {how}"
        case ("dead", _):
            passing = sum(kind(plainly(test)) == "passed" for test in suite(after))
            return (
                f"{missing(before)}; after it, {tests(passing)} pass and "
                f"{tests(found.new_failures)} fail, with nothing to compare them to"
            )
    return _doubtful(before, found)


def _doubtful(before: CellResult, found: Findings) -> str:
    if found.still_dead_modules:
        dead = found.still_dead_modules
        return (
            f"no test that ran breaks, but {dead[0]}"
            + (f" and {len(dead) - 1} more" if dead[1:] else "")
            + f" {verb(dead, 'loads', 'load')} on neither side: what is in there is not known"
        )
    if found.unserved:
        return f"no test that ran breaks, but {tests(found.unserved)} failed for want of a service"
    if found.flaky_red or found.order_dependent:
        red, order = found.flaky_red, found.order_dependent
        said = [f"{tests(red)} passed and failed: flaky"] if red else []
        if order:
            said.append(f"{tests(order)} {verb(order, 'depends', 'depend')} on the order")
        return f"no test breaks for certain, but {'; '.join(said)}"
    return f"{before.id} was cut short ({before.status}): what it did not run is not known"
