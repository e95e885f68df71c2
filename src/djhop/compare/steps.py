"""Two cells → what changes in Django's own upgrade steps on the hop between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from djhop.results.results import CellResult
from djhop.results.steps import BAD, STEPS, Finding, Level, Step, StepName

#: Facts about the project's own migrations: the same on both sides, and no hop's doing.
FACTS = frozenset({"irreversible", "atomic-data", "many", "migrate.skipped"})


class StepChange(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one id that are there on one side of a hop only."""

    step: StepName
    id: str
    #: What they are about: models, migrations, settings.
    about: tuple[str, ...] = ()
    level: Level = "warning"
    #: Of the first of them.
    text: str = ""
    hint: str = ""
    place: str = ""
    #: Only `check --deploy` says it.
    deploy: bool = False


class StepChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a hop does to the steps of its cells."""

    new: tuple[StepChange, ...] = ()
    gone: tuple[StepChange, ...] = ()
    #: Steps that work before the hop and fail after it, with the reason: those of one together.
    broke: tuple[str, ...] = ()
    #: Steps that fail before the hop and work after it.
    mended: tuple[StepName, ...] = ()
    #: Steps that were done on one side only, each with the reason.
    unknown: tuple[str, ...] = ()


def changes(before: CellResult, after: CellResult) -> StepChanges:
    """Compare the steps that both cells have, by the ids of findings and what they are about."""
    new: list[StepChange] = []
    gone: list[StepChange] = []
    broke: dict[str, list[str]] = {}
    mended: list[StepName] = []
    unknown: list[str] = []
    for name in STEPS:
        was, now = before.steps.get(name), after.steps.get(name)
        if was is None or now is None:
            continue
        if "not-available" in (was.status, now.status):
            unknown += _one_sided(name, was, now)
            continue
        came = list(_only(was, now))
        new += _grouped(name, came)
        if now.status not in BAD:  # a step that failed did not get to all it has to say
            gone += _grouped(name, _gone(name, was, now, came))
            mended += [name] if was.status in BAD else []
        for reason in _broke(was, now, came):
            broke.setdefault(reason, []).append(name)
    return StepChanges(
        new=tuple(new),
        gone=tuple(gone),
        broke=tuple(f"{', '.join(names)}: {reason}" for reason, names in broke.items()),
        mended=tuple(mended),
        unknown=tuple(unknown),
    )


def _one_sided(name: StepName, was: Step, now: Step) -> Iterator[str]:
    if was.status != now.status:
        side, step = ("before", was) if was.status == "not-available" else ("after", now)
        yield f"{name}: not done {side} the hop: {step.reason}"


def _key(one: Finding) -> tuple[str, str]:
    # A message without an id is known by its text alone.
    return (one.id, one.about) if one.id else (one.text, one.about)


def _only(these: Step, others: Step) -> Iterator[Finding]:
    """Yield the findings of `others` that `these` does not have."""
    if these.status in BAD:
        known = {_key(one) for one in these.findings}
        # What it would have said beyond its failure is not known.
        yield from (
            one for one in _counting(others) if one.level == "error" and _key(one) not in known
        )
        return
    known = {_key(one) for one in _counting(these)}
    yield from (one for one in _counting(others) if _key(one) not in known)


def _counting(step: Step) -> Iterator[Finding]:
    yield from (one for one in step.findings if not one.silenced and one.id not in FACTS)


def _gone(name: StepName, was: Step, now: Step, came: list[Finding]) -> Iterator[Finding]:
    # A setting that was deprecated and is removed now is not gone, and nor is a default.
    still = {one.about for one in came} if name == "settings" else set[str]()
    for one in _only(now, was):
        if one.about not in still and one.id != "changed-default":
            yield one


def _grouped(name: StepName, findings: Iterable[Finding]) -> list[StepChange]:
    """Put findings of one id, text and level together."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for one in findings:
        # What djhop itself says differs from one setting or migration to another.
        key = (one.id,) if name == "checks" and one.id else (one.id, one.text)
        key = key[:1] if one.id.startswith("pending.") else key
        groups.setdefault(key, []).append(one)
    return [
        StepChange(
            step=name,
            id=group[0].id,
            about=tuple(dict.fromkeys(one.about for one in group if one.about)),
            level=group[0].level,
            text=group[0].text,
            hint=group[0].hint,
            place=group[0].place,
            deploy=all(one.deploy for one in group),
        )
        for group in groups.values()
    ]


def _broke(was: Step, now: Step, came: list[Finding]) -> Iterator[str]:
    if was.status in BAD:
        return
    if now.status in BAD:
        yield now.reason
        return
    errors = dict.fromkeys(one.id or one.text for one in came if one.level == "error")
    if errors:
        yield ", ".join(errors)
