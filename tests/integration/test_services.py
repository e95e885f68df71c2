"""Services of a matrix, with a real PostgreSQL: cells that share a server, and the end of it.

Skipped where PostgreSQL's programs are not on PATH nor where Debian puts them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import djhop_cli
import oracle
import pytest
from djhop_cli import Done
from waiting import eventually

TARGET = Path(oracle.__file__).parent / "targets" / "postgres"
CELLS = ("py3.12-django4.2", "py3.12-django5.2")


def _server() -> ModuleType:
    spec = importlib.util.spec_from_file_location("djhop_postgres", TARGET / "server.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _missing() -> str:
    absent = [name for name in ("postgres", "initdb", "pg_isready") if not _server().program(name)]
    if absent:
        return f"PostgreSQL is not installed: no {', '.join(absent)}"
    if os.getuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return "PostgreSQL refuses to be run by root, and there is no user postgres"
    return ""


pytestmark = [
    pytest.mark.needs_python("3.12"),
    pytest.mark.skipif(bool(_missing()), reason=_missing() or "PostgreSQL is here"),
]


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder with a copy of the target, one for runs and one for the service's own folders.

    It is not below pytest's: every pytest that starts makes that one private to its user, and the
    server may run as another.
    """
    with tempfile.TemporaryDirectory(prefix="djhop-services-") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(TARGET, Path(folder, "shop"))
        Path(folder, "tmp").mkdir()
        yield Path(folder)


def matrix(room: Path, **settings: Any) -> Path:
    return djhop_cli.matrix_file(room / "matrix.toml", settings)


@pytest.fixture
def run(room: Path, shared: Path) -> Callable[..., Done]:
    def go(*options: str, **settings: Any) -> Done:
        return djhop_cli.run(
            room / "shop",
            # Upgrade steps make databases, too: where they are meant, they are asked for.
            matrix(room, **{"only": ["tests"], **settings}),
            cache=shared / "djhop-services",
            out=room / "reports",
            env={"TMPDIR": str(room / "tmp")},
            options=options,
        )

    return go


def log(folder: Path) -> str:
    return (folder / "services" / "postgres.txt").read_text()


def created(folder: Path) -> list[str]:
    return re.findall(r'CREATE DATABASE "(\w+)"', log(folder))


def dropped(folder: Path) -> list[str]:
    return re.findall(r'DROP DATABASE (?:IF EXISTS )?"(\w+)"', log(folder))


def servers(room: Path) -> list[int]:
    """Processes whose command line names a folder of this test's services."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if line[0].endswith("postgres") and str(room / "tmp") in " ".join(line):
            found.append(int(path.parent.name))
    return found


def assert_all_gone(room: Path) -> None:
    assert servers(room) == []
    assert [path.name for path in (room / "tmp").iterdir() if "service" in path.name] == []


def test_two_cells_on_one_server_at_the_same_time(run: Callable[..., Done], room: Path) -> None:
    """Each waits, in a test, until the other one is in that test as well."""
    done = run(**{"set-env": {"MEETING": "2"}})
    assert {name: cell["status"] for name, cell in done.cells.items()} == dict.fromkeys(
        CELLS, "passed"
    )
    assert done.returncode == 0
    names = created(done.folder)
    assert len(names) == len(set(names)) == 2
    assert all(re.fullmatch(r"test_postgres_djhop_[0-9a-f]{8}", name) for name in names)
    assert sorted(dropped(done.folder)) == sorted(names)
    assert log(done.folder).count("ready to accept connections") == 1
    assert_all_gone(room)


def test_a_step_makes_a_database_of_its_own_and_drops_it(
    run: Callable[..., Done], room: Path
) -> None:
    done = run(only=["database", "checks"])
    names = created(done.folder)
    own = [name for name in names if re.fullmatch(r"djhop_py312_django\d\d_[0-9a-f]{8}_0", name)]
    assert len(own) == 2
    assert len(names) == 4  # and two that cross the hop
    assert sorted(dropped(done.folder)) == sorted(names)
    for cell in done.cells.values():
        assert cell["steps"]["database"]["status"] == "ok"
        (database,) = cell["steps"]["database"]["databases"]
        assert (database["vendor"], database["kept"]) == ("postgresql", "")
        assert [row[0] for row in database["applied"]] == ["contenttypes", "contenttypes"]
        columns = {c["name"]: c for c in database["tables"]["django_content_type"]}
        assert columns["model"]["type"] == "varchar(100)"
        assert columns["id"]["default"] is None  # an identity
    assert_all_gone(room)


def test_a_step_that_takes_too_long_drops_its_database(
    run: Callable[..., Done], room: Path
) -> None:
    migrations = room / "shop" / "shop" / "migrations"
    migrations.mkdir()
    (migrations / "__init__.py").touch()
    (migrations / "0001_initial.py").write_text(
        "import time\n"
        "from django.db import migrations\n\n\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.RunPython(lambda *_: time.sleep(1000))]\n"
    )
    done = run("--cells", CELLS[1], only=["database"], **{"step-timeout": 5})
    step = done.cells[CELLS[1]]["steps"]["database"]
    assert (step["status"], "shop.0001_initial" in step["reason"]) == ("timed-out", True)
    assert len(created(done.folder)) == 1
    assert dropped(done.folder) == created(done.folder)
    assert_all_gone(room)


def test_a_database_on_a_server_crosses_a_hop(run: Callable[..., Done], room: Path) -> None:
    """Its copy is migrated by the cell after, both versions use both, and both are dropped."""
    shop, source = room / "shop", TARGET.parent / "rolling-deploy"
    for app in ("adds", "drops", "forbids", "grows", "merges", "renames", "sheds"):
        shutil.copytree(source / app, shop / app)
        with (shop / "settings.py").open("a") as file:
            file.write(f'INSTALLED_APPS += ["{app}"]\n')
    with (shop / "settings.py").open("a") as file:
        file.write(
            "import django\n"
            "if django.VERSION >= (5,):\n"
            '    MIGRATION_MODULES = {app: app + ".newer" for app in INSTALLED_APPS[2:]}\n'
        )
    entries = [{"model": "merges.order", "fields": {"number": number}} for number in "aba"]
    (room / "rows.json").write_text(json.dumps(entries))
    done = run("--data", str(room / "rows.json"), only=["database"])
    crossing = done.hop(*CELLS)["crossing"]
    steps = crossing["steps"]
    assert {name: step["status"] for name, step in steps.items()} == {
        "origin": "ok",
        "upgrade": "found",  # rows are lost
        "old-code": "found",
        "new-code": "found",
    }
    about = {
        name: {(one["id"], one["about"]): one["text"] for one in step["findings"]}
        for name, step in steps.items()
    }
    lost = about["upgrade"]["upgrade.rows", "merges.0002_next"]
    assert lost == "rows are lost: merges_order: of 3 rows 2 are left"
    # A unique column has an index on the server, and is one constraint all the same.
    constraints = {name for _, name in about["upgrade"] if " " in name}
    assert constraints == {"forbids_order UNIQUE (number)"}
    assert set(about["old-code"]) == {
        ("model.untested", "shop.Order"),  # it has no migrations, and so no table
        *((f"model.{kind}", f"{app}.Order") for kind in ("read", "write") for app in DROPPING),
        ("model.write", "adds.Order"),
    }
    assert "NotNullViolation" not in about["old-code"]["model.write", "adds.Order"]
    assert 'null value in column "note"' in about["old-code"]["model.write", "adds.Order"]
    assert ("model.read", "sheds.Order") not in about["new-code"]
    names = created(done.folder)
    crossed = [name for name in names if re.fullmatch(r"djhop_[0-9a-f]{12}_(old|new)_0", name)]
    assert len(crossed) == 2
    assert sorted(dropped(done.folder)) == sorted(names)
    assert_all_gone(room)


DROPPING = ("drops", "renames", "sheds")


def test_no_step_makes_a_database_on_a_server_of_others(
    room: Path, shared: Path, server: str
) -> None:
    (room / "shop" / "djhop.toml").unlink()
    only = ["tests", "checks", "database"]
    given = {"steps": ["5.2"], "python": "3.12", "test": ["manage.py", "test"], "only": only}
    settings = matrix(room, **given, **{"set-env": {"DATABASE_URL": server}})
    done = djhop_cli.run(
        room / "shop", settings, cache=shared / "djhop-services", out=room / "reports"
    )
    cell = done.cells[CELLS[1]]
    assert cell["status"] == "passed"
    step = cell["steps"]["database"]
    assert step["status"] == "not-available"
    assert "a server that djhop has not started" in step["reason"]
    assert cell["steps"]["checks"]["status"] == "found"  # of --deploy
    said = (room / "server.txt").read_text()
    assert "djhop_py" not in said
    assert re.findall(r'CREATE DATABASE "(test_\w+)"', said)


@pytest.mark.parametrize(
    ("test", "packages", "names"),
    [
        (
            ["pytest", "-n", "2", "--reuse-db"],
            ["pytest-xdist", "pytest-django"],
            r"test_postgres_gw[01]_djhop_[0-9a-f]{8}",
        ),
        (["manage.py", "test", "--parallel", "2"], [], r"test_postgres_djhop_[0-9a-f]{8}(_[12])?"),
    ],
    ids=["xdist", "parallel"],
)
def test_workers_of_a_suite_have_databases_of_their_own(
    run: Callable[..., Done], room: Path, test: list[str], packages: list[str], names: str
) -> None:
    done = run("--cells", CELLS[1], test=test, packages=packages)
    assert done.cells[CELLS[1]]["status"] == "passed"
    made = created(done.folder)
    assert len(set(made)) >= 2
    assert [name for name in made if not re.fullmatch(names, name)] == []
    # No database is left behind, though --reuse-db asks for that.
    assert set(dropped(done.folder)) >= set(made)
    assert_all_gone(room)


@pytest.fixture
def server(room: Path) -> Iterator[str]:
    """A PostgreSQL that is no djhop's; its URL."""
    folder = room / "tmp" / "server"
    folder.mkdir()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    program = [sys.executable, str(TARGET / "server.py")]
    where = [str(folder), str(port)]
    with (
        (room / "server.txt").open("wb") as out,
        subprocess.Popen([*program, "start", *where], stdout=out, stderr=out) as process,
    ):
        ready = [*program, "ready", *where]
        assert eventually(lambda: not subprocess.run(ready, check=False).returncode, 120, 0.1)
        yield f"postgres://shop@127.0.0.1:{port}/postgres"
        process.send_signal(signal.SIGQUIT)


def test_two_djhops_on_the_same_cell_and_the_same_server(
    room: Path, shared: Path, server: str
) -> None:
    """Each waits, in a test, until the other one is in that test as well."""
    (room / "shop" / "djhop.toml").unlink()
    env = {"MEETING": "2", "DATABASE_URL": server}
    given = {"steps": ["5.2"], "python": "3.12", "test": ["pytest"], "only": ["tests"]}
    settings = matrix(room, **given, **{"set-env": env})

    def go(name: str) -> Done:
        cache = shared / "djhop-services"
        return djhop_cli.run(room / "shop", settings, cache=cache, out=room / name)

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(go, ("one", "two")))
    assert [done.cells[CELLS[1]]["status"] for done in both] == ["passed", "passed"]
    said = (room / "server.txt").read_text()
    names = re.findall(r'CREATE DATABASE "(\w+)"', said)
    assert len(names) == len(set(names)) == 2
    assert sorted(re.findall(r'DROP DATABASE "(\w+)"', said)) == sorted(names)


MANY = """
DATABASES["replica"] = {**DATABASES["default"], "TEST": {"MIRROR": "default"}}
DATABASES["long"] = {**DATABASES["default"], "TEST": {"NAME": "b" * 60}}
DATABASES["file"] = {
    "ENGINE": "django.db.backends.sqlite3", "NAME": "x", "TEST": {"NAME": os.environ["LITE"]},
}
DATABASES["memory"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}
"""
MANY_TESTS = """
from django.db import connections
from django.test import TransactionTestCase
from shop.models import Order

class Many(TransactionTestCase):
    databases = "__all__"

    def test_each(self):
        Order.objects.create(number=1)
        self.assertEqual(Order.objects.using("replica").count(), 1)
        for alias in ("long", "file", "memory"):
            self.assertEqual(Order.objects.using(alias).count(), 0)
        self.assertIn("mode=memory", str(connections["memory"].settings_dict["NAME"]))
"""


def test_many_databases_of_two_cells(run: Callable[..., Done], room: Path) -> None:
    """A mirror, a name as long as names may be, a file outside of the tree; clones of each."""
    with (room / "shop" / "settings.py").open("a") as file:
        file.write(MANY)
    (room / "shop" / "test_many.py").write_text(MANY_TESTS)
    env = {"MEETING": "2", "LITE": str(room / "lite.sqlite3")}
    done = run(test=["manage.py", "test", "--parallel", "2"], **{"set-env": env})
    assert {cell["status"] for cell in done.cells.values()} == {"passed"}
    names = created(done.folder)
    # In each cell two databases, and two clones of each.
    assert len(names) == len(set(names)) == 12
    assert max(map(len, names)) <= 63
    assert sorted(dropped(done.folder)) == sorted(names)
    assert not list(room.glob("lite*"))


def test_names_stay_where_the_matrix_says_so(run: Callable[..., Done]) -> None:
    done = run("--cells", CELLS[1], isolate=False)
    assert done.cells[CELLS[1]]["status"] == "passed"
    assert set(created(done.folder)) == {"test_postgres"}


@pytest.fixture
def begun(room: Path, shared: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A djhop whose cell is in a test that waits for others, who never come."""
    settings = matrix(room, **{"set-env": {"MEETING": "99"}})
    command = [sys.executable, "-m", "djhop", "run", str(room / "shop"), "--matrix", str(settings)]
    command += ["--out", str(room / "reports"), "--cells", CELLS[1], "--install-python", "never"]
    env = {**os.environ, "DJHOP_CACHE": str(shared / "djhop-services")}
    env |= {"PYTHONPATH": str(djhop_cli.SRC), "TMPDIR": str(room / "tmp")}
    with subprocess.Popen(command, env=env, cwd=room, stdout=subprocess.DEVNULL) as process:
        latest = room / "reports" / "latest"
        found = latest / "services" / "postgres.txt"
        assert eventually(
            lambda: found.exists() and "TABLE IF NOT EXISTS meeting" in log(latest), 120, 0.1
        )
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_a_signal_ends_the_server_too(
    begun: subprocess.Popen[bytes], room: Path, number: signal.Signals
) -> None:
    assert servers(room)
    begun.send_signal(number)
    assert begun.wait(60) == 130
    cell = json.loads((room / "reports/latest/cells" / CELLS[1] / "cell.json").read_text())
    assert cell["status"] == "interrupted"
    assert "server stopped" in log(room / "reports" / "latest")
    assert_all_gone(room)


def test_after_a_sigkill_the_next_run_ends_the_server(
    begun: subprocess.Popen[bytes], room: Path, run: Callable[..., Done]
) -> None:
    before = servers(room)
    assert before
    begun.kill()
    begun.wait()
    assert set(servers(room)) >= set(before)
    done = run("--cells", CELLS[1])
    assert done.cells[CELLS[1]]["status"] == "passed"
    assert_all_gone(room)


def test_a_server_that_dies_is_no_verdict(run: Callable[..., Done], room: Path) -> None:
    """The cell's tests fail, and say nothing about the hop."""
    kill = "import os, pathlib; at = pathlib.Path(os.environ['DATA']) / 'data/postmaster.pid'; "
    kill += "os.kill(int(at.read_text().split()[0]), 9)"
    tests = room / "shop" / "test_a.py"
    body = f"import django.test\nclass A(django.test.TestCase):\n  def test_a(self):\n    {kill}\n"
    tests.write_text(body)
    text = (room / "shop" / "djhop.toml").read_text()
    wanted = text.replace("env = { ", 'env = { DATA = "{service}", ')
    (room / "shop" / "djhop.toml").write_text(wanted)
    done = run("--cells", CELLS[1])
    cell = done.cells[CELLS[1]]
    assert cell["status"] == "infra"
    assert cell["reason"].startswith("the service 'postgres' ended with -9\n")
    assert done.returncode == 4
    assert_all_gone(room)


def test_a_server_that_does_not_start_is_no_verdict(run: Callable[..., Done], room: Path) -> None:
    text = (room / "shop" / "djhop.toml").read_text()
    (room / "shop" / "djhop.toml").write_text(text.replace("server.py start", "server.py strat"))
    done = run()
    assert {cell["status"] for cell in done.cells.values()} == {"infra"}
    assert done.returncode == 4
    assert done.run["hops"][0]["verdict"] == "unknown"
    reason = done.cells[CELLS[0]]["reason"]
    assert reason.startswith("the service 'postgres' ended with 1\n")
    assert str(done.folder / "services" / "postgres.txt") in reason
    assert_all_gone(room)
