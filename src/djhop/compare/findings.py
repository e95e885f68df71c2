"""Two cells → what the hop between them did to each test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from djhop.compare.changes import (
    Change,
    change,
    dead_modules,
    kind,
    plainly,
    same_reason,
    seen,
    suite,
    unserved,
)
from djhop.compare.fingerprints import template
from djhop.results.results import CellResult, Test


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Test ids by what changed, in the order of the suite."""

    broke: tuple[str, ...] = ()
    broke_differently: tuple[str, ...] = ()
    #: Passed before, and not there any more.
    vanished: tuple[str, ...] = ()
    #: Passed before, and now skipped or excused.
    newly_skipped: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    newly_deprecated: tuple[str, ...] = ()
    #: Has an outcome after the hop only.
    appeared: tuple[str, ...] = ()
    #: Those of `appeared` that fail.
    new_failures: tuple[str, ...] = ()
    #: Modules and classes that load before the hop and not after.
    new_dead_modules: tuple[str, ...] = ()
    #: Modules and classes that load on neither side: what is in them has not been seen.
    still_dead_modules: tuple[str, ...] = ()
    #: Did not pass before, and now not there, skipped or excused.
    gone: tuple[str, ...] = ()
    #: Passed and failed in one cell, in its passes or when they were run again.
    flaky: tuple[str, ...] = ()
    #: Those of `flaky` that failed without the filter after the hop: nobody knows what they are.
    flaky_red: tuple[str, ...] = ()
    #: Newly fail, but what is run with them decides: run again, they end otherwise on their own.
    order_dependent: tuple[str, ...] = ()
    #: Newly fail, are known to be flaky, and were not seen to break: not counted.
    known_flaky: tuple[str, ...] = ()
    #: Fail for want of a service on one side, and fail on the other or passed there: not judged.
    unserved: tuple[str, ...] = ()
    #: How many fail on both sides for the same reason: not this hop's doing.
    still_failing: int = 0
    #: Same test under another id (an address in a parameter): before, after.
    renamed: tuple[tuple[str, str], ...] = ()
    #: Why tests are newly skipped → how many.
    skip_reasons: dict[str, int] = {}

    @property
    def failing(self) -> tuple[str, ...]:
        """Every test that newly fails, one that is new and fails included."""
        return (*self.broke, *self.broke_differently, *self.new_failures)

    @property
    def breaking(self) -> tuple[str, ...]:
        """Every test that makes the hop one that breaks."""
        return (
            *self.broke,
            *self.broke_differently,
            *self.vanished,
            *self.newly_skipped,
            *self.new_failures,
        )


def find(before: CellResult, after: CellResult) -> Findings:
    """Compare two cells test by test; what a test was called before is its name."""
    old = {test.id: test for test in suite(before) if plainly(test) is not None}
    new = {test.id: test for test in suite(after) if plainly(test) is not None}
    renamed = _renamed(old, new)
    found: defaultdict[Change, list[str]] = defaultdict(list)
    already = frozenset(dead_modules(before))
    failing, red, missed = [], [], []
    reasons, still = defaultdict[str, int](int), 0
    for name, was, now in _pairs(old, new, renamed):
        what = change(seen(was), seen(now), same_reason=same_reason(was, now))
        if what in ("broke", "broke-differently", "appeared") and unserved(was, now):
            missed.append(name)
            continue
        if what != "same":
            found[what].append(name)
        elif now is not None:
            still += kind(plainly(now)) == "failed"
        if what == "flaky" and now is not None and kind(plainly(now)) == "failed":
            red.append(name)
        if what == "appeared" and now is not None and kind(plainly(now)) == "failed":
            failing.append(name)
        if what == "newly-skipped" and now is not None:
            reasons[now.skip_reason] += 1
    return Findings(
        broke=tuple(found["broke"]),
        broke_differently=tuple(found["broke-differently"]),
        vanished=tuple(found["vanished"]),
        newly_skipped=tuple(found["newly-skipped"]),
        fixed=tuple(found["fixed"]),
        newly_deprecated=tuple(found["newly-deprecated"]),
        appeared=tuple(found["appeared"]),
        gone=tuple(found["gone"]),
        flaky=tuple(found["flaky"]),
        flaky_red=tuple(red),
        unserved=tuple(missed),
        new_failures=tuple(failing),
        still_failing=still,
        new_dead_modules=tuple(m for m in dead_modules(after) if m not in already),
        still_dead_modules=tuple(m for m in dead_modules(after) if m in already),
        renamed=tuple(renamed.items()),
        skip_reasons=dict(sorted(reasons.items(), key=lambda item: -item[1])),
    )


def _pairs(
    old: Mapping[str, Test], new: Mapping[str, Test], renamed: Mapping[str, str]
) -> Iterator[tuple[str, Test | None, Test | None]]:
    """Yield every test once, with what it was and what it is."""
    taken = set(renamed.values())
    for name, was in old.items():
        yield name, was, new.get(renamed.get(name, name))
    for name, now in new.items():
        if name not in old and name not in taken:
            yield name, None, now


def _renamed(old: Mapping[str, Test], new: Mapping[str, Test]) -> dict[str, str]:
    """Pair ids that differ in an address or a random id alone, where as many went as came."""
    lost, came = _by_template(old, new), _by_template(new, old)
    pairs: dict[str, str] = {}
    for key, names in lost.items():
        if len(names) == len(came.get(key, ())):
            pairs.update(zip(names, came[key], strict=True))
    return pairs


def _by_template(these: Mapping[str, Test], others: Mapping[str, Test]) -> dict[str, list[str]]:
    """Ids that are in `these` alone and hold something that varies, by what does not vary."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in these:
        # Only parameters vary, and numbers among them are what tells one test from another.
        if name not in others and "[" in name:
            function, _, parameters = name.partition("[")
            key = template(parameters, check=True)
            if any(sign in key for sign in ("<address>", "<id>", "<time>")):
                groups[f"{function}[{key}"].append(name)
    return groups
