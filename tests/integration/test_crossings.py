"""A database on its way over a hop, held against plain manage.py commands in both environments."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djhop_cli
import filelock
import oracle
import pytest
from djhop_cli import Done

TARGET = Path(oracle.__file__).parent / "targets" / "rolling-deploy"
BEFORE, AFTER = "py3.12-django4.2", "py3.12-django5.2"

pytestmark = pytest.mark.needs_python("3.12")
Crossed = Callable[..., Done]


@pytest.fixture(scope="session")
def crossed(shared: Path) -> Crossed:
    """Run djhop on the target with some of its apps: once, whichever worker asks first."""

    def go(apps: str, *, only: tuple[str, ...] = ("database",), data: str = "") -> Done:
        name = re.sub(r"\W+", "_", "-".join((apps, *only, data)))
        room = shared / "crossings" / name
        room.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(room / "lock"):
            if not (room / "code").exists():
                shutil.copytree(TARGET, room / "target")
                given: dict[str, Any] = {"steps": ["4.2", "5.2"], "python": "3.12"}
                given |= {"only": list(only), "set-env": {"APPS": apps}}
                options = rows(room, data)
                matrix = djhop_cli.matrix_file(room / "matrix.toml", given)
                cache, out = shared / "djhop", room / "reports"
                done = djhop_cli.run(room / "target", matrix, cache=cache, out=out, options=options)
                (room / "code").write_text(json.dumps([done.returncode, done.said]))
        code, said = json.loads((room / "code").read_text())
        return djhop_cli.load(room / "reports" / "latest", returncode=code, said=said)

    return go


def rows(room: Path, kind: str) -> tuple[str, ...]:
    """Write a file with three orders, two of which have the same number; return the options."""
    path = room / f"rows.{kind}"
    numbers = ("a", "b", "a")
    match kind:
        case "json":
            entries = [{"model": "merges.order", "fields": {"number": n}} for n in numbers]
            path.write_text(json.dumps(entries))
        case "prices":
            path = path.with_suffix(".json")
            path.write_text(
                json.dumps(
                    [
                        {
                            "model": "forbids.order",
                            "fields": {"number": f"é{price}", "price": price},
                        }
                        for price in (10, 20, 30)
                    ]
                )
            )
        case "sql":
            # As `sqlite3 FILE .dump` writes it, from before the project's migrations were recorded.
            values = ", ".join(f"({i}, '{n}')" for i, n in enumerate(numbers, 1))
            path.write_text(
                "BEGIN TRANSACTION;\n"
                'CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,'
                ' "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL,'
                ' "applied" datetime NOT NULL);\n'
                "INSERT INTO django_migrations VALUES (1, 'merges', '0001_initial', '2024-01-01');"
                'CREATE TABLE "merges_order" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,'
                ' "number" varchar(20) NOT NULL);\n'
                f"INSERT INTO merges_order VALUES {values};\nCOMMIT;\n"
            )
        case "bad":
            path = path.with_suffix(".json")
            path.write_text('[{"model": "merges.gone", "fields": {}}]')
        case _:
            return ()
    return ("--data", str(path))


def crossing(done: Done) -> dict[str, Any]:
    return dict(done.hop(BEFORE, AFTER)["crossing"])


def findings(done: Done, step: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in crossing(done)["steps"][step]["findings"]:
        found.setdefault(one["id"], []).append(one["about"])
    return found


def manage(
    python: Path, database: Path, *words: str, apps: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), "manage.py", *words],
        cwd=TARGET,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "APPS": apps,
            "REAL_DATABASE": str(database),
        },
        capture_output=True,
        text=True,
        check=False,
    )


ALL = "adds,drops,grows,renames,sheds"
TRIES = {
    "read": "list({model}.objects.all()[:20])",
    "values": "list({model}.objects.values()[:20])",
    "create": "{model}.objects.create(number='x')",
}


def shared_by_hand(python: Path, database: Path, model: str, tried: str) -> str:
    """Say how one use of a model ends in plain code: "" or its last line."""
    app, _, name = model.partition(".")
    code = f"from {app}.models import {name}\n" + TRIES[tried].format(model=name)
    done = manage(python, database, "shell", "-c", code, apps=ALL)
    return done.stderr.strip().splitlines()[-1].rpartition(".")[2] if done.returncode else ""


def test_the_upgrade_is_that_of_migrate(crossed: Crossed, tmp_path: Path) -> None:
    done = crossed(ALL, only=("tests", "database"))
    kept = done.folder / "cells" / BEFORE / "databases" / "default.sqlite3"
    real = tmp_path / "real.sqlite3"
    shutil.copy(kept, real)
    said = manage(done.python(AFTER), real, "migrate", apps=ALL)
    applied = re.findall(r"Applying (\w+)\.(\w+)\.\.\. OK", said.stdout)
    upgrade = crossing(done)["steps"]["upgrade"]
    assert [(app, name) for app, name, _ in upgrade["databases"][0]["applied"]] == applied
    assert [app for app, _ in applied] == ALL.split(",")
    again = manage(done.python(AFTER), real, "migrate", apps=ALL)
    assert "No migrations to apply" in again.stdout
    assert upgrade["status"] == "ok"
    changed = {
        *("adds_order.note", "grows_order.note", "drops_order.legacy", "sheds_order.legacy"),
        *("renames_order", "renames_purchase"),
    }
    assert set(findings(done, "upgrade")["upgrade.changed"]) == changed
    # The cell's own database is not touched.
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT legacy FROM drops_order").fetchall() == []
    connection.close()


def test_who_can_use_which_schema_is_what_plain_code_finds(
    crossed: Crossed, tmp_path: Path
) -> None:
    done = crossed(ALL, only=("tests", "database"))
    old, new = tmp_path / "old.sqlite3", tmp_path / "new.sqlite3"
    for path in (old, new):
        shutil.copy(done.folder / "cells" / BEFORE / "databases" / "default.sqlite3", path)
    assert manage(done.python(AFTER), new, "migrate", apps=ALL).returncode == 0
    for step, cell, database in (("old-code", BEFORE, new), ("new-code", AFTER, old)):
        told = findings(done, step)
        texts = " ".join(one["text"] for one in crossing(done)["steps"][step]["findings"])
        python = done.python(cell)
        for model in (f"{app}.Order" for app in ALL.split(",")):
            for tried, kind in (("read", "read"), ("values", "read"), ("create", "write")):
                plain = shared_by_hand(python, database, model, tried)
                assert (model in told[f"model.{kind}"]) == bool(plain), (step, model, tried, plain)
                assert plain in texts
    assert findings(done, "old-code")["model.write"] == [
        *("adds.Order", "drops.Order", "renames.Order", "sheds.Order"),
    ]
    assert findings(done, "old-code")["model.read"] == [
        *("drops.Order", "renames.Order", "sheds.Order")
    ]
    (added,) = (
        one
        for one in crossing(done)["steps"]["old-code"]["findings"]
        if one["about"] == "adds.Order"
    )
    assert added["hint"].startswith("the upgrade: adds_order.note: a new column, NOT NULL")


@pytest.mark.parametrize(
    ("apps", "old", "new", "order"),
    [
        ("grows", "ok", "found", "migrate first"),
        ("sheds", "found", "ok", "the new code first"),
        ("adds", "found", "found", "neither order"),
    ],
)
def test_the_order_of_a_deploy(crossed: Crossed, apps: str, old: str, new: str, order: str) -> None:
    done = crossed(apps)
    found = crossing(done)
    assert (found["steps"]["old-code"]["status"], found["steps"]["new-code"]["status"]) == (
        old,
        new,
    )
    assert found["order"].startswith(order)
    # It is about how to deploy, and nothing that the hop breaks.
    assert done.returncode == 0
    assert f"order of a deploy: {order}" in report(done)


def report(done: Done) -> str:
    said = subprocess.run(
        [sys.executable, "-m", "djhop", "report", str(done.folder)],
        env={**os.environ, "PYTHONPATH": str(djhop_cli.SRC), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return " ".join(said.stdout.split())


def test_an_upgrade_that_fails(crossed: Crossed) -> None:
    done = crossed("fails")
    upgrade = crossing(done)["steps"]["upgrade"]
    (failed,) = (one for one in upgrade["findings"] if one["id"] == "upgrade.failed")
    assert (failed["about"], failed["text"].partition(":")[0]) == (
        "fails.0002_next",
        "AlterField order.number",
    )
    assert "UNIQUE constraint failed" in failed["text"]
    assert failed["place"] == "fails/newer/0002_next.py"
    assert upgrade["status"] == "failed"
    assert done.returncode == 1
    assert "old-code" not in crossing(done)["steps"]
    # From nothing there is no row that it could trip over.
    assert done.cells[AFTER]["steps"]["database"]["status"] == "ok"


@pytest.mark.parametrize("kind", ["json", "sql"])
def test_rows_of_ones_own_that_are_lost(crossed: Crossed, kind: str) -> None:
    done = crossed("merges", data=kind)
    found = crossing(done)
    assert found["steps"]["origin"]["status"] == "ok"
    upgrade = found["steps"]["upgrade"]
    assert upgrade["databases"][0]["rows"]["merges_order"] == 3
    (lost,) = (one for one in upgrade["findings"] if one["id"] == "upgrade.rows")
    assert (lost["about"], lost["text"]) == (
        "merges.0002_next",
        "rows are lost: merges_order: of 3 rows 2 are left",
    )
    assert "merges_order.number" in findings(done, "upgrade")["upgrade.values"]
    assert "1 migration in" in report(done)
    assert "1 problem" in report(done)


def test_what_is_forbidden_from_now_on(crossed: Crossed, tmp_path: Path) -> None:
    done = crossed("forbids", only=("tests", "database"), data="prices")
    found = crossing(done)["steps"]
    # The models' CHECK refuses a row of the least numbers; another one is found.
    assert (found["old-code"]["status"], found["new-code"]["status"]) == ("ok", "ok")
    assert "model.untested" not in findings(done, "old-code")
    assert findings(done, "upgrade")["upgrade.changed"] == ["forbids_order UNIQUE (number)"]
    assert crossing(done)["order"].endswith("must obey forbids_order UNIQUE (number)")
    # No migration did it, and `migrate` did.
    (lost,) = (one for one in found["upgrade"]["findings"] if one["id"] == "upgrade.rows")
    assert lost["about"] == "handlers of pre_migrate or post_migrate"
    assert lost["text"] == "rows are lost: forbids_order: of 3 rows 2 are left"
    real = tmp_path / "real.sqlite3"
    shutil.copy(done.folder / "cells" / BEFORE / "databases" / "default.sqlite3", real)
    twice = (
        "from forbids.models import Order\nfor n in '12': Order.objects.create(number='a', price=9)"
    )
    before, after = done.python(BEFORE), done.python(AFTER)
    assert manage(before, real, "shell", "-c", twice, apps="forbids").returncode == 0
    with sqlite3.connect(real) as connection:
        connection.execute("DELETE FROM forbids_order WHERE id = 1")
    connection.close()
    assert manage(after, real, "migrate", apps="forbids").returncode == 0
    with sqlite3.connect(real) as connection:
        assert connection.execute("SELECT count(*) FROM forbids_order").fetchall() == [(0,)]
    connection.close()
    said = manage(before, real, "shell", "-c", twice, apps="forbids").stderr
    assert "UNIQUE constraint failed: forbids_order.number" in said


def test_without_rows_nothing_is_lost(crossed: Crossed) -> None:
    found = crossing(crossed("merges"))
    assert found["steps"]["upgrade"]["status"] == "ok"
    assert "origin" not in found["steps"]


def test_a_fixture_that_does_not_load(crossed: Crossed) -> None:
    done = crossed("merges", data="bad")
    found = crossing(done)
    assert list(found["steps"]) == ["origin"]
    assert found["steps"]["origin"]["status"] == "failed"
    assert "Invalid model identifier: 'merges.gone'" in found["steps"]["origin"]["reason"]
    assert "the database before: failed" in report(done)
    assert all(cell["steps"]["database"]["status"] == "ok" for cell in done.cells.values())


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *words], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout


def released_twice(root: Path) -> None:
    """Lay a repository whose second commit adds a column, in a subfolder as many have it."""
    project = root / "backend"
    shutil.copytree(TARGET, project)
    settings = (project / "settings.py").read_text()
    (project / "settings.py").write_text(settings.partition("# What a package")[0])
    models = (project / "adds" / "models.py").read_text().replace("import django\n", "")
    first, _, _ = models.partition("    if ")
    (project / "adds" / "models.py").write_text(first)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "deployed")
    note = '    note = models.CharField(max_length=20, default="")\n'
    (project / "adds" / "models.py").write_text(first + note)
    shutil.copy(project / "adds/newer/0002_next.py", project / "adds/migrations/0002_next.py")
    git(root, "add", ".")
    git(root, "commit", "-qm", "next")


def test_the_release_that_is_deployed(shared: Path, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    released_twice(root)
    index = (root / ".git" / "index").stat().st_mtime_ns
    given = {"steps": ["4.2", "5.2"], "python": "3.12", "only": ["database"]}
    matrix = djhop_cli.matrix_file(tmp_path / "matrix.toml", given)
    cache, out = shared / "djhop", tmp_path / "reports"
    options = ("--before-rev", "HEAD~1")
    done = djhop_cli.run(root / "backend", matrix, cache=cache, out=out, options=options)
    assert (root / ".git" / "index").stat().st_mtime_ns == index
    found = crossing(done)
    assert found["revision"] == f"HEAD~1 ({git(root, 'rev-parse', 'HEAD~1')[:12]})"
    applied = found["steps"]["upgrade"]["databases"][0]["applied"]
    assert [row[:2] for row in applied] == [["adds", "0002_next"]]
    assert findings(done, "old-code") == {"model.write": ["adds.Order"]}
    assert findings(done, "new-code")["model.read"] == ["adds.Order"]
    assert "the old code and its schema are those of HEAD~1" in report(done)
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "worktree", "list").count("\n") == 1


def test_a_revision_that_is_not_there(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    released_twice(root)
    said = subprocess.run(
        [
            *(sys.executable, "-m", "djhop", "run", str(root / "backend")),
            *("--from", "4.2", "--to", "5.2", "--before-rev", "v9"),
        ],
        env={**os.environ, "PYTHONPATH": str(djhop_cli.SRC), "DJHOP_CACHE": str(tmp_path / "c")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert "--before-rev: git knows no commit 'v9'" in said.stderr
    assert not (tmp_path / "reports").exists()
