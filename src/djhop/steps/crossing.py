"""What two versions of a project make of one database: findings, and in which order to deploy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from djhop.results.eventlog import Exc
from djhop.results.steps import Column, CrossingName, Database, Finding, Step
from djhop.steps.wrote import Facts, Tried, Wrote

CONSTRAINT, FORBADE = "a new constraint", "the constraint is gone"
#: What a change of the schema means for a deploy.
HINTS = {
    CONSTRAINT: "old code that writes what it forbids fails: let all code obey it first",
    FORBADE: "new code that writes what it forbade fails until migrate has run",
    "may not be null": "old code that leaves it out fails: let all code give it a value first",
    "no default for it": "old code that adds rows fails: give it a default in the database "
    "(db_default), or let it be null until all code knows it",
    "a new column": "migrate first: the old code does not see it",
    "a new table": "migrate first: the old code does not see it",
    "is gone": "the new code first, then migrate: the old code still asks for it",
}
#: What loses rows where no migration does.
BESIDE = "handlers of pre_migrate or post_migrate"
#: Where Django writes down which migrations it has applied.
OWN_BOOK = "django_migrations"
READS = frozenset({"all", "count", "values"})


def operations(facts: Iterable[Facts]) -> Iterator[Finding]:
    """Say what each migration of an upgrade did, and what of it can be taken back."""
    done: dict[str, list[Facts]] = {}
    for one in facts:
        if one.kind in ("reversible", "irreversible"):
            done.setdefault(f"{one.app}.{one.migration}", []).append(one)
    for about, rows in done.items():
        stuck = [row.operation for row in rows if row.kind == "irreversible"]
        text = ", ".join(row.operation for row in rows)
        back = f"cannot be taken back: {', '.join(stuck)}" if stuck else "can be taken back"
        kind = "upgrade.irreversible" if stuck else "upgrade.reversible"
        yield Finding(id=kind, about=about, level="info", text=f"{text}; {back}")


def rows(found: Wrote) -> Iterator[Finding]:
    """Name the migrations that lose rows, and the columns whose values are not what they were."""
    for fact in found.facts:
        if fact.kind == "lost":
            about = f"{fact.app}.{fact.migration}" if fact.app else BESIDE
            yield Finding(id="upgrade.rows", about=about, text=f"rows are lost: {fact.operation}")
    for one in found.databases:
        for about in one.changed:
            text = "values are not what they were before the upgrade"
            yield Finding(id="upgrade.values", about=about, level="info", text=text)


def models(tried: Iterable[Tried]) -> Iterator[Finding]:
    """Name the models that work on a side's own database, and not on the other one's."""
    for model in tried:
        untested = dict(model.own)
        for kind, wanted in (("model.read", True), ("model.write", False)):
            failed: dict[str, list[str]] = {}
            for name, error in model.other:
                if name not in untested and (name in READS) is wanted:
                    failed.setdefault(_said(error), []).append(name)
            text = "; ".join(f"{', '.join(names)}: {why}" for why, names in failed.items())
            if text:
                yield Finding(id=kind, about=model.model, level="error", text=text)
        if untested:
            names, why = ", ".join(untested), _said(next(iter(untested.values())))
            yield Finding(
                id="model.untested",
                about=model.model,
                level="warning" if model.changed else "info",
                text=f"{names}: fails on the schema of its own, too: {why}",
            )


def _said(error: Exc) -> str:
    return f"{error.name}: {error.message.strip().partition(chr(10))[0]}"


Tables = Mapping[str, tuple[Column, ...]]


def differences(were: Tables, are: Tables) -> dict[str, str]:
    """Say what became of each table and column: {"table.column": words}.

    Django's own book of migrations is none of the project's: whether there is one where nothing is
    to be migrated differs between series.
    """
    were, are = ({name: one[name] for name in one if name != OWN_BOOK} for one in (were, are))
    found = {table: "the table is gone" for table in were if table not in are}
    found |= {table: "a new table" for table in are if table not in were}
    for table in were.keys() & are.keys():
        old = {column.name: column for column in were[table]}
        new = {column.name: column for column in are[table]}
        found |= {f"{table}.{name}": "the column is gone" for name in old if name not in new}
        found |= {f"{table}.{name}": _added(new[name]) for name in new if name not in old}
        for name in old.keys() & new.keys():
            if old[name] != new[name]:
                found[f"{table}.{name}"] = _changed(old[name], new[name])
    return {about: found[about] for about in sorted(found)}


def _added(column: Column) -> str:
    must = not column.null and column.default is None
    rest = ", NOT NULL, and the database has no default for it" if must else ""
    return f"a new column{rest}"


def _changed(old: Column, new: Column) -> str:
    parts = []
    if old.type != new.type:
        parts.append(f"{old.type} → {new.type}")
    if old.null != new.null:
        parts.append("may be null" if new.null else "may not be null")
    if old.default != new.default:
        parts.append(f"default {old.default or 'none'} → {new.default or 'none'}")
    return f"the column was changed: {', '.join(parts)}"


def changed(before: tuple[Database, ...], after: tuple[Database, ...]) -> dict[str, str]:
    """Return what an upgrade did to the tables, by "table" and "table.column"."""
    were = {one.alias: one.tables for one in before}
    obeyed = {one.alias: one.constraints for one in before}
    found: dict[str, str] = {}
    for one in after:
        tables = were.get(one.alias, {})
        found |= differences(tables, one.tables)
        # Those of a table that is new, or gone, say nothing more.
        both = tables.keys() & one.tables.keys()
        old, new = _named(both, obeyed.get(one.alias, {})), _named(both, one.constraints)
        found |= dict.fromkeys(sorted(new - old), CONSTRAINT)
        found |= dict.fromkeys(sorted(old - new), FORBADE)
    return found


def _named(tables: Iterable[str], constraints: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {f"{table} {text}" for table in tables for text in constraints.get(table, ())}


def told(changes: Mapping[str, str]) -> Iterator[Finding]:
    """Say what an upgrade does to tables and columns, and what follows for a deploy."""
    for about, words in changes.items():
        hint = next((HINTS[part] for part in HINTS if part in words), "")
        yield Finding(id="upgrade.changed", about=about, level="info", text=words, hint=hint)


def explained(step: Step, changes: Mapping[str, str]) -> Step:
    """Add to what fails on the other schema which change is behind it."""
    return msgspec.structs.replace(
        step, findings=tuple(_explained(one, changes) for one in step.findings)
    )


def _explained(one: Finding, changes: Mapping[str, str]) -> Finding:
    # The longest names first: a column says more than its table.
    for about in sorted(changes, key=lambda about: ("." not in about, about)):
        if one.level == "error" and all(_is_in(name, one.text) for name in about.split(".")):
            return msgspec.structs.replace(one, hint=f"the upgrade: {about}: {changes[about]}")
    return one


def _is_in(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text))


def drift(upgraded: tuple[Database, ...], fresh: tuple[Database, ...]) -> Iterator[Finding]:
    """Name what an upgraded schema has otherwise than one that was made from nothing."""
    made = {one.alias: one.tables for one in fresh}
    for one in upgraded:
        if one.alias not in made:
            continue
        other = made[one.alias]
        for about, words in differences(other, one.tables).items():
            yield Finding(
                id="upgrade.schema",
                about=about,
                text=f"another one after an upgrade than after migrate from nothing: {words}",
            )


def advice(steps: Mapping[CrossingName, Step]) -> str:
    """Say in which order code and migrations can go out; "" where that is not known."""
    upgrade = steps.get("upgrade")
    changes = [one for one in upgrade.findings if one.id == "upgrade.changed"] if upgrade else []
    old, new = steps.get("old-code"), steps.get("new-code")
    # Without a change there is but one schema.
    if not changes or any(one is None or one.status not in ("ok", "found") for one in (old, new)):
        return ""
    match _works(old), _works(new):
        case "yes", "yes":
            return "in any order: both versions work on both schemas" + _but(changes, CONSTRAINT)
        case "yes", _:
            said = "migrate first, then the new code: the old code works on the new schema"
            return said + _but(changes, CONSTRAINT)
        case _, "yes":
            said = "the new code first, then migrate: the new code works on the old schema"
            return said + _but(changes, FORBADE)
        case "no", "no":
            return (
                "neither order works while both versions run: do it in two releases (add, then use;"
                " stop using, then drop), or stop the old code before migrate"
            )
    return ""


def _works(step: Step | None) -> Literal["yes", "no", "unknown"]:
    if step is None or not step.counted:
        return "yes"
    return "no" if any(one.level == "error" for one in step.counted) else "unknown"


def _but(changes: Iterable[Finding], what: str) -> str:
    """Name the constraints that a row of djhop's own obeys, and others may not."""
    named = [one.about for one in changes if one.text == what]
    return f"; but what is written there must obey {', '.join(named)}" if named else ""
