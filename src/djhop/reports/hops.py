"""A hop → what a report shows of it: a title, a sentence, causes, lists and moves."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from djhop.compare.causes import Cause
from djhop.compare.compare import HopResult
from djhop.compare.groups import Group
from djhop.compare.verdicts import Verdict
from djhop.matrix.plan import Hop
from djhop.reports import crossing, steps
from djhop.reports.clean import one_line
from djhop.reports.known import sentence
from djhop.reports.remedies import remedy
from djhop.reports.shown import Shown, shown
from djhop.reports.signs import SIGNS, Tone, listed, number, owner, tone_of_verdict
from djhop.resolve.blockers import Blocker
from djhop.resolve.moves import Move
from djhop.store.blame import Blamed

WHOLE = "the whole suite"
AGAIN = "run again"
#: Characters of a message in which its first line is looked for.
LONGEST = 20_000
#: "cannot import name 'url' from 'django.conf.urls' (/…/__init__.py)": the folder says nothing.
IMPORTED_FROM = re.compile(r" \([^()]*__init__\.py\)$| \(/[^()]*\)$")
#: What Django's system checks say before the first issue.
CHECKS = re.compile(r"(?:SystemCheckError: )?System check identified some issues:\s+[A-Z]+:\s+")


class CauseView(msgspec.Struct, frozen=True, kw_only=True):
    """One cause on one hop."""

    id: str
    #: "314 tests"; where no test is known to be behind it, "2 modules" or "the whole suite".
    count: str
    #: "ImportError: cannot import name 'url'".
    headline: str
    #: "your code, tests/urls.py:3".
    where: str
    #: Why it is this owner's.
    why: str = ""
    #: The removal behind it, and where to read of it: "…ugettext was removed in Django 4.0 …".
    known: str = ""
    link: str = ""
    #: What to type where it is the environment's: 'pass-env = ["DATABASE_URL"] …'.
    remedy: str = ""
    #: What was tried to repair it, and with what success.
    fix: str = ""
    example: str = ""
    reproduce: str = ""
    modules: Shown | None = None
    #: What a bisect found: a sentence or two, and where to read on.
    blamed: str = ""
    links: tuple[str, ...] = ()


class HopView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report says of a hop."""

    #: Ids of the cells, and of the hop: "py3.10-django4.2..py3.10-django5.2".
    before: str
    after: str
    id: str
    #: "3.2 → 4.2", "Python 3.8 → 3.10".
    title: str
    #: What stays as it is: "Python 3.8", "Django 4.2".
    fixed: str
    verdict: Verdict
    sign: str
    tone: Tone
    sentence: str
    #: Tests that make it one that breaks, by id.
    breaking: int = 0
    on_path: bool = True
    may_fail: bool = False
    causes: tuple[CauseView, ...] = ()
    more_causes: int = 0
    deprecated: tuple[CauseView, ...] = ()
    more_deprecated: int = 0
    lists: tuple[Shown, ...] = ()
    #: What it does to Django's own upgrade steps: how many it breaks, how much more is wrong.
    steps: tuple[Shown, ...] = ()
    steps_broke: int = 0
    steps_new: int = 0
    #: What is behind its first cause, where that was looked for.
    peel: Shown | None = None
    #: What became of a database on it: sentences, each with what it rests on.
    crossing: tuple[Shown, ...] = ()
    #: Under the sentence: the ways out of blockers, or what a build printed before it failed.
    details: Shown | None = None
    #: Its label says how many, and where all packages stand.
    moves: Shown | None = None
    #: Owners of what breaks: "your code", "django-filter".
    owners: tuple[str, ...] = ()


def view(
    result: HopResult,
    hop: Hop,
    causes: Mapping[str, Cause],
    limit: int,
    blames: Mapping[tuple[str, str], Blamed],
) -> HopView:
    """Show one hop; lists are cut to `limit`. `blames` are bisects, by cause and hop."""
    mine = {cause: found for (cause, on), found in blames.items() if on == hop.id}
    tone = tone_of_verdict(result.verdict)
    django = hop.axis == "django"
    before, after = hop.before, hop.after
    title = f"{before.django} → {after.django}" if django else f"{before.python} → {after.python}"
    owned = [causes[group.cause].owner for group in result.groups if group.cause in causes]
    return HopView(
        before=before.id,
        after=after.id,
        id=result.id,
        title=title if django else f"Python {title}",
        fixed=f"Python {after.python}" if django else f"Django {after.django}",
        verdict=result.verdict,
        sign=SIGNS[tone],
        tone=tone,
        sentence=one_line(result.reason),
        breaking=len(result.breaking),
        on_path=result.on_path,
        may_fail=result.allow_failure,
        causes=views(result.groups[:limit], causes, mine),
        more_causes=len(result.groups[limit:]),
        deprecated=views(result.deprecation_groups[:limit], causes, mine),
        more_deprecated=len(result.deprecation_groups[limit:]),
        lists=_lists(result, limit),
        steps=steps.of_hop(result.steps, limit),
        crossing=crossing.lines(result.crossing, limit, result.steps.broke),
        steps_broke=len(result.steps.broke) + _upgrade_broke(result),
        steps_new=sum(one.level != "info" for one in result.steps.new),
        details=_blockers(result, limit) or _printed(result),
        moves=_moves(result, limit),
        owners=tuple(dict.fromkeys(owner(who) for who in owned)),
    )


def _upgrade_broke(result: HopResult) -> bool:
    found = result.crossing
    return bool(found and found.broke and not crossing.repeats(found, result.steps.broke))


def views(
    groups: tuple[Group, ...],
    causes: Mapping[str, Cause],
    blames: Mapping[str, Blamed] | None = None,
) -> tuple[CauseView, ...]:
    """Show groups whose causes are known, with what bisects found."""
    known = (group for group in groups if group.cause in causes)
    return tuple(_cause(one, causes[one.cause], (blames or {}).get(one.cause)) for one in known)


def _cause(group: Group, cause: Cause, blamed: Blamed | None) -> CauseView:
    tests = number(group.tests, "test")
    name = (cause.warning or cause.exception).rpartition(".")[2]
    message = IMPORTED_FROM.sub("", one_line(CHECKS.sub("", cause.message[:LONGEST], count=1), 200))
    modules = tuple(name for name in group.modules if name != group.example)
    return CauseView(
        id=cause.id,
        count=tests if group.tests else number(len(modules), "module") if modules else WHOLE,
        headline=one_line(f"{name}: {message}" if message else name, 260) or "it does not say why",
        where=_where(cause, group.place),
        why=one_line(cause.why, 160),
        known=sentence(cause.known),
        link=cause.known.link if cause.known else "",
        remedy=remedy(cause),
        example=one_line(group.example, 200),
        reproduce=one_line(group.reproduce, 500),
        modules=shown("behind", modules, 3) if modules else None,
        blamed=one_line(blamed.said, 1000) if blamed else "",
        links=tuple(one_line(link, 200) for link in blamed.links) if blamed else (),
    )


def _where(cause: Cause, place: str) -> str:
    """Say whose it is, and where; a package's failure was reached from a place of the project."""
    whose, own = owner(cause.owner), place or cause.place
    if not own:
        return f"{whose}, raised at {one_line(cause.raised_at, 120)}" if cause.raised_at else whose
    reached = "" if cause.owner.kind == "project" else "reached from "
    return f"{whose}, {reached}{one_line(own, 120)}"


def _lists(result: HopResult, limit: int) -> tuple[Shown, ...]:
    """The lists of a hop that hold something; what vanished is listed where no cause says why."""
    few = min(limit, 5)
    dead = sum(group.tests for group in result.groups) >= len(result.vanished) > 0
    lists = [
        shown("fail for another reason", result.broke_differently, few),
        shown("vanished", result.vanished, 0 if dead else few),
        shown(_skipped(result), result.newly_skipped, few),
        shown("are new and fail", result.new_failures, few),
        shown("flaky, not counted", result.flaky, few),
        shown("order-dependent, not counted", result.order_dependent, few),
        shown("known as flaky, not counted", result.known_flaky, few),
        _rerun(result),
        shown("fixed", result.fixed, 3),
        shown("new", tuple(t for t in result.appeared if t not in set(result.fixed)), 0),
        shown("did not pass before, and are gone", result.gone, 0),
    ]
    some = (one for one in lists if one.total or AGAIN in one.label)
    return tuple(one for one in some if one.items or one.label != "vanished")


def _rerun(result: HopResult) -> Shown:
    """How much of what newly fails was run again, and why not all; what was not counts as it is."""
    again = result.reruns
    if again is None or not (again.tests or again.reason):
        return Shown(label="", items=(), total=0)
    told = f"; a deprecation foretold {again.foretold:,}" if again.foretold else ""
    why = f": {one_line(again.reason, 160)}" if again.reason else ""
    asked = number(again.asked, "test that newly fails", "tests that newly fail")
    label = f"of {asked} {'was' if again.tests == 1 else 'were'} {AGAIN} in both cells"
    return Shown(label=f"{label}{told}{why}", items=(), total=again.tests)


def _skipped(result: HopResult) -> str:
    reasons = list(result.skip_reasons.items())
    why = [f"{one_line(why, 60) or 'no reason given'} ({count})" for why, count in reasons[:3]]
    why += [f"{len(reasons) - 3} more reasons"] if len(reasons) > 3 else []
    return f"newly skipped: {listed(why)}" if why else "newly skipped"


def _blockers(result: HopResult, limit: int) -> Shown | None:
    """The way out of each blocker, and the way down to it; the sentence names a single one."""
    alone = len(result.blockers) == 1
    items = (_blocker(blocker, alone=alone) for blocker in result.blockers)
    said = tuple(item for item in items if item)
    return shown("blockers", said, limit) if said else None


def _printed(result: HopResult) -> Shown | None:
    """What follows the first line of a reason: the end of a build, and where all of it is."""
    _, *more = [line.rstrip() for line in result.reason.splitlines() if line.strip()] or [""]
    return shown("printed", tuple(more), len(more)) if more else None


def _blocker(blocker: Blocker, *, alone: bool) -> str:
    way = " → ".join(blocker.chain) if len(blocker.chain) > 2 else ""
    return "; ".join(filter(None, (blocker.remedy if alone else blocker.sentence, way)))


def _moves(result: HopResult, limit: int) -> Shown | None:
    """Packages that moved, where breaks are likely first; what the hop itself moves is left out."""
    moved = [move for move in result.moves if move.package != "django" or result.axis == "python"]
    moved.sort(key=lambda move: (not move.major, move.direction == "added", move.package))
    if not moved:
        return None
    label = f"{number(len(moved), 'package')} moved: cells/{result.after}/requirements.txt"
    return Shown(label=label, items=tuple(map(_move, moved[:limit])), total=len(moved))


def _move(move: Move) -> str:
    change = {
        "added": f"+ {move.package} {move.after}",
        "removed": f"- {move.package} {move.before}",
    }.get(move.direction, f"{move.package} {move.before} → {move.after}")
    words = ("major",) * move.major + ("downgraded",) * (move.direction == "downgraded")
    remark = f" ({', '.join(words)})" if words else ""
    why = move.why.removeprefix(f"{move.package} ")
    return one_line(f"{change}{remark}" + (f": {why}" if why else ""), 160)
