"""What is known of a hop beside its suite: steps that break, and deprecated uses, as lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from djhop.baseline.lines import Line
from djhop.baseline.suites import Sides
from djhop.compare.changes import dead_modules
from djhop.compare.compare import HopResult
from djhop.compare.fingerprints import template
from djhop.compare.verdicts import cut_short, life
from djhop.results.results import CellResult
from djhop.results.steps import BAD, Step
from djhop.store.record import DeprecatedUse, Run

#: What becomes of a database on the hop, when the cell after upgrades it.
UPGRADE = "upgrade"
_OWN = frozenset({"project", "package"})


def steps(hop: HopResult) -> frozenset[Line]:
    """Return a line for each of Django's own upgrade steps that fails after the hop alone."""
    return frozenset(
        Line(hop=hop.id, kind="step", cause=_digest(template(why)), about=step)
        for step, why in _broken_steps(hop)
    )


def _broken_steps(hop: HopResult) -> Iterator[tuple[str, str]]:
    for said in hop.steps.broke:
        names, _, why = said.partition(": ")
        yield from ((name, why) for name in names.split(", "))
    if hop.crossing and hop.crossing.broke:
        upgrade = hop.crossing.steps["upgrade"]
        errors = sorted({one.id for one in upgrade.findings if one.level == "error"})
        yield UPGRADE, upgrade.reason or ", ".join(errors)


def step_unchecked(line: Line, hop: HopResult, before: CellResult, after: CellResult) -> str:
    """Say why nothing is known of a step that does not break as a line says; "" where it is."""
    done: list[Step | None]
    if line.about == UPGRADE:
        done = [hop.crossing.steps.get("upgrade") if hop.crossing else None]
    else:
        sides = (before.steps, after.steps)
        done = [{str(name): step for name, step in side.items()}.get(line.about) for side in sides]
        if done[0] is not None and done[0].status in BAD:
            return "it fails before the hop, too"
    undone = any(step is None or step.status == "not-available" for step in done)
    return "it was not done" if undone else ""


def uses(run: Run, hop: HopResult) -> frozenset[Line]:
    """Return a line for each file of the target or of a package that uses what the hop removes.

    It is what the cell before the hop has seen. Lines of code move by themselves, and do not count.
    """
    return frozenset(
        Line(
            hop=hop.id,
            kind="deprecated",
            cause=_use(use),
            about=_about(use),
        )
        for use in run.deprecations
        if use.hop == hop.id and hop.before in use.cells and use.owner.kind in _OWN
    )


def told(run: Run) -> dict[str, str]:
    """Say what is behind the causes of a run's lines, where a report says more."""
    causes = {one.id: f"{one.exception.rpartition('.')[2]}: {one.message}" for one in run.causes}
    return causes | {_use(one): one.message for one in run.deprecations}


def _use(use: DeprecatedUse) -> str:
    return _digest(use.category, template(use.message), use.owner.kind, use.owner.name)


def _about(use: DeprecatedUse) -> str:
    file = use.place.rpartition(":")[0] or use.place
    return f"{use.owner.name}: {file}" if use.owner.name else file


def uses_unchecked(sides: Sides) -> str:
    """Say why a use may be there that the cell before a hop has not seen; "" where it cannot."""
    before = sides.before
    if life(before) != "ran":
        return "no test ran before the hop"
    if cut_short(before) or dead_modules(before):
        return "not every test ran before the hop"
    if not all(one.canary for one in before.passes if one.mode != "plain"):
        return "tests silence warnings"
    return "" if sides.whole else "not the whole suite was run"


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:10]
