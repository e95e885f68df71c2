"""A run → what is wrong at which line of the target: breaks, red tests, deprecated uses; pure.

What readers of code (SARIF, annotations, code quality) show; the most important comes first.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from djhop.compare.causes import Cause
from djhop.compare.fingerprints import template
from djhop.matrix.plan import Hop
from djhop.releases import version_key
from djhop.reports import step_issues
from djhop.reports.clean import cut, one_line, spelled
from djhop.reports.signs import listed, number, owner
from djhop.reports.step_issues import StepIssue
from djhop.store.record import DeprecatedUse, Run

#: "break": on a hop. "red": it fails in a cell, and no hop of the run is to blame. "step": one of
#: Django's own upgrade steps fails for it.
Kind = Literal["break", "red", "step", "deprecation"]
Level = Literal["error", "warning", "note"]

_PLACE = re.compile(r"(?P<path>.+):(?P<line>\d{1,9})", re.DOTALL)
#: As many characters of a path as a reader is given; a longer one is none.
PATH = 1_000


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; every text is safe to print, but `path` is as it is on disk."""

    kind: Kind
    #: "ImportError", "RemovedInDjango50Warning".
    what: str
    level: Level
    #: In a line, and in a few sentences.
    title: str
    text: str
    #: In the target's tree, relative to its root; "" where it has no line there.
    path: str
    line: int
    #: The same in every run and on every machine.
    fingerprint: str
    owner: str
    tests: int
    cells: tuple[str, ...]
    #: What to type to see it.
    reproduce: str = ""

    @property
    def rule(self) -> str:
        """The rule that it breaks: "djhop/break/ImportError"."""
        return f"djhop/{self.kind}/{self.what}"


def of(run: Run) -> tuple[Issue, ...]:
    """Return every issue of `run`: what breaks a hop, what is red all the same, deprecated uses.

    A cause that only the strict filter shows is told by the deprecated use behind it.
    """
    standing = {group.cause for cell in run.cells for group in cell.standing}
    hops = {hop.id: hop for hop in run.plan.hops}
    firm = {hop.id for hop in run.hops if not hop.allow_failure}
    breaks = [_cause(run, cause, hops, firm) for cause in run.causes if cause.hops]
    red = [_cause(run, c, hops, firm) for c in run.causes if c.id in standing and not c.hops]
    steps = step_issues.of(run)
    broken = [_step(one, hops, firm) for one in steps if one.hops]
    standing_steps = [_step(one, hops, firm) for one in steps if not one.hops]
    uses = sorted(run.deprecations, key=_urgency)
    return _told_apart((*breaks, *broken, *red, *standing_steps, *map(_use, uses)))


def _told_apart(issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """Number those of one fingerprint, such as two uses in one file: readers drop the second."""
    seen: Counter[str] = Counter()
    apart = []
    for issue in issues:
        seen[issue.fingerprint] += 1
        nth = f"-{seen[issue.fingerprint]}" if seen[issue.fingerprint] > 1 else ""
        apart.append(msgspec.structs.replace(issue, fingerprint=issue.fingerprint + nth))
    return tuple(apart)


def unjudged(run: Run) -> tuple[str, ...]:
    """Say of each hop that is blocked or unknown why, in a line: no issue tells of it."""
    hops = {hop.id: hop for hop in run.plan.hops}
    return tuple(
        f"{_hop(hops.get(hop.id), hop.id)} is {hop.verdict}: {one_line(hop.reason)}"
        for hop in run.hops
        if hop.verdict in ("blocked", "unknown")
    )


def split(place: str) -> tuple[str, int]:
    """Return path and line of a place in the target's tree; "", 0 of one that is nowhere in it."""
    found = _PLACE.fullmatch(place)
    if not found or len(found["path"]) > PATH or not int(found["line"]):
        return "", 0
    path = found["path"]
    outside = path.startswith(("/", "<", "../", "django/")) or "/../" in path or "\0" in path
    return ("", 0) if outside else (path, int(found["line"]))


def _cause(run: Run, cause: Cause, hops: dict[str, Hop], firm: set[str]) -> Issue:
    path, line = split(cause.place)
    name = cut(spelled((cause.warning or cause.exception).rpartition(".")[2]), 100) or "failure"
    said = one_line(cause.message, 500)
    headline = f"{name}: {said}" if said else name
    groups = [g for hop in run.hops for g in hop.groups if g.cause == cause.id]
    groups += [g for cell in run.cells for g in cell.standing if g.cause == cause.id]
    return Issue(
        kind="break" if cause.hops else "red",
        what=name,
        level="error" if firm.intersection(cause.hops) else "warning",
        title=cut(headline, 200),
        text=" ".join(_sentences(headline, cause, hops)),
        path=path,
        line=line,
        fingerprint=cause.id,
        owner=owner(cause.owner),
        tests=len(cause.tests),
        cells=cause.cells,
        reproduce=next((one_line(g.reproduce, 500) for g in groups if g.reproduce), ""),
    )


def _sentences(headline: str, cause: Cause, hops: dict[str, Hop]) -> Iterator[str]:
    yield f"{headline}."
    behind = number(len(cause.tests), "test") if cause.tests else "the suite"
    if cause.hops:
        yield f"Breaks {behind} on {listed([_hop(hops.get(hop), hop) for hop in cause.hops[:5]])}."
    else:
        yield f"Fails {behind} in {listed(list(cause.cells[:5]))}; no hop of the run is to blame."
    yield f"Owner: {owner(cause.owner)}."
    if cause.modules:
        yield f"Cannot be loaded: {listed([one_line(name, 200) for name in cause.modules[:3]])}."


def _step(one: StepIssue, hops: dict[str, Hop], firm: set[str]) -> Issue:
    name = cut(spelled(one.id), 100) or one.step
    headline = f"{one.step}: {one_line(f'{one.id} {one.text}', 500)}".rstrip(".")
    path, line = split(one.place) if split(one.place)[0] else split(f"{one.place}:1")
    where = f"Fails in {listed(list(one.cells[:5]))}; no hop of the run is to blame."
    if one.hops:
        named = listed([_hop(hops.get(hop), hop) for hop in one.hops[:5]])
        where = f"Breaks Django's own steps on {named}."
    hint = f"{one_line(one.hint, 300)}" if one.hint else ""
    return Issue(
        kind="step",
        what=name,
        level="error" if firm.intersection(one.hops) else "warning",
        title=cut(headline, 200),
        text=" ".join(filter(None, (f"{headline}.", where, hint))),
        path=path,
        line=line,
        fingerprint=one.key,
        owner="",
        tests=0,
        cells=one.cells,
        reproduce=one_line(one.reproduce, 500),
    )


def _hop(hop: Hop | None, name: str) -> str:
    if hop is None:
        return spelled(name)
    if hop.axis == "django":
        return f"{hop.before.django} → {hop.after.django} (Python {hop.after.python})"
    return f"Python {hop.before.python} → {hop.after.python} (Django {hop.after.django})"


def _urgency(use: DeprecatedUse) -> tuple[bool, bool, tuple[int, ...], int]:
    """Sort key: the project's own first, then what is removed soonest, then by tests."""
    removed = tuple(version_key(use.removed_in)) if use.removed_in else ()
    return (use.owner.kind != "project", not removed, removed, -use.tests)


def _use(use: DeprecatedUse) -> Issue:
    own = use.owner.kind == "project"
    path, line = split(use.place) if own else ("", 0)
    said = one_line(use.message, 500)
    removed = f"Removed in Django {use.removed_in}." if use.removed_in else ""
    place = "" if own else f"At {one_line(use.place, 200)}."
    name = cut(spelled(use.category), 100) or "warning"
    seen = f"Seen in {listed(list(use.cells[:5]))}" + (
        f", by {number(use.tests, 'test')}." if use.tests else "."
    )
    key = "\0".join((use.category, template(use.message), path or use.place.rpartition(":")[0]))
    return Issue(
        kind="deprecation",
        what=name,
        level="warning" if own and use.removed_in and use.fatal else "note",
        title=cut(f"{name}: {said}", 200),
        text=" ".join(filter(None, (f"{name}: {said}", removed, place, seen,
                                    f"Owner: {owner(use.owner)}."))),
        path=path,
        line=line,
        fingerprint=hashlib.sha256(key.encode(errors="replace")).hexdigest()[:20],
        owner=owner(use.owner),
        tests=use.tests,
        cells=use.cells,
    )  # fmt: skip
