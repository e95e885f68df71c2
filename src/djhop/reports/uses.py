"""The deprecated uses of a run: as text, as JSON, and as lines that editors jump through."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from djhop import releases
from djhop.compare.foretold import Tally
from djhop.compare.predictions import Outcome
from djhop.errors import UsageError, did_you_mean
from djhop.reports import ahead, foretold
from djhop.reports import json as json_report
from djhop.reports.clean import one_line, page, spelled
from djhop.reports.fold import columns, fold
from djhop.reports.signs import number, owner
from djhop.store.record import DeprecatedUse, Run

#: 1: the first.
FORMAT = 1
_PYTHON = re.compile(r"python3\.\d+")
KINDS = ("project", "django", "python", "environment")


class Use(DeprecatedUse, frozen=True, kw_only=True):
    """A deprecated use, and what became of it on the hop that was to break it."""

    #: None where that hop was not run, or no hop of the run reaches its removal.
    outcome: Outcome | None = None
    #: What says so.
    why: str = ""
    #: Ids of the causes in run.json that it foretold.
    causes: tuple[str, ...] = ()


class Deprecations(msgspec.Struct, frozen=True, kw_only=True):
    """What `djhop deprecations --json` prints."""

    format: int = FORMAT
    #: Name of the run's folder, and of what was run.
    run: str
    target: str
    #: False where the run was cut short: the cells that finished say this.
    complete: bool
    uses: tuple[Use, ...]
    #: Over the whole run, whatever was chosen of the uses.
    foretold: Tally = Tally()


def choose(run: Run, *, owners: tuple[str, ...] = (), removed_in: tuple[str, ...] = ()) -> Run:
    """Keep the uses of these owners ("project", "django-filter") that these remove.

    `removed_in` names series of Django ("5.0") and Pythons ("python3.12").

    Raises:
        UsageError: no series, or no owner of a use of this run, is called so.
    """
    for series in removed_in:
        if not _PYTHON.fullmatch(series):
            releases.load().get(series)
    known = {*KINDS, *map(_name, run.deprecations)}
    for name in owners:
        if name not in known:
            found = ", ".join(sorted({_name(use) for use in run.deprecations})) or "none"
            hint = f"{did_you_mean(name, known)} the owners here: {found}".strip()
            raise UsageError(f"no deprecated use of this run is owned by {name!r}", hint=hint)
    kept = tuple(
        use
        for use in run.deprecations
        if (not owners or _name(use) in owners)
        and (not removed_in or {use.removed_in, f"python{use.removed_in_python}"} & {*removed_in})
    )
    return msgspec.structs.replace(run, deprecations=kept)


def _name(use: DeprecatedUse) -> str:
    return use.owner.name or use.owner.kind if use.owner.kind == "package" else use.owner.kind


def text(run: Run, *, width: int = 80) -> str:
    """List every use under the series that removes it, soonest first, and the hit rate."""
    lines = [f"{one_line(run.target.name, 60)}: {number(len(run.deprecations), 'deprecated use')}"]
    lines += [] if run.complete else ["  the run was cut short: the cells that finished say this"]
    for removal in ahead.removals(run, releases.load()):
        relation = f" ({removal.relation})" if removal.relation else ""
        lines += ["", f"{removal.title}{relation}: {removal.count}"]
        for use in removal.uses:
            lines += [f"  {use.place}  {use.headline}", f"    {use.owner}, {use.seen}"]
    if checked := foretold.checked(run, len(run.causes)):
        lines += ["", "What deprecations foretold", *(f"  {line}" for line in checked)]
    folded = (part for line in lines for part in fold(line, columns(width), hang=4) or [""])
    return page("\n".join(folded) + "\n")


def as_json(run: Run) -> str:
    """Return the uses as JSON; `docs/schema/deprecations.schema.json` describes it."""
    said = Deprecations(
        run=run.name,
        target=run.target.name,
        complete=run.complete,
        uses=_uses(run),
        foretold=run.foretold,
    )
    return json_report.indented(said) + "\n"


def _uses(run: Run) -> tuple[Use, ...]:
    checked = {
        one.use: {"outcome": one.outcome, "why": one.why, "causes": one.causes}
        for hop in run.hops
        if hop.foretold is not None
        for one in hop.foretold.predictions
    }
    return tuple(
        Use(**msgspec.structs.asdict(use), **checked.get(use.id, {}))  # type: ignore[arg-type]
        for use in run.deprecations
    )


def lines(run: Run, say: Callable[[str], None]) -> str:
    """Return "file:line:col: message" for each use in a file of the target, sorted by place.

    Paths are relative to the target; the column is not known, and is 1. `say` is told of uses that
    no file of the target has: packages', settings'.
    """
    here = [use for use in run.deprecations if use.in_target]
    if others := len(run.deprecations) - len(here):
        say(f"{number(others, 'use')} in no file of the target: djhop deprecations lists them")
    found = sorted(here, key=lambda use: _place(use.place))
    return page("".join(f"{_line(run, use)}\n" for use in found))


def _place(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line) if line.isdecimal() else 1


def _line(run: Run, use: DeprecatedUse) -> str:
    file, line = _place(use.place)
    words = (foretold.removal(use), foretold.where(run, use), owner(use.owner))
    remark = ", ".join(filter(None, words))
    name = use.category.rpartition(".")[2]
    return f"{spelled(file)}:{max(line, 1)}:1: {name}: {one_line(use.message, 200)} ({remark})"
