"""A database that crosses a hop: what two versions make of it, told from data."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest

from djhop import crossings
from djhop.compare.compare import compare, exit_code
from djhop.crossings import Side
from djhop.errors import ExitCode, UsageError
from djhop.hops import Hops
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.processes.process import Spawner
from djhop.reports import crossing as lines
from djhop.results.eventlog import Exc
from djhop.results.results import CellResult
from djhop.results.steps import Column, Crossing, CrossingName, Database, Finding, Level, Step
from djhop.steps import crossing
from djhop.steps.wrote import Facts, Tried, Wrote
from djhop.store.store import RunFolder
from djhop.workspace import revision

BEFORE, AFTER = (Cell(django=series, python="3.12") for series in ("4.2", "5.2"))
HOP = Hop(before=BEFORE, after=AFTER, axis="django")
HOP_ID = f"{BEFORE.id}..{AFTER.id}"
TEXT = Column(name="a", type="text", null=True)


def exc(message: str, name: str = "OperationalError") -> Exc:
    return Exc(type=name, name=name, mro=(), message=message, frames=(), cause=None)


def cell(of: Cell, step: Step | None = None) -> CellResult:
    steps = {"database": step} if step else {}
    return CellResult(id=of.id, django=of.django, python=of.python, status="passed", steps=steps)  # type: ignore[arg-type]


def crossed(**steps: Step) -> Crossing:
    named = {name.replace("_", "-"): step for name, step in steps.items()}
    return Crossing(before=BEFORE.id, after=AFTER.id, steps=named)  # type: ignore[arg-type]


class TestDifferences:
    def test_nothing(self) -> None:
        assert crossing.differences({"t": (TEXT,)}, {"t": (TEXT,)}) == {}

    @pytest.mark.parametrize(
        ("column", "words"),
        [
            (Column(name="b", null=True), "a new column"),
            (Column(name="b", default="''"), "a new column"),
            (
                Column(name="b"),
                "a new column, NOT NULL, and the database has no default for it",
            ),
        ],
    )
    def test_a_new_column(self, column: Column, words: str) -> None:
        found = crossing.differences({"t": (TEXT,)}, {"t": (TEXT, column)})
        assert found == {"t.b": words}

    def test_what_is_gone(self) -> None:
        were = {"t": (TEXT, Column(name="b")), "u": (TEXT,)}
        assert crossing.differences(were, {"t": (TEXT,), "v": (TEXT,)}) == {
            "t.b": "the column is gone",
            "u": "the table is gone",
            "v": "a new table",
        }

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"type": "int"}, "text → int"),
            ({"null": False}, "may not be null"),
            ({"default": "1"}, "default none → 1"),
        ],
    )
    def test_a_changed_column(self, changes: dict[str, object], words: str) -> None:
        other = msgspec.structs.replace(TEXT, **changes)
        found = crossing.differences({"t": (TEXT,)}, {"t": (other,)})
        assert found == {"t.a": f"the column was changed: {words}"}

    def test_an_upgrade_is_held_against_what_is_made_from_nothing(self) -> None:
        upgraded = Database(alias="default", tables={"t": (TEXT,), "left": (TEXT,)})
        fresh = Database(alias="default", tables={"t": (TEXT,)})
        other = Database(alias="other", tables={"u": (TEXT,)})
        (found,) = crossing.drift((upgraded, other), (fresh,))
        assert (found.id, found.about, found.level) == ("upgrade.schema", "left", "warning")
        assert found.text.endswith("a new table")

    def test_djangos_own_book_is_no_table_of_the_project(self) -> None:
        book = {"django_migrations": (TEXT,)}
        assert crossing.differences({}, book) == {}
        assert crossing.differences(book, {"t": ()}) == {"t": "a new table"}

    def test_what_follows_for_a_deploy(self) -> None:
        told = {one.about: one.hint for one in crossing.told({"t.a": "a new column", "t.b": "x"})}
        assert told == {"t.a": "migrate first: the old code does not see it", "t.b": ""}


class TestModels:
    def test_only_what_the_other_schema_breaks(self) -> None:
        same = (("create", exc("no")),)
        tried = [
            Tried(model="a.A", table="a", alias="default", own=same, other=same),
            Tried(model="a.B", table="b", alias="default", other=(("all", exc("gone")),)),
        ]
        untested, broken = crossing.models(tried)
        assert (untested.id, untested.about, untested.level) == ("model.untested", "a.A", "info")
        assert (broken.id, broken.about, broken.level) == ("model.read", "a.B", "error")
        assert broken.text == "all: OperationalError: gone"

    def test_reads_and_writes_with_one_reason_are_told_together(self) -> None:
        gone = exc("no such table: a\nmore")
        other = tuple((name, gone) for name in ("all", "count", "create", "update"))
        found = crossing.models([Tried(model="a.A", table="a", alias="default", other=other)])
        assert [(one.id, one.text) for one in found] == [
            ("model.read", "all, count: OperationalError: no such table: a"),
            ("model.write", "create, update: OperationalError: no such table: a"),
        ]

    def test_the_change_behind_it(self) -> None:
        changes = {"t": "the table is gone", "t.note": "a new column", "u": "a new table"}

        def hint(text: str, level: str = "error") -> str:
            one = Finding(id="x", text=text, level=level)  # type: ignore[arg-type]
            step = crossing.explained(Step(status="found", findings=(one,)), changes)
            return step.findings[0].hint

        assert hint("no such column: t.note") == "the upgrade: t.note: a new column"
        assert hint('null value in column "note" of relation "t"').startswith("the upgrade: t.note")
        assert hint("no such table: t") == "the upgrade: t: the table is gone"
        assert hint("no such table: tt") == ""
        assert hint("no such table: t", "info") == ""

    @pytest.mark.parametrize(
        ("old", "new", "order"),
        [
            ("ok", "ok", "in any order"),
            ("ok", "found", "migrate first"),
            ("found", "ok", "the new code first"),
            ("found", "found", "neither order"),
            ("ok", "failed", ""),
            ("timed-out", "ok", ""),
        ],
    )
    def test_the_order(self, old: str, new: str, order: str) -> None:
        error = (Finding(id="model.read", level="error"),)

        def side(status: str) -> Step:
            findings = error if status == "found" else ()
            return Step(status=status, findings=findings)  # type: ignore[arg-type]

        steps: dict[CrossingName, Step] = {"old-code": side(old), "new-code": side(new)}
        assert crossing.advice(steps) == "", "the schema is the same"
        changed = Finding(id="upgrade.changed", level="info")
        steps["upgrade"] = Step(status="ok", findings=(changed,))
        said = crossing.advice(steps)
        assert said.startswith(order)
        assert bool(said) == bool(order)
        assert crossing.advice({"old-code": Step(status="ok")}) == ""

    @pytest.mark.parametrize(
        ("old", "new", "order"),
        [
            ("warning", "error", ""),
            ("warning", "info", "the new code first"),
            ("info", "warning", "migrate first"),
            ("error", "warning", ""),
            ("info", "info", "in any order"),
        ],
    )
    def test_what_could_not_be_tried_is_not_said_to_work(
        self, old: Level, new: Level, order: str
    ) -> None:
        def side(level: Level) -> Step:
            one = Finding(id="model.untested", about="a.A", level=level)
            return Step(status="ok" if level == "info" else "found", findings=(one,))

        changed = Finding(id="upgrade.changed", level="info")
        upgrade = Step(status="ok", findings=(changed,))
        said = crossing.advice({"upgrade": upgrade, "old-code": side(old), "new-code": side(new)})
        assert (said.startswith(order), bool(said)) == (True, bool(order))

    def test_what_rows_must_obey(self) -> None:
        """One row that is written says nothing of the next, which may be its double."""

        def made(*texts: str) -> tuple[Database, ...]:
            obeyed = {"t": texts, "new": ("UNIQUE (x)",)} if texts else {}
            return (Database(alias="default", tables={"t": (TEXT,)}, constraints=obeyed),)

        unique = "t UNIQUE (a)"
        assert crossing.changed(made("UNIQUE (a)"), made("UNIQUE (a)")) == {}
        added = crossing.changed(made(), made("UNIQUE (a)"))
        assert added == {unique: "a new constraint"}
        gone = crossing.changed(made("UNIQUE (a)"), made())
        assert gone == {unique: "the constraint is gone"}

        def order(changes: dict[str, str], **findings: tuple[Finding, ...]) -> str:
            upgrade = Step(status="ok", findings=tuple(crossing.told(changes)))
            assert all(one.hint for one in upgrade.findings)
            sides: dict[CrossingName, Step] = {
                "old-code": Step(status="ok", findings=findings.get("old", ())),
                "new-code": Step(status="ok", findings=findings.get("new", ())),
            }
            return crossing.advice({"upgrade": upgrade, **sides})

        failed = (Finding(id="model.read", level="error"),)
        for said in (order(added), order(added, new=failed), order(gone, old=failed)):
            assert said.endswith(f"; but what is written there must obey {unique}")
        assert "obey" not in order(added, old=failed) + order(gone, new=failed)

    def test_a_model_that_fails_on_its_own_side(self) -> None:
        fails = (("create", exc("CHECK")),)
        levels = [
            one.level
            for changed in (False, True)
            for one in crossing.models(
                [Tried(model="a.A", table="a", alias="default", changed=changed, own=fails)]
            )
        ]
        assert levels == ["info", "warning"]

    def test_rows_that_no_migration_loses(self) -> None:
        facts = tuple(
            Facts(kind="lost", app=app, migration=name, operation="t: of 3 rows 0 are left")
            for app, name in (("a", "0002"), ("", ""))
        )
        found = crossing.rows(Wrote(status="ok", facts=facts))
        assert [one.about for one in found] == ["a.0002", crossing.BESIDE]

    def test_what_can_be_taken_back(self) -> None:
        def fact(kind: str, operation: str) -> Facts:
            return Facts(kind=kind, app="a", migration="0002", operation=operation)

        facts = [fact("reversible", "AddField x"), fact("irreversible", "RunPython")]
        (found,) = crossing.operations(facts)
        assert (found.id, found.about) == ("upgrade.irreversible", "a.0002")
        assert found.text == "AddField x, RunPython; cannot be taken back: RunPython"
        (found,) = crossing.operations(facts[:1])
        assert (found.id, found.level) == ("upgrade.reversible", "info")


class TestWhen:
    @pytest.mark.parametrize(
        ("before", "after", "why"),
        [
            ("ok", "ok", ""),
            ("found", "failed", ""),
            ("failed", "ok", "there is no database before the hop: why"),
            ("timed-out", "ok", "there is no database before the hop: why"),
            ("ok", "not-available", "there is no database after the hop: why"),
            ("ok", None, "the cell after has no step `database` (passed)"),
        ],
    )
    def test_what_it_takes(self, before: str, after: str | None, why: str) -> None:
        def step(status: str) -> Step:
            kept = (Database(alias="default", kept="default.sqlite3"),)
            return Step(status=status, reason="why", databases=kept)  # type: ignore[arg-type]

        ends = cell(BEFORE, step(before)), cell(AFTER, step(after) if after else None)
        assert crossings.impossible(*ends) == why

    def test_a_server(self) -> None:
        def why(vendor: str) -> str:
            step = Step(status="ok", databases=(Database(alias="default", vendor=vendor),))
            return crossings.impossible(cell(BEFORE, step), cell(AFTER, step))

        assert (why("postgresql"), why("mysql")) == ("", "MySQL cannot copy a database")


class TestHops:
    """When a hop is crossed; the crossing itself is another's."""

    @pytest.fixture
    def crossed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        calls: list[str] = []

        def cross(before: Side, after: Side, *_: object) -> Crossing:
            calls.append(f"{before.result.id}..{after.result.id}")
            return crossed(upgrade=Step(status="failed", reason="boom"))

        monkeypatch.setattr(crossings, "cross", cross)
        return calls

    def hops(self, folder: Path, *, shared: bool = False, gone: str = "") -> Hops:
        def side(_: Cell, result: CellResult) -> Side:
            return Side(job=None, result=result, folder=folder)  # type: ignore[arg-type]

        made = Hops(
            [HOP],
            mine=[AFTER],
            shared=shared,
            side=side,
            gone=lambda: RuntimeError(gone) if gone else None,
            spawner=Spawner(),
        )
        made.folder = RunFolder(folder)
        return made

    def write(self, folder: Path, of: Cell) -> None:
        kept = (Database(alias="default", vendor="sqlite", kept="default.sqlite3"),)
        RunFolder(folder).write_cell(cell(of, Step(status="ok", databases=kept)))

    def test_once_and_when_both_cells_have_ended(self, tmp_path: Path, crossed: list[str]) -> None:
        hops = self.hops(tmp_path)
        assert hops.cells == {BEFORE, AFTER}
        for one in (BEFORE, AFTER):
            assert crossed == []
            self.write(tmp_path, one)
            hops.end([one.id])
            hops.cross()
        hops.cross()
        assert crossed == [HOP_ID]
        assert RunFolder(tmp_path).crossings()[HOP_ID].steps["upgrade"].reason == "boom"
        again = self.hops(tmp_path)
        again.end([BEFORE.id, AFTER.id])
        again.cross()
        assert crossed == [HOP_ID], "a resumed run has it already"

    def test_another_djhop_has_done_the_other_cell(
        self, tmp_path: Path, crossed: list[str]
    ) -> None:
        hops = self.hops(tmp_path, shared=True)
        self.write(tmp_path, AFTER)
        hops.end([AFTER.id])
        hops.cross()
        assert crossed == []
        self.write(tmp_path, BEFORE)
        hops.cross()
        assert crossed == [HOP_ID]

    def test_what_fails_without_its_service_says_nothing(
        self, tmp_path: Path, crossed: list[str]
    ) -> None:
        hops = self.hops(tmp_path, gone="the service postgres is gone")
        for one in (BEFORE, AFTER):
            self.write(tmp_path, one)
        hops.end([BEFORE.id, AFTER.id])
        hops.cross()
        found = RunFolder(tmp_path).crossings()[HOP_ID]
        assert (found.reason, found.steps) == ("the service postgres is gone", {})
        assert not found.broke

    def test_cells_without_a_database(self, tmp_path: Path, crossed: list[str]) -> None:
        for one in (BEFORE, AFTER):
            RunFolder(tmp_path).write_cell(cell(one))
        hops = self.hops(tmp_path)
        hops.end([BEFORE.id, AFTER.id])
        hops.cross()
        assert (crossed, RunFolder(tmp_path).crossings()) == ([], {})


class TestRun:
    def test_it_is_kept_and_forgotten_with_its_cells(self, tmp_path: Path) -> None:
        folder = RunFolder(tmp_path)
        found = crossed(upgrade=Step(status="ok"))
        folder.write_crossing(found)
        assert folder.crossings() == {HOP_ID: found}
        folder.forget_hops("py3.12-django5.1")
        assert set(folder.crossings()) == {HOP_ID}
        folder.forget_hops(BEFORE.id)
        assert folder.crossings() == {}

    def test_no_path_leaves_the_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is not a cell"):
            RunFolder(tmp_path).hop("../x..py3.12-django5.2")

    @pytest.mark.parametrize(
        ("found", "code"),
        [
            (crossed(upgrade=Step(status="ok")), ExitCode.OK),
            (crossed(upgrade=Step(status="failed")), ExitCode.BREAKS),
            (crossed(upgrade=Step(status="timed-out")), ExitCode.BREAKS),
            (crossed(upgrade=Step(status="ok"), old_code=Step(status="found")), ExitCode.OK),
            (Crossing(before=BEFORE.id, after=AFTER.id, reason="no"), ExitCode.OK),
        ],
    )
    def test_the_exit_code(self, found: Crossing, code: ExitCode) -> None:
        plan = Plan(cells=(BEFORE, AFTER), path=(BEFORE, AFTER), hops=(HOP,))
        results = {one.id: cell(one) for one in (BEFORE, AFTER)}
        compared = compare(plan, results, crossings={HOP_ID: found})
        assert compared.hops[0].crossing == found
        assert (exit_code(compared) is ExitCode.BREAKS) == (code is ExitCode.BREAKS)


class TestReport:
    CHANGED = Finding(id="upgrade.changed", about="t.a", level="info", text="a new column")

    def told(self, found: Crossing | None) -> list[str]:
        return [text for one in lines.lines(found, 5) for text in (one.label, *one.items)]

    def test_nothing_to_say(self) -> None:
        assert self.told(None) == []

    def test_why_not(self) -> None:
        found = Crossing(before=BEFORE.id, after=AFTER.id, reason="no driver")
        assert self.told(found) == ["the upgrade of a database: not done (no driver)"]

    def test_nothing_to_migrate(self) -> None:
        found = crossed(upgrade=Step(status="ok"), old_code=Step(status="ok"))
        assert self.told(found) == ["the upgrade of a database: nothing to migrate"]

    def test_yes_and_no(self) -> None:
        applied = Database(alias="default", applied=(("a", "0002", 0.1),), seconds=0.2)
        wrong = Finding(id="model.write", about="a.A", level="error", text="create: no")
        found = msgspec.structs.replace(
            crossed(
                upgrade=Step(status="ok", findings=(self.CHANGED,), databases=(applied,)),
                old_code=Step(status="found", findings=(wrong,)),
                new_code=Step(status="ok"),
            ),
            order="the new code first",
        )
        assert self.told(found) == [
            "the upgrade of a database: 1 migration in 0.2 s",
            "t.a: a new column",
            "old code on the new schema: does not work, 1 model",
            "a.A: create: no",
            "new code on the old schema: works",
            "order of a deploy: the new code first",
        ]

    def test_a_failure(self) -> None:
        found = crossed(upgrade=Step(status="failed", reason="IntegrityError: no"))
        assert self.told(found) == ["the upgrade of a database: failed (IntegrityError: no)"]

    def test_what_the_cells_own_step_says_already(self) -> None:
        found = crossed(upgrade=Step(status="failed", reason="ImportError: utc"))
        for broke, again in (
            (("migrations, database: ImportError: utc",), True),
            (("database: ImportError: other",), False),
            (("migrations: ImportError: utc",), False),
            ((), False),
        ):
            (line,) = lines.lines(found, 5, broke)
            assert ("for the reason of the step database" in line.label) is again
            assert ("ImportError" in line.label) is not again
            assert lines.repeats(found, broke) is again


class TestRevisions:
    def test_few_checkouts_are_kept(self, tmp_path: Path) -> None:
        now = time.time()
        for age in range(9):
            (tmp_path / f"{age}" / "x").mkdir(parents=True)
            days = now - age * revision.IN_USE / 2
            os.utime(tmp_path / f"{age}", (days, days))
        half = tmp_path / ".half.1"
        half.mkdir()
        revision.sweep(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == [".half.1", "0", "1", "2", "3"]
        os.utime(half, (0, 0))
        os.utime(tmp_path / "3", (0, 0))
        revision.sweep(tmp_path)
        # Few are kept for as long as they are few.
        assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "3"]
        revision.sweep(tmp_path / "absent")
