"""What warnings foretold of a hop, held against what happened on it; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import pairwise

import msgspec

from djhop.compare.causes import Sighting
from djhop.compare.findings import Findings
from djhop.compare.fingerprints import template
from djhop.compare.predictions import After, Broken, Prediction, decide, diffuse, links_of
from djhop.compare.symbols import missing
from djhop.compare.verdicts import cut_short
from djhop.matrix.plan import Cell, Plan
from djhop.releases import version_key
from djhop.results.results import CellResult, Deprecation

#: Id of a deprecated use → the use, as the last cell before a hop that saw it tells it.
Uses = dict[str, Deprecation]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How well warnings foretold what breaks: predictions and causes, counted."""

    #: Predictions by outcome.
    broke: int = 0
    did_not_break: int = 0
    not_seen: int = 0
    #: Causes that no warning told of.
    without_warning: int = 0
    #: Causes that may or may not be what a warning told of.
    unclear: int = 0
    #: Per cent of the predictions whose outcome was seen that broke; None where none was seen.
    hit_rate: float | None = None


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """What warnings in the cells before a hop said of it, against what the hop did."""

    predictions: tuple[Prediction, ...] = ()
    #: Ids of causes that no warning told of.
    without_warning: tuple[str, ...] = ()
    #: Ids of causes of which only this is known: all their tests use what this hop was to break,
    #: or a warning told of them without saying that it is on this hop; or warnings may be missing.
    unclear: tuple[str, ...] = ()
    tally: Tally = Tally()


def use_id(use: Deprecation) -> str:
    """Return the id of a deprecated use, the same in every cell, run and machine: ten digits.

    It is made of the warning's class, the message without what varies, the place and the owner.
    """
    whose = (use.owner.kind, use.owner.name)
    parts = (use.category, template(use.message), use.place, *whose)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:10]


def remember(known: Uses, result: CellResult) -> None:
    """Add what a cell warned of to what the cells before it did."""
    known.update((use_id(use), use) for use in result.deprecations)


def hop_of(use: Deprecation, plan: Plan) -> str:
    """Return the id of the step of the whole path that reaches a use's removal; "" where none."""
    for before, after in pairwise(plan.laid or plan.path):
        if _reaches(before, after, use):
            return f"{before.id}..{after.id}"
    return ""


def check(
    known: Uses,
    after: CellResult,
    found: Findings,
    broken: Iterable[Sighting],
    *,
    before: CellResult,
    judged: bool,
) -> Foretold:
    """Hold what `known` uses say of the hop `before` → `after` against what it did.

    A use broke where a failure after the hop is about its line or what it names; it did not where
    one of its tests passes after (or, for one outside the tests, where everything loads); else
    something hides it, and nothing is said. `judged`: the causes in `broken` are this hop's doing.
    """
    causes = _failures(broken)
    due = {key: use for key, use in known.items() if _is_due(use, before, after)}
    links = {key: links_of(use, causes) for key, use in known.items()}
    named = {cause for key in due for cause, how in links[key].items() if how != "check"}
    unexplained = {key: cause for key, cause in causes.items() if key not in named}
    seen = After(after, found)
    predictions = tuple(
        decide(key, use, links[key], seen, unexplained=unexplained) for key, use in due.items()
    )
    told = {cause for one in predictions for cause in one.causes}
    left = {key: cause for key, cause in unexplained.items() if key not in told and judged}
    hidden = tuple(due[one.use] for one in predictions if one.outcome == "not-seen")
    doubtful = {cause for found in links.values() for cause in found} | _of_hidden(left, hidden)
    unclear = tuple(key for key in left if key in doubtful or not _listened(before))
    said = Foretold(
        predictions=predictions,
        unclear=unclear,
        without_warning=tuple(key for key in left if key not in unclear),
    )
    return msgspec.structs.replace(said, tally=tally((said,)))


def tally(hops: Iterable[Foretold]) -> Tally:
    """Count over several hops."""
    hops = tuple(hops)
    outcomes = [one.outcome for hop in hops for one in hop.predictions]
    broke, held = outcomes.count("broke"), outcomes.count("did-not-break")
    return Tally(
        broke=broke,
        did_not_break=held,
        not_seen=outcomes.count("not-seen"),
        without_warning=sum(len(hop.without_warning) for hop in hops),
        unclear=sum(len(hop.unclear) for hop in hops),
        hit_rate=round(100 * broke / (broke + held), 1) if broke + held else None,
    )


def _failures(broken: Iterable[Sighting]) -> dict[str, Broken]:
    causes: dict[str, Broken] = {}
    for seen in broken:
        cause = causes.setdefault(seen.key, Broken({}, set(), set(), set()))
        one = seen.failure
        # Messages of one cause differ in what varies alone.
        cause.failures.setdefault((one.place, one.raised_at, one.owner), one)
        cause.tests.update(seen.tests)
        cause.places.add(one.place)
        cause.names.update(symbol.name for symbol in missing(one))
    return causes


def _reaches(before: Cell | CellResult, after: Cell | CellResult, use: Deprecation) -> bool:
    steps = (
        (before.django, use.removed_in, after.django),
        (before.python, use.removed_in_python, after.python),
    )
    return any(
        removed is not None and version_key(low) < version_key(removed) <= version_key(high)
        for low, removed, high in steps
    )


def _is_due(use: Deprecation, before: CellResult, after: CellResult) -> bool:
    """Whether this hop is to break a use; what Django or Python uses themselves moves with them."""
    return use.owner.kind in ("project", "package") and _reaches(before, after, use)


def _listened(before: CellResult) -> bool:
    """Whether every warning of the suite was to be seen: not where a test silenced them all."""
    return not cut_short(before) and all(one.canary for one in before.passes if one.mode != "plain")


def _of_hidden(causes: Mapping[str, Broken], hidden: tuple[Deprecation, ...]) -> set[str]:
    """Return the causes that may be what uses told of whose outcome is not seen."""
    tests = {test for use in hidden for test in use.tests}
    outside = [use for use in hidden if not use.tests]
    return {
        key
        for key, cause in causes.items()
        if (cause.tests and cause.tests <= tests)
        or any(diffuse(use, {key: cause}) for use in outside)
    }
