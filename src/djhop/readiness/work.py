"""The order of work: which hop first, what is proven to repair it, and what can be done today."""

from __future__ import annotations

from collections.abc import Iterator

from djhop.fixes.proof import Fix
from djhop.readiness import ahead
from djhop.readiness.way import Way
from djhop.reports import fixes
from djhop.reports.clean import one_line
from djhop.reports.hops import HopView
from djhop.reports.known import sentence
from djhop.reports.shown import Shown, shown
from djhop.reports.signs import listed, number
from djhop.store.record import Run

LIMIT = 6
WIDE = 260


def order(run: Run, way: Way, views: tuple[HopView, ...]) -> Iterator[Shown]:
    """Yield what is to be done, first things first."""
    first = way.first
    here = f"Django {first.django} on Python {first.python}" if first else "the cell before"
    if proven := tuple(_proven(run, way, kept=True)):
        yield shown(f"proven, and {here} passes with it as before", proven, LIMIT, WIDE)
    if found := tuple(map(_today, ahead.today(run, way))):
        label = f"can be written otherwise today: {here} has the replacement"
        yield shown(label, found, LIMIT, WIDE)
    if hops := tuple(_hops(views)):
        yield shown("then hop by hop, in this order", hops, LIMIT, WIDE)
    if later := tuple(_proven(run, way, kept=False)):
        yield shown("proven for a hop, to be applied with it", later, LIMIT, WIDE)
    if asked := tuple(_asked(run, way, views)):
        yield shown("not asked yet", asked, LIMIT, WIDE)


def _today(one: ahead.Today) -> str:
    behind = f"{number(one.tests, 'test')} behind; " if one.tests else ""
    places = [one_line(place, 80) for place in one.places[:3]]
    more = f" and {len(one.places) - 3} more places" if len(one.places) > 3 else ""
    return f"{behind}{sentence(one.known)} ({listed(places)}{more})"


def _hops(views: tuple[HopView, ...]) -> Iterator[str]:
    for view in views:
        if view.verdict not in ("clean", "deprecated") or view.steps_broke:
            broken = f"breaks {number(view.breaking, 'test')}" if view.breaking else view.verdict
            steps = "; Django's own steps break" if view.steps_broke else ""
            yield f"{view.title}: {broken}{steps}"


def _proven(run: Run, way: Way, *, kept: bool) -> Iterator[str]:
    """Yield the fixes of the way that repair something: before its first hop, or with another."""
    start = way.first.id if way.first else ""
    hops = {hop.id for hop in way.hops}
    for fix in run.fixes:
        repairs = any(one.repaired for one in fix.causes)
        now = fix.kept and fix.before == start
        if fix.hop in hops and repairs and not fix.broke_after and now is kept:
            yield f"{fixes.said(run, fix)}: {_write(fix)}"


def _write(fix: Fix) -> str:
    choice = f"--hop {fix.hop}" if fix.id == fix.hop else f"--cause {fix.id}"
    return f"djhop fix --write {choice}"


def _asked(run: Run, way: Way, views: tuple[HopView, ...]) -> Iterator[str]:
    """Yield the commands that would say more."""
    breaks = [view for view in views if view.verdict == "breaks" and view.causes]
    tried = {fix.hop for fix in run.fixes}
    if any(view.id not in tried for view in breaks):
        yield "djhop fix --try: what django-upgrade repairs of it"
    if any(hop.moves or hop.blockers for hop in way.hops):
        yield "djhop deps: which packages can move today"
