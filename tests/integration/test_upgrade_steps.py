"""Django's own upgrade steps, held against what the plain manage.py commands say there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djhop_cli
import filelock
import oracle
import pytest
from djhop_cli import Done

TARGETS = Path(oracle.__file__).parent / "targets"
SERIES = ("4.2", "5.2", "6.0")
ALL = ["tests", "checks", "migrations", "database", "settings"]
#: What each line of `check` says: whom it is about, and its id.
MESSAGE = re.compile(r"^(\S+): \(([\w.]+)\) ", re.MULTILINE)

pytestmark = pytest.mark.needs_python("3.12")
Ran = Callable[..., Done]


@pytest.fixture(scope="session")
def ran(shared: Path) -> Ran:
    """Run djhop on a target: once for the same settings, whichever worker asks first."""

    def go(target: str, *, series: tuple[str, ...] = ("4.2", "5.2"), **settings: Any) -> Done:
        name = "-".join([target, *series, *(str(v) for v in settings.get("set-env", {}).values())])
        room = shared / "steps" / re.sub(r"\W+", "_", name)
        room.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(room / "lock"):
            if not (room / "code").exists():
                copied = room / target
                shutil.copytree(TARGETS / target, copied)
                given = {"steps": list(series), "python": "3.12", "only": ALL, **settings}
                matrix = djhop_cli.matrix_file(room / "matrix.toml", given)
                done = djhop_cli.run(copied, matrix, cache=shared / "djhop", out=room / "reports")
                (room / "code").write_text(json.dumps([done.returncode, done.said]))
        code, said = json.loads((room / "code").read_text())
        return djhop_cli.load(room / "reports" / "latest", returncode=code, said=said)

    return go


@pytest.fixture
def plain(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of manage.py as one would, in a cell's environment and a copy of the target."""

    def go(
        done: Done, cell: str, *words: str, target: str = "upgrade-shop", **env: str
    ) -> subprocess.CompletedProcess[str]:
        root = tmp_path / target
        if not root.exists():
            shutil.copytree(TARGETS / target, root)
        return subprocess.run(
            [str(done.python(cell)), "manage.py", *words],
            cwd=root,
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", **env},
            capture_output=True,
            text=True,
            check=False,
        )

    return go


Plain = Callable[..., "subprocess.CompletedProcess[str]"]


def cell_of(series: str) -> str:
    return f"py3.12-django{series}"


def step(done: Done, series: str, name: str) -> dict[str, Any]:
    return dict(done.cells[cell_of(series)]["steps"][name])


def found(done: Done, series: str, name: str) -> dict[str, list[str]]:
    """Findings of a step that are not silenced: id → what they are about."""
    ids: dict[str, list[str]] = {}
    for one in step(done, series, name)["findings"]:
        if not one["silenced"]:
            ids.setdefault(one["id"], []).append(one["about"])
    return ids


def new(done: Done, before: str, after: str) -> dict[tuple[str, str], list[str]]:
    changes = done.hop(cell_of(before), cell_of(after))["steps"]["new"]
    return {(one["step"], one["id"]): one["about"] for one in changes}


@pytest.mark.parametrize("series", SERIES)
def test_checks_are_those_of_check(ran: Ran, plain: Plain, series: str) -> None:
    done = ran("upgrade-shop", series=SERIES)
    findings = step(done, series, "checks")["findings"]
    for deploy, words in ((False, ["check"]), (True, ["check", "--deploy"])):
        said = plain(done, cell_of(series), *words)
        ours = {
            (one["about"] or "?", one["id"])
            for one in findings
            if not one["silenced"] and (deploy or not one["deploy"])
        }
        assert ours == set(MESSAGE.findall(said.stderr)), words
        silenced = sum(one["silenced"] for one in findings)
        assert f"({silenced} silenced)" in said.stdout + said.stderr
    assert [one["id"] for one in findings if one["silenced"]] == ["fields.W340"]


@pytest.mark.parametrize("series", SERIES)
def test_pending_changes_are_those_of_makemigrations(ran: Ran, plain: Plain, series: str) -> None:
    done = ran("upgrade-shop", series=SERIES)
    said = plain(done, cell_of(series), "makemigrations", "--check", "--dry-run", "-v", "1")
    pending = [
        one
        for one in step(done, series, "migrations")["findings"]
        if one["id"].startswith("pending.")
    ]
    assert bool(pending) == (said.returncode == 1), said.stdout + said.stderr
    words = [one["text"].partition(" (")[0].lower() for one in pending]
    printed = re.findall(r"^\s+[-~+] (.*)$", said.stdout, re.MULTILINE)
    assert words == [line.strip().lower() for line in printed]
    assert [one["about"] for one in pending] == (
        ["shop.customer.id", "shop.order.id"] if series == "6.0" else []
    )


@pytest.mark.parametrize("series", SERIES)
def test_the_database_is_what_migrate_makes(
    ran: Ran, plain: Plain, series: str, tmp_path: Path
) -> None:
    done = ran("upgrade-shop", series=SERIES)
    real = tmp_path / "real.sqlite3"
    said = plain(done, cell_of(series), "migrate", "--no-input", REAL_DATABASE=str(real))
    applied = re.findall(r"Applying (\w+)\.(\w+)\.\.\. OK", said.stdout)
    again = plain(done, cell_of(series), "migrate", "--no-input", REAL_DATABASE=str(real))
    assert "No migrations to apply" in again.stdout
    (ours,) = step(done, series, "database")["databases"]
    assert [(app, name) for app, name, _ in ours["applied"]] == applied
    assert step(done, series, "database")["status"] == "ok"
    with sqlite3.connect(real) as connection:
        names = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        plainly = {
            table: sorted(
                (row[1], row[2], not row[3], row[4])
                for row in connection.execute(f"PRAGMA table_info({table})")
            )
            for (table,) in connection.execute(names)
        }
    connection.close()
    described = {
        table: [(c["name"], c["type"], c["null"], c["default"]) for c in columns]
        for table, columns in ours["tables"].items()
    }
    assert described == plainly
    kept = done.folder / "cells" / cell_of(series) / "databases" / ours["kept"]
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT name FROM shop_customer").fetchall() == [("First",)]
    connection.close()


def test_what_the_hops_bring(ran: Ran) -> None:
    done = ran("upgrade-shop", series=SERIES)
    assert new(done, "4.2", "5.2") == {
        ("settings", "removed-setting"): ["USE_L10N"],
        ("settings", "removed-path"): ["PASSWORD_HASHERS[1]"],
        ("settings", "changed-default"): ["USE_TZ"],
    }
    assert new(done, "5.2", "6.0") == {
        ("migrations", "pending.AlterField"): ["shop.customer.id", "shop.order.id"],
        ("settings", "changed-default"): ["DEFAULT_AUTO_FIELD"],
    }
    (gone,) = done.hop(cell_of("5.2"), cell_of("6.0"))["steps"]["gone"]
    assert (gone["id"], gone["about"]) == ("models.W042", ["shop.Customer", "shop.Order"])
    assert done.returncode == 0
    assert [hop["verdict"] for hop in done.run["hops"]] == ["clean", "clean"]


@pytest.mark.slow
def test_settings_that_do_nothing(ran: Ran) -> None:
    done = ran("upgrade-shop", series=SERIES)
    ids = found(done, "5.2", "settings")
    assert ids["unknown-setting"] == ["CSRF_COOKIES_SECURE", "SECURE_DEFAULTS"]
    assert ids["unknown-key"] == ["DATABASES['default'].POOL"]
    assert {*ids} == {
        *("unknown-setting", "unknown-key", "removed-setting", "removed-path", "changed-default")
    }
    places = {one["about"]: one["place"] for one in step(done, "5.2", "settings")["findings"]}
    assert places["SECURE_DEFAULTS"].startswith("settings.py:")
    facts = found(done, "5.2", "migrations")
    assert facts["irreversible"] == ["shop.0002_first_customer"]
    assert facts["atomic-data"] == ["shop.0002_first_customer"]


def test_a_real_database_is_not_touched(shared: Path, tmp_path: Path) -> None:
    """The settings name a file that is there, and the project connects to it by itself."""
    target, real = tmp_path / "shop", tmp_path / "real.sqlite3"
    shutil.copytree(TARGETS / "upgrade-shop", target)
    (target / "shop" / "apps.py").write_text(
        "from django.apps import AppConfig\n"
        "from django.db import connection, connections\n\n\n"
        "class ShopConfig(AppConfig):\n"
        '    name = "shop"\n\n'
        "    def ready(self):\n"
        "        import os\n"
        '        if "DJHOP_STEPS" in os.environ:\n'
        '            connection.settings_dict["NAME"] = os.environ["REAL_DATABASE"]\n'
        "            connection.ensure_connection()\n"
    )
    with sqlite3.connect(real) as connection:
        connection.execute("CREATE TABLE precious (id integer)")
    connection.close()
    before = (real.stat().st_mtime_ns, real.read_bytes())
    matrix = djhop_cli.matrix_file(
        tmp_path / "matrix.toml",
        {"steps": ["5.2"], "python": "3.12", "only": ALL, "set-env": {"REAL_DATABASE": str(real)}},
    )
    done = djhop_cli.run(target, matrix, cache=shared / "djhop", out=tmp_path / "reports")
    assert (real.stat().st_mtime_ns, real.read_bytes()) == before
    for name in ("checks", "migrations", "database", "settings"):
        assert step(done, "5.2", name)["status"] == "failed", name
        assert (
            "a step connects to no database that it did not make"
            in (step(done, "5.2", name)["reason"])
        )
    assert done.cells[cell_of("5.2")]["status"] == "passed"


def test_a_real_database_is_not_attached(shared: Path, tmp_path: Path) -> None:
    target, real = tmp_path / "shop", tmp_path / "real.sqlite3"
    shutil.copytree(TARGETS / "upgrade-shop", target)
    with sqlite3.connect(real) as connection:
        connection.execute("CREATE TABLE precious (id integer)")
        connection.execute("INSERT INTO precious VALUES (1)")
    connection.close()
    last = sorted(path.stem for path in (target / "shop" / "migrations").glob("0*"))[-1]
    (target / "shop" / "migrations" / "0009_attaches.py").write_text(
        "from django.db import migrations\n\n\n"
        "class Migration(migrations.Migration):\n"
        "    atomic = False\n"
        f"    dependencies = [('shop', '{last}')]\n"
        f"    operations = [migrations.RunSQL(\"ATTACH DATABASE '{real}' AS legacy\"),\n"
        "                  migrations.RunSQL('DELETE FROM legacy.precious')]\n"
    )
    given = {"steps": ["5.2"], "python": "3.12", "only": ["database"]}
    matrix = djhop_cli.matrix_file(tmp_path / "matrix.toml", given)
    done = djhop_cli.run(target, matrix, cache=shared / "djhop", out=tmp_path / "reports")
    with sqlite3.connect(real) as connection:
        assert connection.execute("SELECT * FROM precious").fetchall() == [(1,)]
    connection.close()
    assert step(done, "5.2", "database")["reason"] == (
        f"OperationalError: djhop: a step attaches no database that it did not make itself: {real}"
    )


HISTORIC = {
    # App: (the migration that breaks, its operation, whether it breaks before it is applied).
    "zone": ("zone.0001_initial", "AddField note.made", True),
    "rendered": ("rendered.0002_x", "AddField cell.x", True),
    "data": ("data.0001_initial", "RunPython", False),
}


@pytest.mark.parametrize("app", HISTORIC)
def test_a_historic_migration_is_named(ran: Ran, plain: Plain, app: str) -> None:
    name, operation, early = HISTORIC[app]
    done = ran("historic-migrations", **{"set-env": {"APPS": app}})
    assert step(done, "4.2", "database")["status"] == "ok"
    assert "broken" not in found(done, "4.2", "migrations")
    assert step(done, "5.2", "database")["status"] == "failed"
    (failed,) = step(done, "5.2", "database")["findings"]
    assert (failed["id"], failed["about"]) == ("migrate.failed", name)
    assert failed["text"].startswith(f"{operation}: ")
    assert failed["place"].startswith(f"{app}/migrations/{name.partition('.')[2]}.py")
    assert found(done, "5.2", "migrations").get("broken", []) == [name] * early
    said = plain(
        done,
        cell_of("5.2"),
        "migrate",
        target="historic-migrations",
        APPS=app,
    )
    assert said.returncode == 1
    assert step(done, "5.2", "database")["reason"].partition(": ")[2] in said.stderr
    hop = done.hop(cell_of("4.2"), cell_of("5.2"))
    assert hop["verdict"] == "clean"
    assert [line.split(":")[0] for line in hop["steps"]["broke"]][-1].endswith("database")
    assert done.returncode == 1


@pytest.mark.parametrize("app", ["indexed", "nullable"])
def test_history_that_django_still_supports_is_not_accused(ran: Ran, app: str) -> None:
    done = ran("historic-migrations", **{"set-env": {"APPS": app}})
    for series in ("4.2", "5.2"):
        assert found(done, series, "migrations") == {}
        assert step(done, series, "database")["status"] == "ok"
    assert done.returncode == 0


def test_conflicting_leaves(ran: Ran, plain: Plain) -> None:
    done = ran("conflicting-leaves")
    for series in ("4.2", "5.2"):
        assert found(done, series, "migrations") == {"conflict": ["app"]}
        assert step(done, series, "migrations")["status"] == "found"
        assert "Conflicting migrations" in step(done, series, "database")["reason"]
    said = plain(done, cell_of("5.2"), "makemigrations", "--check", target="conflicting-leaves")
    assert "Conflicting migrations detected" in said.stderr
    assert done.hop(cell_of("4.2"), cell_of("5.2"))["steps"]["broke"] == []


def test_a_migration_that_never_ends(ran: Ran) -> None:
    done = ran("endless-migration", series=("5.2",), **{"step-timeout": 4})
    database = step(done, "5.2", "database")
    assert database["status"] == "timed-out"
    assert "app.0002_endless" in database["reason"]
    assert [row[:2] for row in database["databases"][0]["applied"]] == [["app", "0001_initial"]]
    assert database["seconds"] < 60
    assert step(done, "5.2", "settings")["status"] == "ok"
    assert done.cells[cell_of("5.2")]["status"] == "passed"


def test_a_missing_driver(ran: Ran, plain: Plain) -> None:
    done = ran("missing-driver", series=("5.2",))
    said = plain(done, cell_of("5.2"), "check", target="missing-driver")
    assert "Error loading psycopg2 or psycopg module" in said.stderr
    for name in ("checks", "database"):
        assert step(done, "5.2", name)["status"] == "not-available"
        assert "a database driver is missing" in step(done, "5.2", name)["reason"]
    assert "never-to-be-sent" not in json.dumps(done.cells)


def test_settings_that_fail(ran: Ran) -> None:
    done = ran("dead-settings")
    for name in ("checks", "migrations", "database", "settings"):
        assert step(done, "5.2", name)["status"] == "failed"
        assert step(done, "5.2", name)["error"]["place"].startswith("settings.py:")
        assert step(done, "5.2", name)["findings"] == []
        assert step(done, "4.2", name)["status"] in ("ok", "found")
    assert new(done, "4.2", "5.2") == {}


@pytest.mark.parametrize(
    ("python", "series"),
    [
        pytest.param("3.6", "1.11", marks=pytest.mark.needs_python("3.6")),
        pytest.param("3.8", "3.2", marks=[pytest.mark.needs_python("3.8"), pytest.mark.slow]),
        pytest.param("3.13", "6.1", marks=pytest.mark.needs_python("3.13")),
    ],
)
def test_the_oldest_and_the_newest(ran: Ran, plain: Plain, python: str, series: str) -> None:
    # sqlparse: Django 1.11 runs no SQL of a migration without it, and does not ask for it.
    settings = {"python": python, "packages": ["sqlparse"]}
    done = ran("upgrade-shop", series=(series,), **settings)
    cell = f"py{python}-django{series}"
    steps = done.cells[cell]["steps"]
    assert {name: step["status"] for name, step in steps.items()} == {
        "checks": "found",
        "migrations": "found" if series == "6.1" else "ok",
        "database": "ok",
        "settings": "found",
    }
    said = plain(done, cell, "check", "--deploy")
    told = {(f["about"] or "?", f["id"]) for f in steps["checks"]["findings"] if not f["silenced"]}
    assert told == set(MESSAGE.findall(said.stderr))
    said = plain(done, cell, "migrate", "--no-input", REAL_DATABASE="plain.sqlite3")
    applied = steps["database"]["databases"][0]["applied"]
    assert [(app, name) for app, name, _ in applied] == re.findall(
        r"Applying (\w+)\.(\w+)\.\.\. OK", said.stdout
    )


@pytest.mark.slow
@pytest.mark.needs_python("3.10")
def test_packages_of_real_projects(ran: Ran, plain: Plain) -> None:
    """django-guardian 2.2.0 and django-taggit 1.2.0, whose model has index_together."""
    series = ("3.2", "4.2", "5.2")
    done = ran("guarded-tags", series=series, python="3.10", policy="frozen")
    cells = [f"py3.10-django{one}" for one in series]
    for cell in cells:
        said = plain(done, cell, "check", target="guarded-tags")
        checks = done.cells[cell]["steps"]["checks"]
        told = {(f["about"], f["id"]) for f in checks["findings"] if not f["deploy"]}
        assert told == set(MESSAGE.findall(said.stderr))
        made = plain(done, cell, "migrate", target="guarded-tags", REAL_DATABASE=f"{cell}.sqlite3")
        database = done.cells[cell]["steps"]["database"]
        assert (database["status"] == "ok") == (made.returncode == 0)
        applied = [f"{app}.{name}" for d in database["databases"] for app, name, _ in d["applied"]]
        assert applied == re.findall(r"Applying (\S+?)\.\.\. OK", made.stdout)
        pending = plain(done, cell, "makemigrations", "--check", "--dry-run", target="guarded-tags")
        migrations = done.cells[cell]["steps"]["migrations"]
        assert (migrations["status"] == "ok") == (pending.returncode == 0), pending.stdout
    broke = done.hop(*cells[1:])["steps"]["broke"]
    assert broke == [
        "checks, migrations, database, settings: TypeError: 'class Meta' got invalid attribute(s): "
        "index_together"
    ]
    assert done.cells[cells[2]]["steps"]["checks"]["error"]["owner"]["name"] == "django-taggit"


def test_only_some(shared: Path, tmp_path: Path) -> None:
    target = tmp_path / "shop"
    shutil.copytree(TARGETS / "upgrade-shop", target)
    matrix = djhop_cli.matrix_file(
        tmp_path / "matrix.toml", {"steps": ["5.2", "6.0"], "python": "3.12"}
    )
    done = djhop_cli.run(
        target,
        matrix,
        cache=shared / "djhop",
        out=tmp_path / "reports",
        options=["--only", "migrations"],
    )
    for cell in done.cells.values():
        assert (cell["status"], [*cell["steps"]]) == ("not-run", ["migrations"])
        assert "as asked" in cell["reason"]
        assert cell["tests"] == []
    assert [hop["verdict"] for hop in done.run["hops"]] == ["unknown"]
    assert new(done, "5.2", "6.0") == {
        ("migrations", "pending.AlterField"): ["shop.customer.id", "shop.order.id"]
    }
    assert done.returncode == 0
    done = djhop_cli.run(
        target,
        matrix,
        cache=shared / "djhop",
        out=tmp_path / "reports",
        options=["--only", "tests"],
    )
    assert {(c["status"], len(c["steps"])) for c in done.cells.values()} == {("passed", 0)}
