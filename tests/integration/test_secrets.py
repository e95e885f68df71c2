"""Twenty planted secrets come by in every way a suite has, and stand in no file and no output."""

from __future__ import annotations

from pathlib import Path

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
    leaks = [
        f"{path.relative_to(done.folder)}: {secret}"
        for path in sorted(done.folder.rglob("*"))
        if path.is_file()
        for secret in planted()
        if secret.encode() in path.read_bytes()
    ]
    assert leaks == []
    assert [secret for secret in planted() if secret in done.said] == []
    # What came by was masked, not lost.
    log = next(done.folder.rglob("log-strict.txt")).read_text()
    assert "DATABASE_URL=postgres://shop:****@db.example.com/shop" in log
    assert "API_TOKEN=****" in log
