"""Django's own upgrade steps: their commands, what is read of them, settings, and hops."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from djhop.compare.compare import compare, exit_code
from djhop.compare.steps import changes
from djhop.errors import ExitCode, UsageError
from djhop.matrix import config
from djhop.matrix.plan import Cell, Hop, Plan
from djhop.processes.process import Completed
from djhop.reports import markdown, text
from djhop.results.outcomes import Failures
from djhop.results.paths import Paths
from djhop.results.results import CellResult
from djhop.results.steps import Database, Finding, Step
from djhop.steps import commands, knowledge, readers, reading, settings_data
from djhop.steps.commands import Entrance, Files, Served
from djhop.steps.wrote import Settings
from djhop.store import record
from djhop.store.record import Run
from djhop.suites.suites import Room, Stand
from djhop.target.suites import Suite
from djhop.target.target import Target

HANDS_OVER = "from django.core.management import execute_from_command_line\n"


def finding(name: str, about: str = "", **more: object) -> Finding:
    return Finding(id=name, about=about, **more)  # type: ignore[arg-type]


def cell(series: str, **steps: Step) -> CellResult:
    return CellResult(
        id=f"py3.12-django{series}",
        django=series,
        python="3.12",
        status="passed",
        steps=steps,  # type: ignore[arg-type]
    )


class TestEntrance:
    def test_the_suites_own_manage_py_and_settings(self, tmp_path: Path) -> None:
        (tmp_path / "app").mkdir()
        (tmp_path / "app" / "manage.py").write_text(HANDS_OVER)
        suite = Suite(
            kind="django",
            argv=("manage.py", "test", "--settings=app.test"),
            settings="app.other",
            working_directory="app",
        )
        assert commands.entrance(suite, tmp_path) == Entrance(
            manage="manage.py", folder="app", settings="app.test"
        )

    def test_a_manage_py_at_the_root_and_pytests_settings(self, tmp_path: Path) -> None:
        (tmp_path / "manage.py").write_text(HANDS_OVER)
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = conf\n")
        suite = Suite(kind="pytest", argv=(), working_directory="tests")
        assert commands.entrance(suite, tmp_path) == Entrance(
            manage="manage.py", folder=".", settings="conf"
        )

    def test_a_script_that_hands_over_to_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "manage.py").write_text("import flask_script\n")
        suite = Suite(kind="pytest", argv=())
        assert commands.entrance(suite, tmp_path) == Entrance()


def test_the_command_of_a_step(tmp_path: Path) -> None:
    room = Room(
        cell="py3.12-django5.2",
        python="3.12",
        workspace="/w/tree",
        home="/w/home",
        tmp="/w/tmp",
        environment="/env",
        probe="/probe",
    )
    env = {"PYTHONPATH": "/probe", "DATABASE_URL": "postgres://u:secret-word@h/x"}
    stand = Stand(room=room, django="5.2", interpreter="/env/bin/python", env=env)
    files = Files.in_folder(tmp_path, "database")
    command, told = commands.command(
        "database",
        Entrance(manage="manage.py", folder="app", settings="conf"),
        stand,
        files=files,
        timeout=7.0,
        served=Served(ports=("5433",), folders=("/s",)),
    )
    assert command.argv == ("/env/bin/python", "-m", "djhop_steps")
    assert (command.cwd, command.timeout) == ("/w/tree/app", 7.0)
    assert command.log == str(tmp_path / "log-database.txt")
    added = {"DJANGO_SETTINGS_MODULE": "conf", "DJHOP_STEPS": files.config}
    assert command.env == env | added
    assert (told.service_ports, told.service_folders) == (("5433",), ("/s",))
    assert told.database.startswith("djhop_py312_django52_")
    assert "secret-word" not in repr(told)
    again = commands.command("database", Entrance(), stand, files=files, timeout=7.0)[1]
    assert again.database != told.database, "two runs on one server"


class TestReading:
    def read(self, tmp_path: Path, text: str | None, step: str = "checks", **done: object) -> Step:
        path = tmp_path / "step.json"
        if text is not None:
            path.write_text(text)
        ended = Completed(argv=(), **{"returncode": 0, "seconds": 1.0, **done})  # type: ignore[arg-type]
        sources = reading.Sources(django="5.2", tree=tmp_path, site_packages=tmp_path)
        failures = Failures(Paths(root=tmp_path, site_packages=()))
        return reading.read(step, path, ended, failures, sources)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "text",
        [
            None,
            "",
            "[]",
            '{"status": "wonderful"}',
            '{"status": "ok", "messages": [{"id": 3}]}',
            '{"status": "ok", "databases": [{"alias": "x", "tables": {"t": 3}}]}',
            "\udcff",
        ],
    )
    def test_what_cannot_be_read_is_a_failure(self, tmp_path: Path, text: str | None) -> None:
        if text == "\udcff":
            (tmp_path / "step.json").write_bytes(b'{"status": "\xff"}')
            text = None
        step = self.read(tmp_path, text, returncode=1)
        assert step.status == "failed"
        assert "the process ended with 1" in step.reason
        assert step.findings == ()

    def test_too_long(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "LIMIT", 5)
        assert "too long" in self.read(tmp_path, '{"status": "ok"}').reason

    def test_a_timeout_names_what_was_running(self, tmp_path: Path) -> None:
        (tmp_path / "step.json.running").write_text('{"running": "shop.0007_slow"}')
        made = '{"status": "failed", "databases": [{"alias": "default"}]}'
        step = self.read(tmp_path, made, "database", timed_out=True)
        assert (step.status, [one.alias for one in step.databases]) == ("timed-out", ["default"])
        assert "shop.0007_slow" in step.reason

    def test_messages(self, tmp_path: Path) -> None:
        def message(level: int, **more: object) -> dict[str, object]:
            return {"id": f"m.{level}", "level": level, "object": "a.B", "message": "x", **more}

        wrote = {"status": "ok", "messages": [message(20), message(30, silenced=True)]}
        step = self.read(tmp_path, json.dumps(wrote))
        assert (step.status, [one.level for one in step.findings]) == ("ok", ["info", "warning"])
        wrote["messages"] = [message(40)]
        step = self.read(tmp_path, json.dumps(wrote))
        assert (step.status, step.counted[0].level) == ("found", "error")

    def test_settings_that_failed_are_not_judged(self, tmp_path: Path) -> None:
        wrote = '{"status": "failed", "settings": {"names": ["USE_L10N"]}}'
        assert self.read(tmp_path, wrote, "settings").findings == ()


class TestSettings:
    def judged(
        self, series: str, tmp_path: Path, code: str = "", **found: object
    ) -> dict[str, list[str]]:
        (tmp_path / "code.py").write_text(code)
        settings = Settings(**found)  # type: ignore[arg-type]
        ids: dict[str, list[str]] = {}
        for one in knowledge.judge(settings, series, tmp_path, tmp_path / "none"):
            if one.id != "changed-default":
                ids.setdefault(one.id, []).append(one.about)
        return ids

    @pytest.mark.parametrize(
        ("series", "said"),
        [("3.2", None), ("4.0", "deprecated-setting"), ("4.2", "deprecated-setting"),
         ("5.0", "removed-setting"), ("6.1", "removed-setting")],
    )  # fmt: skip
    def test_from_deprecated_to_removed(
        self, series: str, said: str | None, tmp_path: Path
    ) -> None:
        found = self.judged(series, tmp_path, names=("USE_L10N",))
        assert found == ({said: ["USE_L10N"]} if said else {})

    def test_a_name_is_accused_where_nothing_reads_it(self, tmp_path: Path) -> None:
        names = ("SECURE_DEFAULTS", "ALOWED_HOSTS", "REST_FRAMEWORK", "MY_OWN", "DEBUG")
        found = self.judged("5.2", tmp_path, "SECURE_DEFAULTS = 1\n# ALOWED_HOSTS\n", names=names)
        assert found == {"unknown-setting": ["SECURE_DEFAULTS", "ALOWED_HOSTS"]}

    @pytest.mark.parametrize(
        "code",
        [
            "x = settings.EMAIL_REPLY_TO",
            'getattr(settings, "EMAIL_REPLY_TO", None)',
            "EMAIL_REPLY_TO = EMAIL_REPLY_TO or 3",
            "DEFAULT_FROM_EMAIL = EMAIL_REPLY_TO",
            'if EMAIL_REPLY_TO == "a": pass',
        ],
    )
    def test_a_name_that_code_reads_is_not(self, tmp_path: Path, code: str) -> None:
        assert self.judged("5.2", tmp_path, code, names=("EMAIL_REPLY_TO",)) == {}

    def test_keys_beside_engine(self, tmp_path: Path) -> None:
        def told(engine: str, code: str = "") -> dict[str, list[str]]:
            return self.judged(
                "5.2",
                tmp_path,
                code,
                keys={
                    "DATABASES['a']": ("ENGINE", "NAME", "POOL"),
                    "DATABASES['a']['TEST']": ("NAME", "NAMES"),
                },
                paths={"DATABASES['a']['ENGINE']": engine},
            )

        own = "django.db.backends.postgresql"
        both = ["DATABASES['a'].POOL", "DATABASES['a']['TEST'].NAMES"]
        assert told(own) == {"unknown-key": both}
        assert told(own, "POOL = 3\n'POOL': 4\n") == {"unknown-key": both}
        assert told(own, "x = entry['POOL']") == {"unknown-key": both[1:]}
        assert told("mssql") == {}

    def test_another_default(self, tmp_path: Path) -> None:
        def told(series: str, *names: str) -> list[str]:
            found = knowledge.judge(Settings(names=names), series, tmp_path, tmp_path)
            return [one.about for one in found if one.id == "changed-default"]

        assert "USE_TZ" in told("5.0")
        assert "USE_TZ" not in told("4.2")
        assert "USE_TZ" not in told("5.0", "USE_TZ")
        assert "USE_L10N" in told("4.2")
        assert "USE_L10N" not in told("5.0"), "it is gone"

    def test_the_data_is_sound(self) -> None:
        table = settings_data.load()
        assert not set(table.names) & set(table.elsewhere)
        assert {row.setting for row in table.changed} <= set(table.names)
        assert settings_data.notes("5.0").endswith("/en/5.0/releases/5.0/")

    def test_files_that_are_no_code_are_not_read(self, tmp_path: Path) -> None:
        for name in ("django/a.py", "node_modules/a.py", "a.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("settings.SECURE_X")
        assert readers.read_names(["SECURE_X"], tmp_path) == frozenset()
        (tmp_path / "b.py").write_text("settings.SECURE_X")
        assert readers.read_names(["SECURE_X", "Y"], tmp_path) == {"SECURE_X"}


class TestHops:
    W042 = tuple(finding("models.W042", f"shop.{name}", text="no") for name in "AB")

    def test_new_and_gone_by_id(self) -> None:
        before = Step(status="found", findings=(finding("old.W1", "x"),))
        after = Step(status="found", findings=self.W042)
        found = changes(cell("3.1", checks=before), cell("3.2", checks=after))
        assert [(one.id, one.about) for one in found.new] == [("models.W042", ("shop.A", "shop.B"))]
        assert [(one.id, one.about) for one in found.gone] == [("old.W1", ("x",))]
        assert (found.broke, found.unknown) == ((), ())
        same = changes(cell("3.1", checks=after), cell("3.2", checks=after))
        assert (same.new, same.gone) == ((), ())

    def test_only_what_is_new_of_an_id(self) -> None:
        before = Step(status="found", findings=self.W042[:1])
        after = Step(status="found", findings=self.W042)
        (new,) = changes(cell("3.1", checks=before), cell("3.2", checks=after)).new
        assert new.about == ("shop.B",)

    def test_facts_and_silenced_messages_do_not_count(self) -> None:
        quiet = (finding("irreversible", "a.0001", level="info"), finding("m.W1", silenced=True))
        found = changes(
            cell("3.1", migrations=Step(status="ok")),
            cell("3.2", migrations=Step(status="ok", findings=quiet)),
        )
        assert found.new == ()

    def test_a_message_without_an_id_is_known_by_its_text(self) -> None:
        before = Step(status="found", findings=(finding("", "x", text="one"),))
        after = Step(status="found", findings=(finding("", "x", text="two"),))
        found = changes(cell("3.1", checks=before), cell("3.2", checks=after))
        assert ([one.text for one in found.new], [one.text for one in found.gone]) == (
            ["two"],
            ["one"],
        )

    def test_a_failure_hides_what_would_have_been_said(self) -> None:
        failed = Step(status="failed", reason="boom")
        worked = Step(status="found", findings=self.W042)
        broke = changes(cell("3.1", checks=worked), cell("3.2", checks=failed))
        assert (broke.broke, broke.gone) == (("checks: boom",), ())
        mended = changes(cell("3.1", checks=failed), cell("3.2", checks=worked))
        assert (mended.mended, mended.new, mended.broke) == (("checks",), (), ())
        still = changes(cell("3.1", checks=failed), cell("3.2", checks=failed))
        assert still.broke == ()

    def test_steps_that_fail_for_one_reason_are_told_together(self) -> None:
        fine, failed = Step(status="ok"), Step(status="failed", reason="boom")
        found = changes(
            cell("3.1", checks=fine, database=fine), cell("3.2", checks=failed, database=failed)
        )
        assert found.broke == ("checks, database: boom",)

    def test_a_new_error_breaks(self) -> None:
        error = finding("models.E015", "shop.A", level="error")
        found = changes(
            cell("3.1", checks=Step(status="ok")),
            cell("3.2", checks=Step(status="found", findings=(error,))),
        )
        assert found.broke == ("checks: models.E015",)

    def test_a_side_that_was_not_done_is_said(self) -> None:
        none = Step(status="not-available", reason="no driver")
        found = changes(cell("3.1", checks=Step(status="ok")), cell("3.2", checks=none))
        assert found.unknown == ("checks: not done after the hop: no driver",)
        assert changes(cell("3.1", checks=none), cell("3.2", checks=none)).unknown == ()
        assert changes(cell("3.1"), cell("3.2", checks=none)).unknown == ()

    def test_what_was_deprecated_and_is_removed_is_not_gone(self) -> None:
        before = Step(status="found", findings=(finding("deprecated-setting", "USE_L10N"),))
        after = Step(status="found", findings=(finding("removed-setting", "USE_L10N"),))
        found = changes(cell("4.2", settings=before), cell("5.0", settings=after))
        assert ([one.id for one in found.new], found.gone) == (["removed-setting"], ())

    def test_a_step_that_breaks_is_in_the_exit_code(self) -> None:
        cells = tuple(Cell(django=series, python="3.12") for series in ("4.2", "5.2"))
        hop = Hop(before=cells[0], after=cells[1], axis="django")
        plan = Plan(cells=cells, path=cells, hops=(hop,))

        def code(status: str) -> ExitCode:
            results = {
                c.id: cell(c.django, database=Step(status=status if c == cells[1] else "ok"))  # type: ignore[arg-type]
                for c in cells
            }
            return exit_code(compare(plan, results))

        assert code("ok") is not ExitCode.BREAKS
        assert code("failed") is ExitCode.BREAKS


class TestChoice:
    def test_all_by_default(self) -> None:
        matrix = config.parse({}, "x")
        assert all(map(matrix.does, ("tests", "checks", "settings")))

    def test_some(self) -> None:
        matrix = config.parse({"only": ["checks"]}, "x")
        assert (matrix.does("checks"), matrix.does("tests")) == (True, False)

    def test_a_slip_of_the_pen(self) -> None:
        with pytest.raises(UsageError, match="unknown value 'cheks'") as error:
            config.parse({"only": ["cheks"]}, "x")
        assert "tests, checks, migrations, database, settings" in error.value.hint

    def test_no_time(self) -> None:
        with pytest.raises(UsageError, match="step-timeout: must be more than 0"):
            config.parse({"step-timeout": 0}, "x")


class TestReports:
    def run(self, *results: CellResult, only: tuple[str, ...] = ()) -> Run:
        cells = tuple(Cell(django=one.django, python="3.12") for one in results)
        hop = Hop(before=cells[0], after=cells[1], axis="django")
        plan = Plan(cells=cells, path=cells, hops=(hop,))
        matrix = config.parse({"only": list(only)}, "x")
        target = Target(root="/shop", name="shop", sources=())
        begun = record.begin("a", target, matrix, plan, started=datetime.datetime.now(datetime.UTC))
        found = {one.id: one for one in results}
        return record.finish(begun, found, compare(plan, found))

    def test_a_line_for_each_cell_and_what_a_hop_brings(self) -> None:
        fact = finding("irreversible", "shop.0001", level="info", text="cannot be reversed")
        made = Database(alias="default", applied=(("a", "0001", 0.1),) * 3, seconds=1.25)
        run = self.run(
            cell("3.1", checks=Step(status="ok"), migrations=Step(status="ok", findings=(fact,))),
            cell(
                "3.2",
                checks=Step(status="found", findings=TestHops.W042),
                migrations=Step(status="ok", findings=(fact,)),
                database=Step(status="ok", databases=(made,)),
            ),
        )
        report = " ".join(text.render(run, width=120).split())
        assert "have something new to say on 3.1 → 3.2" in report
        assert "1 new in Django's own steps checks: models.W042 (2 places: shop.A and" in report
        assert "py3.12-django3.1 checks: no message; migrations: up to date" in report
        assert "checks: 2 warnings; migrations: up to date; database: 3 migrations in 1.2" in report
        assert "1 worth knowing shop.0001: cannot be reversed" in report
        page = markdown.render(run)
        assert "checks: 2 warnings<br>migrations: up to date<br>database: 3 migrations" in page
        assert "models.W042 (2 places" in page

    def test_what_breaks_is_in_the_answer(self) -> None:
        failed = Step(status="failed", reason="TypeError: | `boom`\x1b[31m")
        run = self.run(cell("3.1", checks=Step(status="ok")), cell("3.2", checks=failed))
        report = text.render(run)
        assert "Django's own upgrade steps break on 3.1 → 3.2." in report
        assert "\x1b" not in report
        rows = [line for line in markdown.render(run).splitlines() if "py3.12-django3.2" in line]
        assert any("failed (TypeError: \\|" in row for row in rows)

    def test_no_test_was_wanted(self) -> None:
        run = self.run(*(self.untested(series) for series in ("3.1", "3.2")), only=("checks",))
        report = text.render(run)
        assert "No test was run, as asked (only: checks)." in report
        assert "What djhop could not know" not in report

    def untested(self, series: str) -> CellResult:
        return CellResult(
            id=f"py3.12-django{series}", django=series, python="3.12", status="not-run"
        )
