"""What the probe puts back, in real Pythons with real Djangos: every shim of the table."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import djangos
import pytest
from msgspec.json import encode

import djhop
from djhop.interpreters.interpreters import Interpreter
from djhop.knowledge.explain import known
from djhop.knowledge.table import Removal, load
from djhop.peels import ways
from djhop.releases import version_key

PROBE = Path(djhop.__file__).parent / "probe"
#: What these need is on few machines: GDAL, and a driver of PostgreSQL.
ELSEWHERE = ("django.contrib.gis.", "django.contrib.postgres.")
#: It takes any argument, and does nothing with this one.
TAKES_ALL = {"django.db.models.functions.Trunc"}
ROWS = [
    row
    for row in load()
    if row.shim is not None and row.kind != "behaviour" and not row.symbol.startswith(ELSEWHERE)
]
#: Reads {specs, without}; prints what went wrong, by path.
TRY = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
from djhop_probe_state import STATE
given = json.loads(sys.stdin.read())
STATE.config = {"taken": given["taken"]}
if given["put_back"]:
    import djhop_probe_shims
    djhop_probe_shims.install()
if given["django"]:
    import django
    from django.conf import settings
    settings.configure(USE_TZ=True, SECRET_KEY="x", INSTALLED_APPS=["django.contrib.contenttypes"])
    django.setup()

def look(spec):
    path = spec["paths"][0]
    if spec["kind"] == "setting":
        assert getattr(settings, path) == spec["default"]
        return
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
            break
        except ImportError:
            assert spec["kind"] != "module"
    for part in parts[end:]:
        found = getattr(found, part)
    if spec["kind"] == "argument":
        try:
            found(**{spec["argument"]: None})
        except Exception as error:
            assert spec["argument"] not in str(error), error

wrong = {}
for spec in given["taken"]["shims"]:
    try:
        look(spec)
    except Exception as error:
        wrong["%s %s" % (spec["paths"][0], spec.get("argument", ""))] = repr(error)
print(json.dumps(wrong))
"""


def attempt(
    python: Interpreter, root: Path | None, rows: list[Removal], *, put_back: bool = True
) -> dict[str, str]:
    specs = [ways.shim(known(row)) for row in rows]
    given = {"taken": {"shims": specs}, "django": root is not None, "put_back": put_back}
    path = os.pathsep.join(map(str, filter(None, [PROBE, root])))
    done = subprocess.run(
        [python.path, "-c", TRY],
        input=encode(given).decode(),
        env={"PYTHONPATH": path, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def gone(axis: str, version: str) -> list[Removal]:
    """The rows of what `version` has not any more, but for what is in a module that is gone too."""
    rows = [row for row in ROWS if row.axis == axis and _is_gone(row, version)]
    modules = {row.symbol for row in load() if row.kind == "module" and _is_gone(row, version)}
    return [row for row in rows if row.symbol.rpartition(".")[0] not in modules]


def _is_gone(row: Removal, version: str) -> bool:
    return bool(row.removed) and version_key(row.removed) <= version_key(version)


@pytest.mark.parametrize(("series", "minor"), [("3.2", "3.6"), ("4.2", "3.9"), ("5.2", "3.12")])
def test_what_django_removed_is_put_back(
    shared: Path, found: dict[str, Interpreter], series: str, minor: str
) -> None:
    if minor not in found:
        pytest.skip(f"no Python {minor} here")
    root = shared / f"shims-{series}"
    needs = ("asgiref", "sqlparse", "pytz", "typing-extensions")
    djangos.pip(root, "--python-version", minor, f"django=={series}.*", *needs)
    rows = gone("django", series)
    assert len(rows) > 15
    assert attempt(found[minor], root, rows) == {}
    without = attempt(found[minor], root, rows, put_back=False)
    assert {row.symbol for row in rows} - {path.split()[0] for path in without} <= TAKES_ALL


@pytest.mark.parametrize("minor", ["3.8", "3.12", "3.13"])
def test_what_python_removed_is_put_back(found: dict[str, Interpreter], minor: str) -> None:
    if minor not in found:
        pytest.skip(f"no Python {minor} here")
    rows = gone("python", minor)
    assert attempt(found[minor], None, rows) == {}
    without = attempt(found[minor], None, rows, put_back=False)
    assert {row.symbol for row in rows} - {path.split()[0] for path in without} <= TAKES_ALL
