"""A plan in words or as JSON: what `djhop plan` prints before anything is run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from djhop.interpreters import interpreters, python_places
from djhop.interpreters.interpreters import Interpreter
from djhop.matrix.plan import Cell, Plan
from djhop.releases import Releases, Series
from djhop.reports.clean import page
from djhop.reports.fold import columns, fold
from djhop.reports.json import indented
from djhop.reports.signs import number
from djhop.target.target import Target

#: How far what follows is indented where a line is folded, and the line.
_Line: TypeAlias = tuple[int, str]


def text(
    target: Target,
    plan: Plan,
    found: Mapping[str, Interpreter],
    releases: Releases,
    *,
    width: int = 80,
    today: datetime.date | None = None,
) -> str:
    """The plan for a person: assumptions, the path hop by hop, the cells, what is missing.

    Its lines are folded to `width` columns; paths and the suite's own words stay whole.
    """
    day = today or datetime.date.today()
    blocks = [
        _target(target),
        _path(plan, releases, day),
        _cells(plan, found),
        _missing(plan, found),
        _list("Assumed", (*target.notes, *plan.notes)),
    ]
    folded = ("\n".join(_folded(block, width)) for block in blocks if block)
    return page("\n\n".join(folded) + "\n")


def _folded(block: list[_Line], width: int) -> Iterator[str]:
    for hang, line in block:
        yield from fold(line, columns(width), hang)


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
    return indented(data) + "\n"


def _target(target: Target) -> list[_Line]:
    suite = "none found"
    if target.suite is not None:
        suite = f"{' '.join(target.suite.words)}  ({target.suite.source})"
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
    return [(9, f"{name:9}{value}") for name, value in rows if value]


def _path(plan: Plan, releases: Releases, day: datetime.date) -> list[_Line]:
    lines = [(0, "Path")]
    before: Cell | None = None
    for cell in plan.path:
        change = ""
        if before is not None:
            moved = "Python" if before.django == cell.django else "Django"
            change = f"{moved} moves"
        end = _end_of_life(releases.get(cell.django), day)
        lines.append((39, f"  {cell.id:22} {change:13} {end}".rstrip()))
        before = cell
    count = sum(1 for hop in plan.hops if hop.on_path)
    lines.append((2, f"  {number(count, 'hop')}"))
    return lines


def _end_of_life(row: Series, day: datetime.date) -> str:
    kind = f"{row.version} LTS" if row.lts else row.version
    if not row.security_end:
        return f"{kind}: end of security fixes not announced"
    verb = "ended" if row.security_ended(day) else "until"
    return f"{kind}: security fixes {verb} {row.security_end}"


def _cells(plan: Plan, found: Mapping[str, Interpreter]) -> list[_Line]:
    lines = [(0, f"Cells ({len(plan.cells)})")]
    for cell in plan.cells:
        there = found.get(cell.python)
        which = (
            f"Python {there.release}  {there.path}" if there else f"Python {cell.python} MISSING"
        )
        lines.append((25, f"  {cell.id:22} {which}"))
    lines += [(25, f"  {cell.id:22} unsupported by Django: not run") for cell in plan.unsupported]
    return lines


def _missing(plan: Plan, found: Mapping[str, Interpreter]) -> list[_Line]:
    absent = dict.fromkeys(cell.python for cell in plan.cells if cell.python not in found)
    if not absent:
        return []
    lines = [(0, "Missing interpreters (`djhop run` lets uv install them where it can)")]
    for minor in absent:
        how = interpreters.how_to_get(
            minor,
            uv_can_download=interpreters.uv_can_download(minor),
            system=python_places.this_system(),
        )
        lines.append((9, f"  {minor:6} {how}"))
    return lines


def _list(title: str, sentences: tuple[str, ...]) -> list[_Line]:
    return [(0, title), *((4, f"  - {sentence}") for sentence in sentences)] if sentences else []
