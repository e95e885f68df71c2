"""A database that crosses a hop → the lines of every report."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from djhop.reports.clean import one_line
from djhop.reports.shown import Shown, shown
from djhop.reports.signs import listed, number
from djhop.results.steps import BAD, Crossing, CrossingName, Finding, Step

#: Longest line, in characters.
WIDE = 300
SIDES: tuple[tuple[CrossingName, str], ...] = (
    ("old-code", "old code on the new schema"),
    ("new-code", "new code on the old schema"),
)
#: Findings that are no news where nothing is wrong.
QUIET = ("upgrade.reversible", "model.untested")


def repeats(crossing: Crossing, broke: Collection[str]) -> bool:
    """Say whether an upgrade fails as `migrate` from nothing does, which `broke` tells already."""
    upgrade = crossing.steps.get("upgrade")
    if upgrade is None or upgrade.status not in BAD:
        return False
    told = (text.partition(": ") for text in broke)
    return any("database" in names and reason == upgrade.reason for names, _, reason in told)


def lines(crossing: Crossing | None, limit: int, broke: Collection[str] = ()) -> tuple[Shown, ...]:
    """Say how the upgrade of a database went, and whether both versions can use it.

    `broke` is what the hop breaks in the cells' own steps, told beside it. The label of each line
    is a sentence; its items are what it rests on.
    """
    if crossing is None:
        return ()
    if crossing.reason:
        return (_said(f"the upgrade of a database: not done ({crossing.reason})"),)
    if repeats(crossing, broke):
        return (
            _said("the upgrade of a database: fails, too, for the reason of the step database"),
        )
    return tuple(_lines(crossing, limit))


def _lines(crossing: Crossing, limit: int) -> Iterator[Shown]:
    if crossing.revision:
        yield _said(f"the old code and its schema are those of {crossing.revision}")
    if origin := crossing.steps.get("origin"):
        yield _said(f"the database before: {_made(origin)}")
    upgrade = crossing.steps.get("upgrade")
    if upgrade is None:
        return
    yield _listed(f"the upgrade of a database: {_upgrade(upgrade)}", upgrade.findings, limit)
    if not any(one.id == "upgrade.changed" for one in upgrade.findings):
        return
    for name, side in SIDES:
        if step := crossing.steps.get(name):
            yield _listed(f"{side}: {_works(step)}", step.findings, limit)
    if crossing.order:
        yield _said(f"order of a deploy: {crossing.order}")


def _upgrade(step: Step) -> str:
    if step.status not in ("ok", "found"):
        return f"{step.status.replace('-', ' ')} ({one_line(step.reason, 160)})"
    applied = sum(len(one.applied) for one in step.databases)
    seconds = sum(one.seconds for one in step.databases)
    did = f"{number(applied, 'migration')} in {seconds:.1f} s" if applied else "nothing to migrate"
    wrong = number(len(step.counted), "problem") if step.counted else ""
    return listed([word for word in (did, wrong) if word])


def _made(step: Step) -> str:
    if step.status not in ("ok", "found"):
        return f"{step.status.replace('-', ' ')} ({one_line(step.reason, 160)})"
    return "made as asked"


def _works(step: Step) -> str:
    if step.status not in ("ok", "found"):
        return f"{step.status.replace('-', ' ')} ({one_line(step.reason, 160)})"
    models = {one.about for one in step.counted if one.level == "error"}
    if models:
        return f"does not work, {number(len(models), 'model')}"
    untested = {one.about for one in step.counted}
    return f"not known for {number(len(untested), 'model')}" if untested else "works"


def _said(text: str) -> Shown:
    return Shown(label=one_line(text, WIDE), items=(), total=0)


def _listed(text: str, findings: tuple[Finding, ...], limit: int) -> Shown:
    order = ("error", "warning", "info")
    told = [one for one in findings if one.id not in QUIET or one.level != "info"]
    told.sort(key=lambda one: order.index(one.level))
    items = tuple(f"{one.about}: {one.text}" for one in told)
    return shown(one_line(text, WIDE), items, limit, WIDE)
