"""One deprecated use that a hop was to break: whether it did; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from djhop.compare.changes import dead_modules, kind, plainly
from djhop.compare.findings import Findings
from djhop.compare.symbols import Link, link, subjects
from djhop.compare.verdicts import cut_short, life
from djhop.results.results import CellResult, Deprecation, Failure, Owner

Outcome = Literal["broke", "did-not-break", "not-seen"]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One deprecated use that was to break on a hop, and whether it did."""

    #: Id of the use in `deprecations`.
    use: str
    outcome: Outcome
    #: What says so, in a few words.
    why: str
    #: Ids of the causes that it foretold.
    causes: tuple[str, ...] = ()


class Broken(msgspec.Struct):
    """A cause on the hop: each failure of it that tells something else, and its tests."""

    failures: dict[tuple[str, str, Owner], Failure]
    tests: set[str]
    #: Where it fails, and what it says is missing.
    places: set[str]
    names: set[str]


class After:
    """What the cell after a hop says of tests and of what is loaded."""

    def __init__(self, result: CellResult, found: Findings) -> None:
        self.ran = life(result) == "ran"
        self.tests = {test.id: kind(plainly(test)) for test in result.tests}
        self.names = dict(found.renamed)
        self.hides = next(filter(None, _hiding(result, found)), "")

    def passes(self, tests: Iterable[str]) -> bool:
        """Whether any of these tests, named as before the hop, passes after it."""
        return any(self.tests.get(self.names.get(test, test)) == "passed" for test in tests)


def _hiding(result: CellResult, found: Findings) -> tuple[str, ...]:
    """Why it cannot be said that everything that was loaded before the hop is loaded after it."""
    return (
        "no test ran after it" if life(result) != "ran" else "",
        "the run after it was cut short" if cut_short(result) else "",
        "modules cannot be loaded after it" if dead_modules(result) else "",
        "tests are newly skipped after it" if found.newly_skipped else "",
        "tests vanished" if found.vanished else "",
    )


#: Closest first.
_LINKS: dict[Link, str] = {
    "line": "its line fails",
    "file": "what it names is gone, and its file fails",
    "check": "a check fails on its line, and no test of it passes",
    "symbol": "what it names is gone",
}


def decide(
    key: str,
    use: Deprecation,
    links: Mapping[str, Link],
    after: After,
    *,
    unexplained: Mapping[str, Broken],
) -> Prediction:
    """Decide one prediction: the whole table, the first row that holds.

    `links`: the causes that may be about it; `unexplained`: those that no use names.
    """
    here = {cause: how for cause, how in links.items() if _sure(use, how)}
    outcome: Outcome = "not-seen"
    if here:
        outcome, why, links = "broke", _said(here), here
    elif use.tests and after.passes(use.tests):
        outcome, why = "did-not-break", "a test of it passes"
    elif not use.tests and not after.hides and not diffuse(use, unexplained):
        outcome, why = "did-not-break", "everything is loaded, and nothing breaks for it"
    elif links:
        outcome, why = "broke", _said(links)
    elif not use.tests or not after.ran:
        why = after.hides or "something breaks after it that may be this or not"
    else:
        why = "none of its tests passes after it, for whatever reason"
    told = tuple(links) if outcome == "broke" else ()
    return Prediction(use=key, outcome=outcome, why=why, causes=told)


def _sure(use: Deprecation, how: Link) -> bool:
    """Whether such a link says that a use broke, whatever its tests do.

    What has no line in the target, such as a setting, can only be known by its name.
    """
    return how in ("line", "file") or (how == "symbol" and not use.in_target)


def _said(links: Mapping[str, Link]) -> str:
    return next(words for how, words in _LINKS.items() if how in links.values())


def diffuse(use: Deprecation, causes: Mapping[str, Broken]) -> bool:
    """Whether what breaks may be of a use that has no line in the target, such as a setting."""
    failures = (one for cause in causes.values() for one in cause.failures.values())
    return not use.in_target and any(one.owner == use.owner for one in failures)


def links_of(use: Deprecation, causes: Mapping[str, Broken]) -> dict[str, Link]:
    """Id of each cause that may be about the use → how closely."""
    found: dict[str, Link] = {}
    names = {symbol.name for symbol in subjects(use.message)}
    for key, cause in causes.items():
        if use.place not in cause.places and names.isdisjoint(cause.names):
            continue  # most are, and there may be thousands
        hows = {link(use, failure) for failure in cause.failures.values()}
        if closest := next((how for how in _LINKS if how in hows), None):
            found[key] = closest
    return found
