"""A plan in words or as JSON: what `djhop plan` prints before anything is run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import msgspec

from djhop.interpreters import interpreters, python_places
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.plan import Cell, Plan
from djhop.releases import Releases, Series
from djhop.target.target import Target


def text(
    target: Target,
    plan: Plan,
    found: Mapping[str, Interpreter],
    releases: Releases,
    today: datetime.date | None = None,
) -> str:
    """The plan for a person: assumptions, the path hop by hop, the cells, what is missing."""
    day = today or datetime.date.today()
    blocks = [
        _target(target),
        _path(plan, releases, day),
        _cells(plan, found),
        _missing(plan, found),
        _list("Assumed", (*target.notes, *plan.notes)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def as_json(
    target: Target,
    plan: Plan,
    found: Mapping[str, Interpreter],
    releases: Releases,
    today: datetime.date | None = None,
) -> str:
    """The same as JSON."""
    day = today or datetime.date.today()
    series = {cell.django: releases.get(cell.django) for cell in plan.cells}
    data = {
        "target": target,
        "path": [cell.id for cell in plan.path],
        "hops": [
            {"before": h.before.id, "after": h.after.id, "axis": h.axis, "on_path": h.on_path}
            for h in plan.hops
        ],
        "cells": [
            {
                "id": cell.id,
                "django": cell.django,
                "python": cell.python,
                "interpreter": found[cell.python].path if cell.python in found else None,
            }
            for cell in plan.cells
        ],
        "unsupported": [cell.id for cell in plan.unsupported],
        "series": [
            {
                "version": row.version,
                "lts": row.lts,
                "security_end": row.security_end,
                "security_ended": row.security_ended(day),
            }
            for row in series.values()
        ],
        "notes": [*target.notes, *plan.notes],
    }
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def _target(target: Target) -> list[str]:
    suite = "none found"
    if target.suite is not None:
        runner = "pytest" if target.suite.kind == "pytest" else "python"
        suite = f"{' '.join((runner, *target.suite.argv))}  ({target.suite.source})"
    rows = [
        ("target", target.root),
        (
            "Django",
            f"{target.django or 'not stated'}  ({target.django_source})".replace("  ()", ""),
        ),
        ("suite", suite),
        ("settings", target.suite.settings if target.suite else ""),
        ("needs", ", ".join(dict.fromkeys(s.path for s in target.sources))),
    ]
    return [f"{name:9}{value}" for name, value in rows if value]


def _path(plan: Plan, releases: Releases, day: datetime.date) -> list[str]:
    lines = ["Path"]
    before: Cell | None = None
    for cell in plan.path:
        change = ""
        if before is not None:
            moved = "Python" if before.django == cell.django else "Django"
            change = f"{moved} moves"
        end = _end_of_life(releases.get(cell.django), day)
        lines.append(f"  {cell.id:22} {change:13} {end}".rstrip())
        before = cell
    count = sum(1 for hop in plan.hops if hop.on_path)
    lines.append(f"  {count} hop{'' if count == 1 else 's'}")
    return lines


def _end_of_life(row: Series, day: datetime.date) -> str:
    kind = f"{row.version} LTS" if row.lts else row.version
    if not row.security_end:
        return f"{kind}: end of security fixes not announced"
    verb = "ended" if row.security_ended(day) else "until"
    return f"{kind}: security fixes {verb} {row.security_end}"


def _cells(plan: Plan, found: Mapping[str, Interpreter]) -> list[str]:
    lines = [f"Cells ({len(plan.cells)})"]
    for cell in plan.cells:
        there = found.get(cell.python)
        which = (
            f"Python {there.release}  {there.path}" if there else f"Python {cell.python} MISSING"
        )
        lines.append(f"  {cell.id:22} {which}")
    lines += [f"  {cell.id:22} unsupported by Django: not run" for cell in plan.unsupported]
    return lines


def _missing(plan: Plan, found: Mapping[str, Interpreter]) -> list[str]:
    absent = dict.fromkeys(cell.python for cell in plan.cells if cell.python not in found)
    if not absent:
        return []
    lines = ["Missing interpreters (`djhop run` lets uv install them where it can)"]
    for minor in absent:
        how = interpreters.how_to_get(
            minor,
            uv_can_download=interpreters.uv_can_download(minor),
            system=python_places.this_system(),
        )
        lines.append(f"  {minor:6} {how}")
    return lines


def _list(title: str, sentences: tuple[str, ...]) -> list[str]:
    return [title, *(f"  - {sentence}" for sentence in sentences)] if sentences else []
