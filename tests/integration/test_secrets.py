"""Twenty planted secrets come by in every way a suite has, and stand in no file and no output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import djhop_cli
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.needs_python("3.12")]

#: What the matrix passes from djhop's own environment, and what it sets itself.
PASSED = {
    **{f"SECRET_NUMBER_{n}": f"planted-{n}-8f3a91cc" for n in range(10)},
    "PGPASSWORD": """qu"ote's & <tags> \\ planted""",
    "DATABASE_URL": "postgres://shop:pl%40nted-url@db.example.com/shop",
    "API_TOKEN": "planted-ünïcode-töken",
    "PRIVATE_KEY": "-----BEGIN KEY-----\nplanted+line+of+a+key+1\nplanted+line+of+a+key+2",
    "SENTRY_DSN": "https://plantedplantedplanted@errors.example.com/1",
}
SET = {
    "DJANGO_SECRET_KEY": "planted-by-the-matrix",
    "DB_PASS": "planted-{cell}",
    "AUTH": "planted-auth-value",
    "REDIS_URL": "redis://:planted-redis@127.0.0.1/0",
    "AWS_SECRET_ACCESS_KEY": "planted/aws+key",
}
SUITE = """
import os, subprocess, sys, warnings
import pytest

SECRETS = {k: v for k, v in os.environ.items() if "planted" in v or "pl%40nted" in v}

def test_they_are_all_there():
    assert len(SECRETS) == 20

@pytest.mark.parametrize("value", sorted(SECRETS.values()))
def test_ids(value):
    pass

@pytest.mark.parametrize("number", range(20))
def test_everything(number, record_property):
    value = sorted(SECRETS.values())[number]
    record_property("value", value)
    print("out", value, "pl@nted-url", flush=True)
    sys.stderr.write("err %r" % value)
    os.write(2, os.fsencode(value))
    subprocess.run(["env"])
    warnings.warn("deprecated: " + value, DeprecationWarning)
    local = {"value": value}
    raise ValueError("wrong: %s %r" % (value, local)) from KeyError(value)

def test_a_subprocess_past_the_capture(capfd):
    with capfd.disabled():
        subprocess.run(["env"])
"""


def planted() -> list[str]:
    values = {**PASSED, **SET, "DB_PASS": "planted-py3.12-django5.2"}
    found = [*values.values(), "pl%40nted-url", "pl@nted-url", "planted-redis"]
    found += ["planted+line+of+a+key+1", "planted+line+of+a+key+2", "plantedplantedplanted"]
    found += [ascii(value)[1:-1] for value in found]
    return [f for f in found if "://" not in f]


def leaks(folder: Path, secrets: list[str]) -> list[str]:
    """Every secret that stands in a file of a folder."""
    return [
        f"{path.relative_to(folder)}: {secret}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]


def test_secrets_are_in_no_file(tmp_path: Path, shared: Path) -> None:
    target = tmp_path / "shop"
    target.mkdir()
    (target / "test_shop.py").write_text(SUITE)
    (target / "requirements.txt").write_text("django~=5.2.0\npytest\n")
    settings = {
        "from": "5.2",
        "to": "5.2",
        "python": "3.12",
        "test": ["pytest"],
        "pass-env": list(PASSED),
        "before": ["env"],
        "after": ["sh -c 'exit 3' planted-by-the-matrix"],
        "set-env": SET,
    }
    matrix = djhop_cli.matrix_file(tmp_path / "matrix.toml", settings)
    done = djhop_cli.run(
        target, matrix, cache=shared / "djhop", out=tmp_path / "reports", env=PASSED
    )
    (cell,) = done.cells.values()
    counts = done.counts("py3.12-django5.2", "plain")
    assert counts == {"passed": 22, "failed": 20}, cell["reason"]
    assert leaks(done.folder, planted()) == []
    assert [secret for secret in planted() if secret in done.said] == []
    # What came by was masked, not lost.
    printed = [test["printed"]["head"] for test in cell["tests"] if test["printed"]]
    assert len(printed) == 20 and all("****" in text for text in printed)
    log = next(done.folder.rglob("log-strict.txt")).read_text()
    assert "DATABASE_URL=postgres://shop:****@db.example.com/shop" in log
    assert "API_TOKEN=****" in log


# Django's own steps, and what is looked at after a run.

LATER = {
    "SHOP_SECRET_KEY": "planted-key-of-settings",
    "SHOP_DB_PASSWORD": "planted-db-pass'word",
    "SHOP_URL": "postgres://shop:planted-url-pass@db.example.com/shop",
}
SHOP = {
    "requirements.txt": "django\n",
    "manage.py": """
import os
from django.core.management import execute_from_command_line
import sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
execute_from_command_line(sys.argv)
""",
    "shop/__init__.py": "",
    "shop/settings.py": """
import os
SECRET_KEY = os.environ["SHOP_SECRET_KEY"]
PASSWORD, URL = os.environ["SHOP_DB_PASSWORD"], os.environ["SHOP_URL"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x", "PASSWORD": PASSWORD}}
INSTALLED_APPS = ["shop"]
CSRF_COOKIE_MASKED = SECRET_KEY
print("settings", SECRET_KEY, DATABASES, URL)
""",
    "shop/apps.py": """
from django.apps import AppConfig
from django.conf import settings
from django.core import checks

class Shop(AppConfig):
    name = "shop"
    def ready(self):
        told = f"{settings.SECRET_KEY} {settings.PASSWORD} {settings.URL}"
        checks.register(lambda **_: [checks.Warning(told, hint=told, obj=told, id="shop.W1")])
""",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": """
from django.conf import settings
from django.db import migrations

def fails(*_):
    raise ValueError(f"{settings.PASSWORD!r} {settings.DATABASES} {settings.URL}")

class Migration(migrations.Migration):
    operations = [migrations.RunPython(fails)]
""",
    "test_shop.py": """
import django, os
from unittest import TestCase
if django.VERSION >= (5,):
    raise ImportError("cannot import " + os.environ["SHOP_DB_PASSWORD"] + os.environ["SHOP_URL"])
class Shop(TestCase):
    def test_a(self): pass
""",
    "test_other.py": """
import os
from unittest import TestCase
class Other(TestCase):
    def test_b(self): print(os.environ["SHOP_SECRET_KEY"])
""",
}


def again(out: Path, cache: Path, *words: str) -> str:
    """What another command of djhop prints of the run, where the secrets are in reach as well."""
    env = {**os.environ, **LATER, "DJHOP_CACHE": str(cache), "PYTHONPATH": str(djhop_cli.SRC)}
    argv = [sys.executable, "-m", "djhop", *words, "--out", str(out)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert "internal error" not in done.stderr
    return done.stdout + done.stderr


def test_secrets_are_in_nothing_that_steps_and_later_commands_leave(
    tmp_path: Path, shared: Path
) -> None:
    target = tmp_path / "shop"
    for name, text in SHOP.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text.lstrip())
    settings: dict[str, Any] = {
        "from": "4.2",
        "to": "5.2",
        "steps": ["4.2", "5.2"],
        "python": "3.12",
        "test": ["manage.py", "test"],
        "only": ["tests", "checks", "migrations", "database", "settings"],
        "pass-env": ["SHOP_DB_PASSWORD", "SHOP_URL"],
        "before": [f"true {LATER['SHOP_SECRET_KEY']} {LATER['SHOP_URL']}"],
        "set-env": {"SHOP_SECRET_KEY": LATER["SHOP_SECRET_KEY"]},
    }
    matrix = djhop_cli.matrix_file(tmp_path / "matrix.toml", settings)
    cache, out = shared / "djhop", tmp_path / "reports"
    done = djhop_cli.run(target, matrix, cache=cache, out=out, env=LATER, options=["--peel", "120"])
    steps = done.cells["py3.12-django5.2"]["steps"]
    assert (steps["checks"]["status"], steps["database"]["status"]) == ("found", "failed")
    assert done.run["peels"][0]["layers"], done.said
    said = done.said + again(out, cache, "run", str(target), "--matrix", str(matrix), "--dry-run")
    said += again(out, cache, "bisect", "--budget", "1s")
    said += again(out, cache, "fix", "--try")
    assert list(done.folder.glob("bisect/*.json"))
    assert (done.folder / "report.html").is_file()
    secrets = ["planted-key", "planted-db", "planted-url"]
    assert leaks(done.folder, secrets) == []
    assert [secret for secret in secrets if secret in said] == []
    assert "true **** postgres://****@db.example.com/shop" in said
