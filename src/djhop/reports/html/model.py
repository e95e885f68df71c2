"""A run and its cells → what the page's own code reads: plain lists, numbers and safe texts."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from djhop.compare.causes import Cause
from djhop.compare.compare import HopResult
from djhop.compare.groups import Group
from djhop.compare.verdicts import life
from djhop.reports.hops import HopView
from djhop.reports.html.columns import Columns
from djhop.reports.html.extras import extras
from djhop.reports.html.failures import Failures
from djhop.reports.html.lost import FILES, Ran, lost
from djhop.reports.html.prints import Prints
from djhop.reports.html.texts import LONG, Texts, line
from djhop.reports.signs import number, owner
from djhop.reports.summary import Summary, count
from djhop.results.results import CellResult, Deprecation
from djhop.results.steps import Finding
from djhop.store.record import Run, RunCell

#: Lists of test ids that a hop has.
CHANGES = (
    *("broke", "broke_differently", "vanished", "newly_skipped", "new_failures"),
    *("fixed", "newly_deprecated", "appeared", "gone", "flaky", "unserved"),
)
#: Findings of one step of a cell, and deprecated uses of a cell.
FINDINGS, USES = 200, 500
#: Tests that are named with one deprecated use.
TESTS = 200


class Model:
    """Everything that the page's code reads, made cell by cell."""

    def __init__(self, run: Run, summary: Summary) -> None:
        self.run = run
        self.summary = summary
        self.texts = Texts()
        self.failures = Failures(self.texts)
        self.prints = Prints()
        self.columns = Columns(self.failures, self.prints)
        self.left_out: list[str] = []

    def build(
        self, results: Mapping[str, CellResult], coverage: Callable[[str], Ran]
    ) -> dict[str, Any]:
        """Return the data of the page.

        Args:
            results: what is there of each cell; each is asked for once, in the run's order.
            coverage: cell → the lines of each file that ran there; nothing where nobody knows.
        """
        run = self.run
        shown = [cell for cell in run.cells if cell.status != "unsupported"]
        cells = [self._cell(cell, results.get(cell.id)) for cell in shown]
        at = {cell.id: place for place, cell in enumerate(shown)}
        hops = [self._hop(hop, at, coverage) for hop in run.hops]
        causes = [self._cause(cause, at, [hop.id for hop in run.hops]) for cause in run.causes]
        return {
            "title": self.summary.title,
            "command": [line(word) for word in run.command]
            or ["djhop", "run", line(run.target.root)],
            "whole": run.target.suite == "command",
            "cells": cells,
            "hops": hops,
            "causes": causes,
            "extras": self._extras(),
            "nights": self._nights(at),
            "failures": self.failures.rows,
            "frames": self.failures.frames,
            "own": self.failures.project_frames(),
            "ids": self.columns.ids,
            "printed": self.prints.rows,
            "left_out": self._left_out(),
        }

    def _cell(self, cell: RunCell, result: CellResult | None) -> dict[str, Any]:
        square = self.summary.grid[cell.python, cell.django]
        if result is None and cell.ran:
            self.left_out.append(f"every test of {cell.id}: its cell.json is not in the folder")
        found = result or CellResult(
            id=cell.id, django=cell.django, python=cell.python, status=cell.status
        )
        lines = {one.cell: one.line for one in self.summary.steps.cells}
        return {
            "id": cell.id,
            "django": cell.django,
            "python": cell.python,
            "release": f"Django {cell.django_release or cell.django}, "
            f"Python {cell.python_release or cell.python}",
            "status": cell.status,
            "sign": square.sign,
            "tone": square.tone,
            "path": square.on_path,
            "count": count(cell),
            "reason": line(cell.reason),
            "hint": line(cell.hint),
            "life": life(found),
            "cut": cell.status in ("crashed", "timed-out"),
            "coverage": cell.coverage,
            "seconds": cell.seconds,
            "notes": [line(note) for note in cell.notes],
            "steps": lines.get(cell.id, ""),
            "findings": self._findings(found),
            "packages": sorted(
                (line(name), line(version)) for name, version in found.packages.items()
            ),
            "blockers": [line(blocker.sentence) for blocker in found.blockers],
            "passes": [
                {
                    "mode": one.mode,
                    "command": line(shlex.join(one.argv)),
                    "ran": one.ran,
                    "seconds": one.seconds,
                    "died": one.died,
                    "running": line(one.running),
                    "log": line(one.log),
                }
                for one in found.passes
            ],
            **self.columns.take(found),
            "uses": self._uses(found),
        }

    def _findings(self, result: CellResult) -> list[dict[str, Any]]:
        found = []
        for name, step in result.steps.items():
            kept = [_finding(name, one) for one in step.findings if not one.silenced]
            self._cut(f"findings of {name} in {result.id}", kept, FINDINGS)
            found += kept[:FINDINGS]
        return found

    def _uses(self, result: CellResult) -> list[dict[str, Any]]:
        uses = sorted(result.deprecations, key=lambda use: (use.owner.kind != "project", use.place))
        self._cut(f"deprecated uses in {result.id}", uses, USES)
        return [self._use(use) for use in uses[:USES]]

    def _use(self, use: Deprecation) -> dict[str, Any]:
        if use.owner.kind == "project":
            self.failures.own(use.place)
        return {
            "category": line(use.category.rpartition(".")[2]),
            "message": line(use.message),
            "place": line(use.place),
            "owner": owner(use.owner),
            "removed": line(use.removed_in or ""),
            "when": line(use.when),
            "count": len(use.tests),
            "tests": self.columns.numbers(use.tests[:TESTS]),
        }

    def _hop(
        self, hop: HopResult, at: Mapping[str, int], coverage: Callable[[str], Ran]
    ) -> dict[str, Any]:
        view = self._view(hop)
        missing = lost(coverage(hop.before), coverage(hop.after), self.run.target.root)
        if missing and missing["total"] > FILES:
            self.left_out.append(
                f"{view.title}: {number(missing['total'] - FILES, 'file')} that lost coverage"
            )
        return {
            "id": hop.id,
            "before": at[hop.before],
            "after": at[hop.after],
            "view": msgspec.to_builtins(view),
            "changes": {name: self.columns.numbers(getattr(hop, name)) for name in CHANGES},
            "renamed": [self.columns.numbers(pair) for pair in hop.renamed],
            "still": hop.still_failing,
            "causes": _groups(hop.groups),
            "warned": _groups(hop.deprecation_groups),
            "moves": [
                {
                    "package": line(move.package),
                    "before": line(move.before or ""),
                    "after": line(move.after or ""),
                    "direction": move.direction,
                    "major": move.major,
                    "why": line(move.why),
                }
                for move in hop.moves
            ],
            "lost": missing,
        }

    def _view(self, hop: HopResult) -> HopView:
        return next(one for one in (*self.summary.path, *self.summary.beside) if one.id == hop.id)

    def _cause(self, cause: Cause, at: Mapping[str, int], hops: list[str]) -> dict[str, Any]:
        return {
            "id": cause.id,
            "exception": line(cause.exception),
            "message": self.texts.message(cause.message, cause.id),
            "owner": owner(cause.owner),
            "place": line(cause.place),
            "at": line(cause.raised_at),
            "warning": line(cause.warning),
            "tests": self.columns.numbers(cause.tests),
            "cells": [at[cell] for cell in cause.cells if cell in at],
            "hops": [hops.index(hop) for hop in cause.hops if hop in hops],
            "modules": [line(module) for module in cause.modules],
        }

    def _extras(self) -> dict[str, list[str]]:
        """What is known of a cause beyond what every cause has, by its id."""
        hops = (*self.summary.path, *self.summary.beside)
        views = [view for hop in hops for view in (*hop.causes, *hop.deprecated)]
        views += [view for red in self.summary.standing for view in red.causes]
        return {view.id: found for view in views if (found := extras(view))}

    def _nights(self, at: Mapping[str, int]) -> dict[str, Any] | None:
        """How tests fared on earlier nights, as far as that is kept."""
        since = self.run.since
        if since is None:
            return None
        strips = [
            {"cell": at[cell], "test": self.columns.number(test), "strip": _strip(told)}
            for cell, found in since.strips.items()
            if cell in at
            for test, told in found.items()
        ]
        return {"started": [line(one) for one in since.strip_nights], "strips": strips}

    def _cut(self, what: str, items: list[Any], limit: int) -> None:
        if len(items) > limit:
            self.left_out.append(f"{len(items) - limit:,} of {len(items):,} {what}")

    def _left_out(self) -> list[str]:
        said = list(self.left_out)
        if self.texts.cut:
            messages = number(self.texts.cut, "message")
            said.append(f"the ends of {messages}: each has at most {LONG:,} characters here")
        if self.failures.cut:
            said.append(f"the middle of {number(self.failures.cut, 'long traceback')}")
        said += self.prints.left_out()
        return said


def _strip(told: str) -> str:
    """A character for each night, as the page's code knows them: blanks are nights, too."""
    return "".join(one if one in "pwfecsxX~. " else "?" for one in told)


def _groups(groups: tuple[Group, ...]) -> list[dict[str, Any]]:
    return [{"id": group.cause, "tests": group.tests} for group in groups]


def _finding(step: str, one: Finding) -> dict[str, Any]:
    return {
        "step": step,
        "id": line(one.id),
        "about": line(one.about),
        "level": one.level,
        "text": line(one.text),
        "hint": line(one.hint),
        "place": line(one.place),
    }
